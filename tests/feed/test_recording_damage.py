"""A recording that is not what was written never passes, and says where; a cut one opens to its last whole event."""

from base64 import b64encode
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from taped import read, tape

from mcpwatch.errors import McpwatchError
from mcpwatch.feed.merkle import leaf_hash
from mcpwatch.feed.recording import Recorded, Recording
from mcpwatch.feed.recording_format import END, Unreadable, decode_event, encode_event
from mcpwatch.feed.sse import Frame


def blocks(path: Path) -> Iterator[tuple[int, int, Frame]]:
    """Where each event begins and ends in the file."""
    with Recording(path) as recording:
        events = [*recording.events(), Recorded(recording.size, Frame("", b""))]
    for each, following in pairwise(events):
        yield each.at, following.at, each.event


def put(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("flip", [0x01, 0x80])
def test_a_flipped_octet_anywhere_is_found_and_its_entry_named(tmp_path: Path, flip: int) -> None:
    whole, spoiled = tmp_path / "whole.mcpfeed", tmp_path / "spoiled.mcpfeed"
    tape(whole, checkpoints=1, every=2)
    data, events = whole.read_bytes(), list(blocks(whole))
    assert read(whole)[0].is_proven
    for at in range(events[0][0]):
        put(spoiled, data[:at] + bytes([data[at] ^ flip]) + data[at + 1 :])
        with pytest.raises(McpwatchError):
            read(spoiled)
    for begin, end, event in events:
        for at in range(begin, end):
            recorded, _ = read(put(spoiled, data[:at] + bytes([data[at] ^ flip]) + data[at + 1 :]))
            assert not recorded.is_proven, at
            fault = recorded.fault
            if fault is None:
                assert end == len(data) and recorded.recording.cut, at
            else:
                assert fault.at == begin, at
            is_named = event.event == "entry" and fault is not None and not data[begin:at].endswith(b"\nid: ")
            assert not is_named or (fault is not None and fault.index == int(event.id or "")), at


def test_cut_off_anywhere_it_opens_to_the_last_whole_event(tmp_path: Path) -> None:
    whole, cut = tmp_path / "whole.mcpfeed", tmp_path / "cut.mcpfeed"
    tape(whole, checkpoints=2, every=1, tail=1)
    data, events = whole.read_bytes(), list(blocks(whole))
    for length in range(len(data)):
        put(cut, data[:length])
        if length < events[0][0]:
            with pytest.raises(McpwatchError):
                read(cut)
            continue
        held = [event for _, end, event in events if end <= length]
        recorded, entries = read(cut)
        assert [entry.leaf for entry in entries] == [event.data for event in held if event.event == "entry"]
        assert recorded.fault is None
        proven = max((int(event.data.split(b"\n")[1]) for event in held if event.event == "checkpoint"), default=0)
        assert recorded.status.verified_size == proven
        is_boundary = length in {begin for begin, _, _ in events}
        assert bool(recorded.recording.cut) != is_boundary
        assert recorded.is_proven == (is_boundary and proven == len(entries))
        assert is_boundary or "cut off" in recorded.status.detail


@pytest.mark.parametrize("change", ["drop", "double", "swap"])
def test_events_that_were_moved_are_found(tmp_path: Path, change: str) -> None:
    path = tmp_path / "moved.mcpfeed"
    tape(path, checkpoints=2, every=3)
    data, events = path.read_bytes(), list(blocks(path))
    places = [(begin, end) for begin, end, event in events if event.event == "entry"]
    (begin, end), (following, after) = places[1], places[2]
    moved = {
        "drop": data[:begin] + data[end:],
        "double": data[:following] + data[begin:end] + data[following:],
        "swap": data[:begin] + data[following:after] + data[begin:end] + data[after:],
    }
    recorded, _ = read(put(path, moved[change]))
    assert recorded.is_proven == (change == "double")
    assert change == "double" or recorded.fault is not None


@pytest.mark.parametrize(
    "changed",
    [
        (b"id: 7\n", b"id: 07\n"),
        (b"id: 7\n", b"id:7\n"),
        (b"id: 7\n", b"id: 7\nid: 7\n"),
        (b"id: 7\n", b"id: 7\nretry: 1\n"),
        (b"event: entry\n", b"event:entry\n"),
        (b"event: entry\n", b"event: message\n"),
        (b"data: ", b"data:"),
        (b"data: ", b": a comment\ndata: "),
    ],
)
def test_an_entry_has_one_form(changed: tuple[bytes, bytes]) -> None:
    whole = encode_event(Frame("entry", b'{"some":"leaf"}', "7")).removesuffix(END)
    assert decode_event(whole) == Frame("entry", b'{"some":"leaf"}', "7")
    other = whole.replace(*changed)
    assert other != whole
    with pytest.raises(Unreadable):
        decode_event(other)


def test_a_carriage_return_is_in_no_event() -> None:
    whole = encode_event(Frame("entry", b"one line", "7")).removesuffix(END)
    spoilt = b"one\rline"
    with pytest.raises(Unreadable):
        decode_event(b": " + b64encode(leaf_hash(spoilt)) + whole[whole.index(b"\nid") :].replace(b"one line", spoilt))
