"""The 31 event-stream cases, cut at every place, and the limits."""

from itertools import pairwise

import pytest
from event_streams import CASES, Case, Seen, messages, seen
from hypothesis import given
from hypothesis import strategies as st

from mcpwatch.feed.envelope import MAX_LEAF, Malformed, decode
from mcpwatch.feed.sse import Frame, SseReader, StreamFault, frame, is_event_stream

MEDIA_TYPES = {
    "text/event-stream": True,
    "text/event-stream;": True,
    "text/event-stream;x=bogus": True,
    "Text/Event-Stream ; charset=windows-1252": True,
    "xtext/event-streamx": False,
    "text/event-stream2": False,
    "text/plain;text/event-stream": False,
    "text/event-stream,text/html": False,
    "x%20bogus": False,
    "": False,
}


def read(*chunks: bytes) -> tuple[list[Seen], int | None]:
    reader = SseReader()
    frames = [each for chunk in chunks for each in reader.feed(chunk)]
    return seen(frames), reader.retry


def answer(case: Case, *chunks: bytes) -> tuple[list[Seen] | None, int | None]:
    """What an answer in these pieces means, as a subscriber takes it."""
    return read(*chunks) if is_event_stream(case.content_type) else (None, None)


def test_every_case_is_there_once() -> None:
    assert len({case.name for case in CASES}) == len(CASES) == 31


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_stream_means_the_same_however_it_is_cut(case: Case) -> None:
    expected = (case.events, case.retry)
    assert answer(case, case.stream) == expected
    assert answer(case, *(case.stream[at : at + 1] for at in range(len(case.stream)))) == expected
    for at in range(len(case.stream) + 1):
        assert answer(case, case.stream[:at], b"", case.stream[at:]) == expected


@pytest.mark.parametrize("case", [case for case in CASES if case.differs], ids=lambda case: case.name)
def test_what_differs_from_the_standard_is_malformed_and_never_an_entry(case: Case) -> None:
    for _, data, _ in case.events or []:
        with pytest.raises(Malformed):
            decode(data)


@pytest.mark.parametrize(("content_type", "accepted"), MEDIA_TYPES.items())
def test_media_types(content_type: str, accepted: bool) -> None:
    assert is_event_stream(content_type) is accepted


@pytest.mark.parametrize("value", ["1_000", "+5", "-5", " 7 ", "\u0663\u0660\u0660", "1.5", "0x10", "9" * 5000])
def test_a_retry_that_is_not_digits_is_ignored(value: str) -> None:
    reader = SseReader()
    (only,) = reader.feed(f"retry:{value}\ndata:x\n\n".encode())
    assert (only.retry, reader.retry) == (None, None)


def test_a_retry_stands_on_the_event_that_sets_it() -> None:
    reader = SseReader()
    first, second = reader.feed(b"retry:9\ndata:x\n\ndata:y\n\n")
    assert (first.retry, second.retry, reader.retry) == (9, None, 9)


def test_a_line_that_ends_in_cr_is_not_held_back() -> None:
    reader = SseReader()
    assert seen(reader.feed(b"data:x\r\r")) == messages(b"x")
    assert seen(reader.feed(b"\ndata:y\r\n\r")) == messages(b"y")
    assert reader.feed(b"\n\n") == []


LIMITED = {"max_line": 20, "max_event": 60, "max_lines": 5}


