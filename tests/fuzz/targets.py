"""What is fuzzed, and from what inputs."""

from base64 import b64encode
from collections.abc import Callable
from datetime import UTC, datetime

from msgspec import Struct
from readers import BOM, LIMITS, LOG, envelope, note, proofs, stream, text

from mcpwatch.feed.envelope import encode, seal
from mcpwatch.feed.merkle import EMPTY_ROOT
from mcpwatch.model.entries import (
    AlertActed,
    Body,
    Data,
    End,
    GatewayStarted,
    GatewayStopped,
    Message,
    Principal,
    Request,
    Response,
    SilenceTerms,
    ToolCapture,
    UpstreamInfo,
)


class Target(Struct, frozen=True):
    """A reader, what its input looks like and what that is made of."""

    run: Callable[[bytes], None]
    seeds: tuple[bytes, ...]
    words: tuple[bytes, ...]


TIME = datetime(2026, 11, 22, 12, 0, 0, 120_000, UTC)
DATA: tuple[Data, ...] = (
    GatewayStarted(
        "1", "masked", (UpstreamInfo("a", "http://a/", "/a"),), "http://b", (ToolCapture("t", "full", "s"),)
    ),
    GatewayStopped("SIGTERM"),
    Request(
        "a", "POST", "http", "h", "/", "p:1", (("a", "b"),), Body(1, "00", "x", None, 1), "s", ("w",), None, ("body",)
    ),
    Request("a", "POST", "http", "h", "/", "p:1", (), None, principal=Principal("dpop", "00", "i", "s", ("a",), -1)),
    Response(1, 200, (("a", "b"),), "s", "counter"),
    Message(1, Body(2, "00", None, "AA==", sha512="00", truncated=True, encoding="gzip"), True, "e", "i", True),
    End(1, "denied", 5, 6, "reason", "rule"),
    AlertActed("a", "silenced", "me", "n", 1, "o", "k", "s", 1, "high", 2, SilenceTerms("*", "*", 9)),
)
LEAVES = tuple(encode(seal(index, LOG.key.origin, TIME, data)) for index, data in enumerate(DATA))
TARGETS = {
    "stream": Target(
        stream,
        (
            BOM + b"id: 1\nevent: entry\r\ndata: {}\r\rretry: 10\n: x\n\ndata\n\n",
            LOG.entry(0) + LOG.checkpoint(),
            BOM + b"x" * LIMITS[0],
        ),
        (
            b"\n",
            b"\r",
            b"\r\n",
            b"\0",
            b"\xff",
            b":",
            b": ",
            b"data",
            b"data: ",
            b"id: 1",
            b"id",
            b"event: e",
            b"retry: 9",
            b"x" * 64,
        ),
    ),
    "note": Target(
        note,
        (
            LOG.note(),
            LOG.note(2),
            LOG.note().partition(b"\n\n")[0] + b"\n",
            b"%b\n0\n%b\n" % (LOG.key.origin.encode(), b64encode(EMPTY_ROOT)),
        ),
        (
            b"\n",
            b"\n\n",
            "— ".encode(),
            b" ",
            b"+",
            b"=",
            b"A",
            b"AAAA",
            b"\x7f",
            b"\x00",
            b"\x85",
            b"0",
            b"9" * 19,
            LOG.note().splitlines(keepends=True)[-1],
        ),
    ),
    "envelope": Target(
        envelope,
        (*LEAVES, *(LEAVES[0].replace(b'"s"', server) for server in (b'""', b'"*"'))),
        (
            b'"',
            b"\\",
            b"\\u00e9",
            b"\\n",
            b",",
            b":",
            b"{}",
            b"[]",
            b"null",
            b"true",
            b"0",
            b"-1",
            b"1.0",
            b"1e0",
            b"01",
            b" ",
            b"\xff",
            b'"server":"*"',
            b'"path":""',
            b".000000",
            b"9007199254740992",
            b"+00:00",
            b"60",
        ),
    ),
    "proofs": Target(
        proofs,
        (bytes(16), bytes(range(16)), bytes([63, 40, 41, 9, 3, 2, 1, 5, 6, 4, 2, 0])),
        (b"\x3f", b"\x20", b"\x1f"),
    ),
    "text": Target(
        text,
        (
            "a\x1b[31m\u202e\u0301\u0301\u0301\u0301é漢\u200b\U0001f600\n".encode(),
            "漢字\ufe0f\u2800".encode("utf-16-le"),
        ),
        ("\u0301".encode(), "漢".encode(), b"\x1b", b"\x9b", b"\r\n", "\u202e".encode(), b"\xed\xa0\x80", b"a" * 40),
    ),
}
