"""A recording gives back what was recorded, proves it, and never more than that."""

import stat
from pathlib import Path

import pytest
from taped import Tape, read, tape
from tiny_log import TinyLog, frames

from mcpwatch.errors import IntegrityError, LocalError, UsageError
from mcpwatch.feed.pins import Pins, pins_folder
from mcpwatch.feed.recording import CHUNK
from mcpwatch.feed.recording_source import RecordingSource
from mcpwatch.feed.sse import frame
from mcpwatch.feed.upto import UpTo
from mcpwatch.model.entries import GatewayStopped
from mcpwatch.model.feed import FeedState


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "tiny.mcpfeed"


def test_it_gives_back_every_entry_and_proves_it(path: Path) -> None:
    log = tape(path, checkpoints=3, every=4)
    recorded, entries = read(path)
    assert [entry.leaf for entry in entries] == log.leaves
    assert recorded.is_proven
    assert (recorded.status.state, recorded.status.verified_size) == (FeedState.ENDED, 12)
    assert recorded.fault is None


def test_what_no_checkpoint_covers_is_pending(path: Path) -> None:
    tape(path, tail=3)
    recorded, entries = read(path)
    assert len(entries) == 7
    assert not recorded.is_proven
    assert recorded.status.verified_size == 4
    assert "3 entries after that not proven" in recorded.status.detail


def test_the_file_is_private_and_nothing_is_written_over(path: Path) -> None:
    tape(path)
    before = path.read_bytes()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with pytest.raises(LocalError, match="exists already"):
        tape(path)
    assert path.read_bytes() == before


def test_nothing_is_left_of_a_recording_that_never_began(path: Path) -> None:
    Tape(TinyLog(), path).close()
    assert not path.exists()


def test_an_unknown_version_is_told(path: Path) -> None:
    tape(path)
    path.write_bytes(path.read_bytes().replace(b'"version":1', b'"version":2', 1))
    with pytest.raises(UsageError, match="of version 2, and this mcpwatch reads version 1"):
        read(path)


def test_another_file_is_no_recording(path: Path) -> None:
    path.write_bytes(b"event: entry\n\n")
    with pytest.raises(UsageError, match="is no recording"):
        read(path)


@pytest.mark.parametrize("seed", [0, 2])
def test_the_key_is_held_against_the_one_that_is_pinned(path: Path, tmp_path: Path, seed: int) -> None:
    log = tape(path)
    known = TinyLog(seed=seed).verifier
    Pins(pins_folder(tmp_path)).hold("http://127.0.0.1:4181", (str(known.key), str(known.time_key)), 0.0)
    recorded, _ = read(path, tmp_path)
    is_same = str(known.key) == str(log.verifier.key)
    assert recorded.is_known == is_same
    assert recorded.is_proven == is_same
    assert is_same or recorded.status.state is FeedState.BROKEN


def test_without_a_pin_the_key_is_the_recordings_own_word(path: Path, tmp_path: Path) -> None:
    tape(path)
    recorded, _ = read(path, tmp_path)
    assert recorded.is_proven and not recorded.is_known
    assert "the key in the file, which is not pinned here" in recorded.status.detail


def test_a_connection_that_is_lost_leaves_no_doubles(path: Path) -> None:
    log = TinyLog()
    taping = Tape(log, path)
    taping.join()
    taping.take(*log.grow(4, 2))
    log.grow(2)
    taping.join()
    taping.take(log.entry(2), log.entry(3), log.entry(4), log.entry(5), log.checkpoint())
    recorded, entries = read(taping.close())
    assert [entry.index for entry in entries] == list(range(6))
    assert recorded.is_proven


def test_a_recording_may_begin_late(path: Path) -> None:
    log = TinyLog()
    log.grow(5)
    taping = Tape(log, path, from_start=False)
    taping.join()
    taping.take(*log.grow(2, 2))
    recorded, entries = read(taping.close())
    assert [entry.index for entry in entries] == [5, 6]
    assert recorded.recording.head.first == 5
    assert recorded.is_proven


def test_a_gap_of_retention_is_kept_with_its_proof(path: Path) -> None:
    log = TinyLog()
    taping = Tape(log, path)
    taping.join()
    taping.take(*log.grow(3, 3))
    log.grow(8)
    taping.join(oldest=7)
    taping.take(*map(log.entry, range(7, 11)), log.checkpoint())
    recorded, entries = read(taping.close())
    assert [entry.index for entry in entries] == [0, 1, 2, 7, 8, 9, 10]
    assert [(gap.first, gap.last) for gap in recorded.status.gaps] == [(3, 6)]
    assert recorded.is_proven