@pytest.mark.parametrize(
    ("stream", "reason"),
    [
        (b"data:" + b"x" * 16 + b"\n\n", "line is longer than 20"),
        (b"x" * 21, "line is longer than 20"),
        (b":" + b"x" * 20 + b"\n\n", "line is longer than 20"),
        (b"data:x\n" * 6 + b"\n", "more than 5 lines"),
        (b"data:" + b"x" * 15 + b"\n" + (b"id:" + b"x" * 17 + b"\n") * 2 + b"d\n\n", "larger than 60"),
    ],
)
def test_a_limit_passed_keeps_what_came_before_and_ends_the_stream(stream: bytes, reason: str) -> None:
    for step in (1, 7, 10_000):
        reader = SseReader(**LIMITED)
        whole = b"data:a\n\n" + stream
        got: list[Frame] = []
        with pytest.raises(StreamFault, match=reason) as caught:
            for at in range(0, len(whole), step):
                got += reader.feed(whole[at : at + step])
        assert seen(got + caught.value.frames) == messages(b"a")
        with pytest.raises(StreamFault, match=reason) as again:
            reader.feed(b"\n\ndata:b\n\n")
        assert again.value.frames == []


@pytest.mark.parametrize(
    ("head", "named"),
    [
        (b"id: 7\nevent: entry\n", ", in the event with id 7"),
        (b"id: 7\ndata: x\n\nevent: entry\n", ""),
        (b"id: 7\nid: \x1b[2J\n", ""),
        (b"id: " + b"7" * 17 + b"\n", ""),
        (b"id: 7\0\n", ""),
    ],
)
def test_an_event_past_the_limits_is_named_by_its_index(head: bytes, named: str) -> None:
    reader = SseReader(max_line=40)
    with pytest.raises(StreamFault) as caught:
        reader.feed(head + b"data: " + b"x" * 40)
    assert caught.value.reason == f"a line is longer than 40 octets{named}"


def test_the_limits_themselves_are_inside() -> None:
    reader = SseReader(**LIMITED)
    stream = b"data:" + b"x" * 15 + b"\n\n" + b"data:x\n" * 5 + b"\n" + (b"data:" + b"x" * 15 + b"\n") * 3 + b"\n"
    assert len(reader.feed(stream)) == 3


def test_comments_without_end_cost_nothing() -> None:
    reader = SseReader(**LIMITED)
    assert reader.feed(b": ping\n" * 1000) == []
    assert seen(reader.feed(b"data:x\n\n")) == messages(b"x")


def test_an_endless_line_is_not_kept() -> None:
    reader = SseReader()
    fed = 0
    with pytest.raises(StreamFault):
        for _ in range(1000):
            reader.feed(b"x" * 65_536)
            fed += 65_536
    assert fed < 2 * MAX_LEAF


def test_a_leaf_over_the_limit_still_passes_the_reader() -> None:
    """So that it is shown, by its index, as one that is too large."""
    leaf = b"x" * (MAX_LEAF + 1024)
    assert seen(SseReader().feed(frame("entry", leaf, 7))) == [("entry", leaf, "7")]


@given(
    st.lists(
        st.tuples(
            st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"]), min_size=1, max_size=9),
            st.binary(max_size=60).map(lambda data: data.replace(b"\r", b"")),
            st.none() | st.integers(0, 2**63),
        ),
        max_size=8,
    ),
    st.lists(st.integers(0, 900), max_size=8),
)
def test_what_frame_writes_the_reader_reads(events: list[tuple[str, bytes, int | None]], cuts: list[int]) -> None:
    stream = b"".join(frame(event, data, id) for event, data, id in events)
    edges = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    got, _ = read(*(stream[start:end] for start, end in pairwise(edges)))
    last: str | None = None
    expected = []
    for event, data, id in events:
        last = last if id is None else str(id)
        # One leading space belongs to the field, and `frame` writes it, so names keep their own.
        expected.append((event, data, last))
    assert got == expected


@pytest.mark.parametrize(("event", "data"), [("a\nb", b""), ("a\rb", b""), ("a", b"x\ry")])
def test_what_would_not_arrive_is_not_framed(event: str, data: bytes) -> None:
    with pytest.raises(ValueError, match="line ends"):
        frame(event, data)


@given(st.binary(max_size=400))
def test_any_octets_are_read_alike_whole_and_in_pieces(data: bytes) -> None:
    assert read(data) == read(*(data[at : at + 1] for at in range(len(data))))
