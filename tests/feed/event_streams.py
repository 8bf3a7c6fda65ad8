"""The event-stream cases that any reader of server-sent events has to get right (WHATWG HTML, section 9.2)."""

from msgspec import Struct

from mcpwatch.feed.sse import Frame

BOM = b"\xef\xbb\xbf"
LONG = b"x" * 2048


Seen = tuple[str, bytes, str | None]
"""Name, data and last event id of an event."""


class Case(Struct, frozen=True):
    """An answer of another end, and what it means."""

    name: str
    stream: bytes
    events: list[Seen] | None
    """None where the answer is not an event stream."""
    retry: int | None = None
    content_type: str = "text/event-stream"
    differs: str = ""
    """Why it means something else here than by the standard, where it does."""


def messages(*data: bytes, id: str | None = None) -> list[Seen]:
    """Events that the stream gives no name."""
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
    Case("media type bogus", b"data:x\n\n", None, content_type="x%20bogus"),
    Case("media type ends in a semicolon", b"data:x\n\n", messages(b"x"), content_type="text/event-stream;"),
    Case("media type with a bogus parameter", b"data:x\n\n", messages(b"x"), content_type="text/event-stream;x=bogus"),
    Case("line ends", b"data:test\r\ndata\ndata:test\r\n\r", messages(b"test\n\ntest")),
    Case("null character", b"data:\0\n\n\n\n", messages(b"\0")),
    Case(
        "utf-8",
        "data:ok…\n\n".encode(),
        messages("ok…".encode()),
        content_type="text/event-stream;charset=windows-1252",
    ),
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
        differs="the standard puts U+FFFD into the data; a leaf is hashed as octets, so they stay, and the leaf "
        "that is not UTF-8 is then refused as malformed",
    ),
]


def seen(frames: list[Frame]) -> list[Seen]:
    """What was dispatched, without the retry times."""
    return [(each.event, each.data, each.id) for each in frames]
