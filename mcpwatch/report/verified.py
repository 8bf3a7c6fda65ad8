"""What verifying a recording came to; every format is written from this alone.

A field may be added; none is renamed or taken away.
"""

import json
from collections.abc import Callable, Iterator
from importlib.metadata import version

import msgspec
from msgspec import Struct

from mcpwatch.errors import IntegrityError, McpwatchError
from mcpwatch.feed.recorded_log import RecordedLog
from mcpwatch.feed.standing import STICKY
from mcpwatch.report.signature_tally import Kind, SignatureTally
from mcpwatch.text import count
from mcpwatch.watch.times import rfc3339


class FailOn(Struct, frozen=True):
    """Which signatures fail."""

    fails: Callable[[Kind], bool]
    says: str


FAIL_ON: dict[str, FailOn] = {
    "bad": FailOn(lambda kind: kind.is_bad, "bad"),
    "unproven": FailOn(lambda kind: not kind.is_proven, "bad, late, replayed, or not to be checked here"),
    "never": FailOn(lambda kind: False, ""),
}
"""Name -> what of agents' signatures fails."""


class SignatureCount(Struct, frozen=True):
    """Requests of one scheme and one verdict."""

    scheme: str
    """Empty where there is no signature."""
    verdict: str
    count: int
    first: tuple[int, ...]
    """Indexes of at most 20 of them."""
    fails: bool


class FirstFault(Struct, frozen=True):
    """Where the recording stops to hold."""

    index: int | None
    """Of the entry; null in the head."""
    octet: int
    """At which the event begins in the file."""
    reason: str


class Verified(Struct, frozen=True, tag="verify", kw_only=True):
    """One recording, verified."""

    passed: bool
    exit_code: int
    reasons: tuple[str, ...]
    """Why it did not pass."""
    file: str
    octets: int
    origin: str
    key: str
    """The log's verifier key, C2SP form."""
    key_known: bool
    """Whether that key is pinned for the origin on this machine; else it is the recording's own word."""
    first: int
    """Index of the first entry."""
    last: int | None
    """Of the last whole one; null where there is none."""
    entries: int
    checkpoints: int
    """Read, whether they hold or not."""
    verified_size: int
    """Entries in the file below this are proven."""
    checkpoint_time: str
    """When the newest checkpoint that holds was signed, by the gateway's clock."""
    pending: int
    """Entries that no checkpoint covers."""
    cut_off: int
    """Octets at the end that are no whole event."""
    gaps: tuple[tuple[int, int], ...]
    """First and last index of what is not in it, both included."""
    malformed: int
    proven: bool
    """Whether a checkpoint that holds covers every entry in it."""
    fault: FirstFault | None
    signatures: tuple[SignatureCount, ...]
    waiting: int
    """Requests whose keys had not come when it ended."""
    unjudged: int
    """Requests that no verdict came of."""
    version: str
    """Of mcpwatch."""


def examine_recording(log: RecordedLog, tally: SignatureTally, fail_on: str = "bad", key: str = "") -> Verified:
    """The report on a recording that was read to its end; `fail_on` is a name of `FAIL_ON`.

    `key` is the verifier key that must have signed it; empty for any.
    """
    status, recording, fails = log.status, log.recording, FAIL_ON[fail_on]
    signatures = tuple(
        SignatureCount(kind.scheme, kind.word.value, tallied.count, tuple(tallied.first), fails.fails(kind))
        for kind, tallied in sorted(tally.kinds.items(), key=lambda item: (item[0].scheme, item[0].word.value))
        if tallied.count
    )
    first, checkpoint = recording.head.first, status.checkpoint
    verified_size = max(first, status.verified_size)
    faults = [(IntegrityError.exit_code, reason) for reason in _unproven(log, status.next_index - verified_size)]
    if key and key != recording.head.keys[0]:
        faults.append(
            (IntegrityError.exit_code, f"it is signed with {recording.head.keys[0]}, not with the one wanted")
        )
    failing = sum(each.count for each in signatures if each.fails)
    if failing:
        faults.append((McpwatchError.exit_code, f"{count(failing, 'signature')} {fails.says}"))
    if tally.unjudged:
        faults.append((McpwatchError.exit_code, f"{count(tally.unjudged, 'request')} not judged"))
    return Verified(
        passed=not faults,
        exit_code=faults[0][0] if faults else 0,
        reasons=tuple(reason for _, reason in faults),
        file=str(recording.path),
        octets=recording.size,
        origin=status.origin,
        key=status.key,
        key_known=log.is_known,
        first=first,
        last=status.next_index - 1 if status.received else None,
        entries=status.received,
        checkpoints=log.checkpoints,
        verified_size=verified_size,
        checkpoint_time=rfc3339(checkpoint.time) if checkpoint is not None and checkpoint.time is not None else "",
        pending=max(status.next_index - verified_size, 0),
        cut_off=recording.cut,
        gaps=tuple((gap.first, gap.last) for gap in status.gaps),
        malformed=status.malformed,
        proven=log.is_proven,
        fault=None if log.fault is None else FirstFault(log.fault.index, log.fault.at, log.fault.reason),
        signatures=signatures,
        waiting=len(tally.waiting),
        unjudged=tally.unjudged,
        version=version("mcpwatch-tui"),
    )


def verified_document(report: Verified) -> str:
    """The report's fields as one JSON object in ASCII."""
    return json.dumps(msgspec.to_builtins(report), indent=2).replace("\x7f", "\\u007f")


def _unproven(log: RecordedLog, pending: int) -> Iterator[str]:
    """Why not all of it is proven."""
    if log.is_proven:
        return
    status, fault = log.status, log.fault
    if fault is not None:
        where = "its head" if fault.index is None else f"entry {fault.index}"
        yield f"it does not hold at {where}, octet {fault.at}: {fault.reason}"
    elif status.state in STICKY:
        yield f"the log does not hold: {status.detail}"
    elif status.checkpoint is None:
        yield "no checkpoint in it holds"
    elif pending:
        yield f"the last {count(pending, 'entry')} in it {'is' if pending == 1 else 'are'} covered by no checkpoint"
    if log.passed_over:
        yield f"{count(log.passed_over, 'entry')} in it before a gap that no checkpoint was held against"
    if log.recording.cut:
        yield f"it is cut off: its last {count(log.recording.cut, 'octet')} are no whole event"
