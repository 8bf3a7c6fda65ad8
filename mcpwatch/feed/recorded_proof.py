"""One entry of a recording with its proof, in one pass and up to the checkpoint that covers it."""

from pathlib import Path

from mcpwatch.errors import IntegrityError
from mcpwatch.feed.inclusion_pass import InclusionPass
from mcpwatch.feed.note import NoteVerifier
from mcpwatch.feed.recorded_log import RecordedLog
from mcpwatch.feed.recording_format import JOIN, decode_join
from mcpwatch.feed.sse import Frame
from mcpwatch.feed.tlog_proof import TlogProof
from mcpwatch.feed.vkey import BadNote


class RecordedProof:
    """The proof of entry `index` of the recording at `path`, under the keys that the recording names.

    `is_known` says whether those are pinned under `state` for its log; other keys that are pinned for it refuse it.
    Raises as `RecordedLog` does, and UsageError where the entry or a checkpoint for it is not there, IntegrityError
    where what comes before that checkpoint does not hold.
    """

    def __init__(self, path: Path, index: int, state: Path) -> None:
        log = RecordedLog(path, path.name, state)
        try:
            self.keys = log.recording.head.keys
            self.is_known = log.is_known
            self.proof = _prove(log, index)
        finally:
            log.close()


def _prove(log: RecordedLog, index: int) -> TlogProof:
    _hold(log)
    head = log.recording.head
    try:
        passing = InclusionPass(index, NoteVerifier(*head.keys), head.first, head.frontier)
    except BadNote as bad:
        raise IntegrityError(f"its keys are none: {bad.reason}") from None
    passing.note(head.note.encode())
    for recorded, _ in log.events():
        _hold(log)
        _take(passing, recorded.event)
        if passing.proof is not None:
            return passing.proof
    _hold(log)
    raise passing.missing()


def _take(passing: InclusionPass, event: Frame) -> None:
    if event.event == JOIN:
        join = decode_join(event.data)
        size = passing.note(join.note.encode()).size
        passing.edges({proof.first: proof.frontier for proof in join.proofs} | {size: join.frontier})
    elif event.event == "checkpoint":
        passing.note(event.data + b"\n")
    else:
        passing.entry(event)


def _hold(log: RecordedLog) -> None:
    if log.fault is not None:
        where = f"entry {log.fault.index}" if log.fault.index is not None else "its head"
        raise IntegrityError(f"{log.recording.path} does not hold at {where}: {log.fault.reason}")
