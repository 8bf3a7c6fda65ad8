"""The 31 event-stream cases, cut at every place, and the limits."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct

from mcpwatch.feed.envelope import MAX_LEAF
from mcpwatch.feed.sse import Frame, SseReader, StreamFault, frame, is_event_stream

BOM = b"\xef\xbb\xbf"
LONG = b"x" * 2048


class Case(Struct, frozen=True):
    name: str
    stream: bytes
    events: list[tuple[str, bytes, str | None]]
    retry: int | None = None


def messages(*data: bytes, id: str | None = None) -> list[tuple[str, bytes, str | None]]:
    return [("message", each, id) for each in data]


CASES = [
    Case("bom", BOM + b"data:1\n\n" + BOM + b"data:2\n\ndata:3\n\n", messages(b"1", b"3")),
    Case("two boms", BOM + BOM + b"data:1\n\ndata:2\n\ndata:3\n\n", messages(b"2", b"3")),
    Case(
        "comments",
        b"data:1\r:\0\n:\r\ndata:2\n:" + LONG + b"\rdata:3\n:data:fail\r:" + LONG + b"\ndata:4\n\n",
        messages(b"1\n2\n3\n4"),
    ),
    Case("unfinished", b"retry:1000\ndata:test1\n\nid:test\ndata:test2", messages(b"test1"), retry=1000),
    Case("data", b"data:\n\ndata\ndata\n\ndata:test\n\n", messages(b"", b"\n", b"test")),
    Case("event", b"event:test\ndata:x\n\ndata:x\n\n", [("test", b"x", None), ("message", b"x", None)]),
    Case("event empty", b"event: \ndata:data\n\n", messages(b"data")),
    Case("id", b"id: 1\ndata:a\n\n", messages(b"a", id="1")),
    Case("id of more than ASCII", "id: …\ndata:a\n\n".encode(), messages(b"a", id="…")),
    Case(
        "id persists, changes, resets",
        b"id: 1\ndata:a\n\ndata:b\n\nid: 2\ndata:c\n\nid:\ndata:d\n\nid: 3\ndata:e\n\nid\ndata:f\n\n",
        [
            *messages(b"a", b"b", id="1"),
            *messages(b"c", id="2"),
            *messages(b"d"),
            *messages(b"e", id="3"),
            *messages(b"f"),
        ],
    ),
    Case("id with NUL", b"id: a\ndata:1\n\nid: b\0c\ndata:2\n\n", messages(b"1", b"2", id="a")),
    Case(
        "field parsing",
        b"data:\0\ndata:  2\rData:1\ndata\0:2\ndata:1\r\0data:4\nda-ta:3\rdata_5\ndata:3\r"
        b"data:\r\n data:32\ndata:4\n\n",
        messages(b"\0\n 2\n1\n3\n\n4"),
    ),
    Case("retry", b"retry:03000\ndata:x\n\n", messages(b"x"), retry=3000),
    Case("retry bogus", b"retry:3000\nretry:1000x\ndata:x\n\n", messages(b"x"), retry=3000),
    Case("retry empty", b"retry:3000\n\nretry\ndata:test\n\n", messages(b"test"), retry=3000),
    Case(
        "unknown fields",
        b"data:test\n data\ndata\nfoobar:xxx\njustsometext\n:thisisacommentyay\ndata:test\n\n",
        messages(b"test\n\ntest"),
    ),
    Case("leading space", b"data:\ttest\rdata: \ndata:test\n\n", messages(b"\ttest\n\ntest")),
    Case("line ends", b"data:test\r\ndata\ndata:test\r\n\r", messages(b"test\n\ntest")),
    Case("null character", b"data:\0\n\n\n\n", messages(b"\0")),
    Case("utf-8", "data:ok…\n\n".encode(), messages("ok…".encode())),
    Case("event only", b"event:test\n\ndata:x\n\n", messages(b"x")),
    Case("id only", b"id:7\n\ndata:x\n\n", messages(b"x", id="7")),
    Case("retry only", b"retry:500\n\n", [], retry=500),
    Case("pings after an id", b"id:1\ndata:x\n\n: ping\n\n: ping\n\n", messages(b"x", id="1")),
    Case("blank lines after an id", b"id:1\ndata:x\n\n\n\n\n", messages(b"x", id="1")),
    Case(
        "line ends of other standards",
        "data:a\u2028b\u2029c\u0085d\x0be\x0cf\x1cg\x1dh\x1ei\n\n".encode(),
        messages("a\u2028b\u2029c\u0085d\x0be\x0cf\x1cg\x1dh\x1ei".encode()),
    ),
    Case("CR only", b"data:a\rdata:b\r\rdata:c\r\r", messages(b"a\nb", b"c")),
    Case(
        "not UTF-8",
        b"data:\xff\xc3(\xed\xa0\x80\nevent:\xff\n\n",
        [("\ufffd", b"\xff\xc3(\xed\xa0\x80", None)],
    ),
]

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


def seen(frames: list[Frame]) -> list[tuple[str, bytes, str | None]]:
    return [(each.event, each.data, each.id) for each in frames]


def read(*chunks: bytes) -> tuple[list[tuple[str, bytes, str | None]], int | None]:
    reader = SseReader()
    frames = [each for chunk in chunks for each in reader.feed(chunk)]
    return seen(frames), reader.retry


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_stream_means_the_same_however_it_is_cut(case: Case) -> None:
    expected = (case.events, case.retry)
    assert read(case.stream) == expected
    assert read(*(case.stream[at : at + 1] for at in range(len(case.stream)))) == expected
    for at in range(len(case.stream) + 1):
        assert read(case.stream[:at], b"", case.stream[at:]) == expected


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
