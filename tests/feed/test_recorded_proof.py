"""The proof of an entry comes out of a recording, and out of one that does not hold there is none."""

from pathlib import Path

import pytest
from independent_proof import independent
from tiny_log import ORIGIN, TinyLog, frames

from mcpwatch.errors import IntegrityError, UsageError
from mcpwatch.feed.pins import Pins, pins_folder
from mcpwatch.feed.recorded_proof import RecordedProof
from mcpwatch.feed.recording_format import Head, Join, encode_event, encode_head, encode_join
from mcpwatch.feed.tlog_proof import format_proof, verify_proof


def keys_of(log: TinyLog) -> tuple[str, str]:
    return log.key.verifier_key, log.key.time_verifier_key


def recording(log: TinyLog, *events: bytes, first: int = 0, joined: int = 0) -> bytes:
    """A recording of these events of a log."""
    head = Head(keys=keys_of(log), note=log.note(joined).decode(), first=first, frontier=log.at(first).hashes())
    return encode_head(head) + b"".join(map(encode_event, frames(*events)))


@pytest.fixture
def log() -> TinyLog:
    log = TinyLog()
    log.grow(40)
    return log


@pytest.fixture
def path(log: TinyLog, tmp_path: Path) -> Path:
    """Forty entries, with a checkpoint after each ten."""
    path = tmp_path / "log.mcpfeed"
    events = [event for at in range(40) for event in (log.entry(at), *([log.checkpoint(at + 1)] * (at % 10 == 9)))]
    path.write_bytes(recording(log, *events))
    return path


def test_every_entry_is_proven_to_a_third_party(log: TinyLog, path: Path, state_folder: Path) -> None:
    for index in range(40):
        recorded = RecordedProof(path, index, state_folder)
        assert independent(format_proof(recorded.proof), keys_of(log)[0]) == (ORIGIN, index, log.leaves[index])
        assert verify_proof(recorded.proof, recorded.keys).size == index // 10 * 10 + 10
        assert not recorded.is_known


def test_the_keys_that_are_pinned_for_the_log_decide(log: TinyLog, path: Path, state_folder: Path) -> None:
    Pins(pins_folder(state_folder)).hold("http://127.0.0.1:4181", keys_of(log), 1.0)
    assert RecordedProof(path, 3, state_folder).is_known
    other = TinyLog(seed=7)
    other.grow(5)
    path.write_bytes(recording(other, *map(other.entry, range(5)), other.checkpoint()))
    with pytest.raises(IntegrityError, match="pinned"):
        RecordedProof(path, 3, state_folder)


def test_it_goes_on_after_entries_that_were_not_recorded(log: TinyLog, path: Path, state_folder: Path) -> None:
    proof = log.consistency(16, 40)
    before = recording(log, *map(log.entry, range(10)), log.checkpoint(10))
    join = encode_event(encode_join(Join(log.note(40).decode(), 16, (), (proof, log.consistency(10, 40)))))
    after = b"".join(map(encode_event, frames(*map(log.entry, range(16, 40)), log.checkpoint())))
    path.write_bytes(before + join + after)
    for index in (0, 9, 16, 30, 39):
        recorded = RecordedProof(path, index, state_folder)
        assert independent(format_proof(recorded.proof), keys_of(log)[0])[1:] == (index, log.leaves[index])
    with pytest.raises(UsageError, match="Entry 12 is not in it"):
        RecordedProof(path, 12, state_folder)


def test_what_begins_late_or_ends_early_proves_what_it_holds(log: TinyLog, path: Path, state_folder: Path) -> None:
    whole = recording(log, *map(log.entry, range(16, 40)), log.checkpoint(), first=16, joined=16)
    path.write_bytes(whole)
    assert RecordedProof(path, 20, state_folder).proof.leaf == log.leaves[20]
    for octets, index, words in (
        (whole, 15, "Entry 15 is not in it"),
        (whole, 40, "Entry 40 is not in it"),
        (whole[:-1], 20, "No checkpoint in it covers entry 20"),
    ):
        path.write_bytes(octets)
        with pytest.raises(UsageError, match=words):
            RecordedProof(path, index, state_folder)


def test_no_flipped_octet_before_its_checkpoint_is_overlooked(log: TinyLog, path: Path, state_folder: Path) -> None:
    data = bytearray(path.read_bytes())
    end = data.index(b"\n\n", data.index(b"event: checkpoint"))
    for at in range(0, end, 7):
        data[at] ^= 1
        path.write_bytes(data)
        with pytest.raises((IntegrityError, UsageError)):
            RecordedProof(path, 4, state_folder)
        data[at] ^= 1
    path.write_bytes(data)
    RecordedProof(path, 4, state_folder)