def test_a_log_that_goes_on_from_others_is_recorded_as_broken(path: Path) -> None:
    log = TinyLog()
    taping = Tape(log, path)
    taping.join()
    taping.take(*log.grow(3, 3))
    forked = TinyLog()
    forked.grow(1)
    forked.add(GatewayStopped(reason="another"))
    forked.grow(3)
    taping.log = forked
    taping.join()
    taping.take(*map(forked.entry, range(3, 5)), forked.checkpoint())
    assert taping.reader.status.state is FeedState.BROKEN
    recorded, _ = read(taping.close())
    assert recorded.status.state is FeedState.BROKEN
    assert recorded.fault is not None and not recorded.is_proven


def test_an_entry_that_comes_again_changed_is_kept(path: Path) -> None:
    log = TinyLog()
    taping = Tape(log, path)
    taping.join()
    taping.take(*log.grow(3, 3), frame("entry", b"another", 1), *log.grow(1, 1))
    assert taping.reader.status.state is FeedState.BROKEN
    recorded, entries = read(taping.close())
    assert recorded.status.state is FeedState.BROKEN
    assert recorded.fault is not None and "entry 1 came again" in recorded.fault.reason
    assert [entry.index for entry in entries] == [0, 1, 2, 3]


def test_a_rollback_is_recorded_as_one(path: Path) -> None:
    log = TinyLog()
    taping = Tape(log, path)
    taping.join()
    taping.take(*log.grow(4, 4), log.checkpoint(3))
    recorded, _ = read(taping.close())
    assert recorded.status.state is FeedState.ROLLBACK


def test_malformed_entries_of_several_lines_stay_as_they_are(path: Path) -> None:
    log = TinyLog()
    taping = Tape(log, path)
    taping.join()
    odd = b"not\njson\n\n: \x00\xff\xe2\x80\xa8"
    taping.take(log.add(leaf=odd), log.checkpoint())
    recorded, (entry,) = read(taping.close())
    assert entry.leaf == odd and entry.fault
    assert recorded.is_proven and recorded.status.malformed == 1


def test_it_is_read_in_pieces_wherever_they_end(path: Path) -> None:
    log = TinyLog()
    taping = Tape(log, path)
    taping.join()
    for size in (CHUNK - 700, 1, CHUNK // 2, 2 * CHUNK - 3, 10):
        taping.take(log.add(leaf=b"x" * size))
    taping.take(log.checkpoint())
    recorded, entries = read(taping.close())
    assert [entry.leaf for entry in entries] == log.leaves
    assert recorded.is_proven and recorded.extent == 5


async def test_it_is_a_source_that_ends_proven(path: Path) -> None:
    tape(path, checkpoints=2, every=300)
    feed = UpTo(RecordingSource(path))
    batches = [batch async for batch in feed.batches()]
    assert [entry.index for batch in batches for entry in batch] == list(range(600))
    assert max(map(len, batches)) <= 200
    assert feed.is_proven


async def test_as_a_source_it_shows_what_contradicts_the_log_at_its_end(path: Path) -> None:
    log = TinyLog()
    taping = Tape(log, path)
    taping.join()
    taping.take(*log.grow(4, 4), log.checkpoint(3))
    feed = UpTo(RecordingSource(taping.close()))
    assert sum([len(batch) async for batch in feed.batches()]) == 4
    assert feed.status.state is FeedState.ROLLBACK and not feed.is_proven


async def test_a_source_ends_where_the_recording_does(path: Path) -> None:
    tape(path)
    source = RecordingSource(path)
    assert [len(batch) async for batch in source.batches()] == [2, 2]
    assert source.status.state is FeedState.ENDED


async def test_as_a_source_it_says_what_is_pending(path: Path) -> None:
    tape(path, tail=1)
    feed = UpTo(RecordingSource(path))
    assert sum([len(batch) async for batch in feed.batches()]) == 5
    assert not feed.is_proven


def test_it_is_an_event_stream_as_well(path: Path) -> None:
    log = tape(path)
    head, _, stream = path.read_bytes().partition(b"\n\n")
    assert head.startswith(b'{"format":"mcpwatch-recording","version":1,')
    assert [each.data for each in frames(stream) if each.event == "entry"] == log.leaves


def test_a_head_that_was_written_in_part_is_told(path: Path) -> None:
    tape(path)
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(IntegrityError, match="ends in its head"):
        read(path)
