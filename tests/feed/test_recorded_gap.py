"""A recording may say of itself that its log was joined anew; entries before that are not proven by it."""

from pathlib import Path

import pytest
from test_continuity import grown
from tiny_log import TinyLog

from mcpwatch.feed.recorded_log import RecordedLog
from mcpwatch.feed.recording_format import Head, Join, encode_event, encode_head, encode_join
from mcpwatch.feed.sse import Frame


def entry(log: TinyLog, index: int) -> Frame:
    return Frame("entry", log.leaves[index], str(index))


def checkpoint(log: TinyLog, size: int) -> Frame:
    return Frame("checkpoint", log.note(size).removesuffix(b"\n"))


@pytest.mark.parametrize("forged", [0, 1, 5])
def test_entries_slipped_in_before_a_gap_are_not_proven(forged: int, tmp_path: Path) -> None:
    log, other = grown(24), grown(24, other_from=10)
    head = Head(keys=(log.key.verifier_key, log.key.time_verifier_key), note=log.note(0).decode(), first=0, frontier=())
    join = encode_join(Join(note=log.note(20).decode(), oldest=20, frontier=log.at(20).hashes(), proofs=()))
    events = [
        *(entry(log, index) for index in range(10)),
        checkpoint(log, 10),
        *(entry(other, index) for index in range(10, 10 + forged)),
        join,
        *(entry(log, index) for index in range(20, 24)),
        checkpoint(log, 24),
    ]
    path = tmp_path / "joined.mcpfeed"
    path.write_bytes(encode_head(head) + b"".join(map(encode_event, events)))
    recorded = RecordedLog(path, "joined", tmp_path / "state")
    for _ in recorded.events():
        pass
    recorded.finish()
    assert (recorded.is_proven, recorded.passed_over) == (not forged, forged)
    recorded.close()
