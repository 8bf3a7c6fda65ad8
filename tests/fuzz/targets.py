"""What is fuzzed: each target holds one of our readers against its reference, for any octets.

A target returns without a word where both agree, and raises AssertionError or whatever escaped where not.
"""

from base64 import b64encode
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import pairwise

from envelope_reference import is_entry
from msgspec import Struct
from nacl.signing import SigningKey
from note_reference import open_note, parse_key, take_apart
from stream_reference import Event, parse_stream, within
from text_reference import cells, shown
from tiny_log import TinyLog
from tree_reference import consistency, grown, included, inclusion, tree_hash

from mcpwatch.feed.envelope import Malformed, decode, encode, seal
from mcpwatch.feed.merkle import EMPTY_ROOT, HASH_SIZE, Frontier, leaf_hash, node_hash
from mcpwatch.feed.note import BadNote, Note
from mcpwatch.feed.proofs import (
    BadProof,
    frontier_at,
    prove_consistency,
    prove_inclusion,
    verify_consistency,
    verify_inclusion,
)
from mcpwatch.feed.sse import Frame, SseReader, StreamFault
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
from mcpwatch.text import show

BOM = b"\xef\xbb\xbf"
LIMITS = (64, 128, 8)
"""Octets of a line and of an event, and lines of an event, so small that a few octets pass them."""
MAX_TREE = 64
TREE = [bytes([number]) for number in range(MAX_TREE)]
SEED = 7
"""Of the log's first key; the second has the next."""
LOG = TinyLog("example.com/fuzz", seed=SEED)
LOG.grow(3)
KEYS = (parse_key(LOG.key.verifier_key), parse_key(LOG.key.time_verifier_key))


def stream(octets: bytes) -> None:
    """Server-sent events, whole and in pieces, and their limits."""
    expected = parse_stream(octets)
    for size in (len(octets) + 1, 1, 3):
        reader = SseReader()
        frames = [frame for part in parts(octets, size) for frame in reader.feed(part)]
        assert tuple(event(frame) for frame in frames) == expected.events
        assert reader.retry == expected.retry
        assert limited(parts(octets, size)) == within(octets, *LIMITS)


def parts(octets: bytes, size: int) -> list[bytes]:
    return [octets[at : at + size] for at in range(0, len(octets), size)]


def event(frame: Frame) -> Event:
    return Event(frame.event, frame.data, frame.id or "")


def limited(pieces: list[bytes]) -> bool:
    """Whether a reader with the small limits takes it all."""
    reader = SseReader(*LIMITS)
    try:
        for piece in pieces:
            reader.feed(piece)
    except StreamFault:
        return False
    return True


def note(octets: bytes) -> None:
    """Signed notes: as they come, and as what a log would have signed."""
    try:
        parsed = Note.parse(octets)
        parts = (parsed.text, parsed.signatures)
    except BadNote:
        parts = None
    assert parts == take_apart(octets)
    opened(octets)
    opened(signed(octets))


def opened(octets: bytes) -> None:
    try:
        found = LOG.verifier.open(octets)
        checkpoint = (found.size, found.root, found.time)
    except BadNote:
        checkpoint = None
    assert checkpoint == open_note(octets, *KEYS)


def signed(text: bytes) -> bytes:
    """A note of this text under both keys of the log."""
    time = bytes(7) + b"\x01"
    cosigned = b"cosignature/v1\ntime 1\n" + text
    plain, timed = (
        SigningKey(bytes([seed]) * 32).sign(message).signature for seed, message in ((SEED, text), (SEED + 1, cosigned))
    )
    octets = (KEYS[0].id + plain, KEYS[1].id + time + timed)
    lines = (f"— {key.name} {b64encode(each).decode()}\n" for key, each in zip(KEYS, octets, strict=True))
    return text + b"\n" + "".join(lines).encode()


def envelope(octets: bytes) -> None:
    """Leaves: what is taken is exactly what is in canonical form."""
    try:
        record = decode(octets)
    except Malformed:
        assert not is_entry(octets)
    else:
        assert is_entry(octets)
        assert encode(record) == octets


def text(octets: bytes) -> None:
    """The text door: what it lets through, and that it lets it through again."""
    even = octets[: len(octets) // 2 * 2]
    for given in (octets.decode("utf-8", "surrogateescape"), even.decode("utf-16-le", "surrogatepass")):
        safe = show(given)
        assert safe == shown(given)
        assert show(safe) == safe
        for width in (0, 1, 7, 80):
            assert_cut(show(given, width), given, width)


def assert_cut(drawn: str, given: str, width: int) -> None:
    """All of it where it fits; else the longest beginning that does, and an ellipsis."""
    assert cells(drawn) <= width
    limit = 4 * width + 64
    whole = shown(given if len(given) <= limit else given[:limit] + "…")
    if cells(whole) <= width:
        assert drawn == whole
    elif width:
        assert drawn.endswith("…") and whole.startswith(drawn[:-1])
        assert cells(drawn) + cells(whole[len(drawn) - 1]) > width


def proofs(octets: bytes) -> None:
    """Proofs: made as the recursive definitions say, and believed only where those lead to the root."""
    if len(octets) < 4:
        return
    n, *rest = octets
    n = 1 + n % MAX_TREE
    m, claimed, other = rest[0] % n, rest[1], 1 + rest[2] % MAX_TREE
    leaves, first = TREE[:n], m + 1
    assert prove_inclusion(m, n, node) == inclusion(m, leaves)
    assert prove_consistency(first, n, node) == consistency(first, leaves)
    assert Frontier.load(n, frontier_at(n, node)).root() == tree_hash(leaves)

    path = altered(inclusion(m, leaves), octets[4:])
    leaf, index = leaf_hash(TREE[m]), claimed % (n + 1)
    for size, root in ((n, tree_hash(leaves)), (other, tree_hash(TREE[:other]))):
        for at in (m, index):
            leads = included(leaf, at, size, path) if at < size and sound(*path) else None
            assert holds(verify_inclusion, leaf, at, size, path, root) == (leads == root)

    path = altered(consistency(first, leaves), octets[4:])
    for size in (n, other):
        before, after = tree_hash(TREE[:first]), tree_hash(TREE[:size])
        roots = None
        if first <= size and sound(*path):
            is_whole = first & (first - 1) == 0 or first == size
            roots = grown(first, size, path, before if is_whole else None)
        assert holds(verify_consistency, first, size, before, after, path) == (roots == (before, after))


def node(level: int, index: int) -> bytes:
    """The perfect subtrees of the tree."""
    return tree_hash(TREE[index << level : (index + 1) << level])


def altered(path: list[bytes], edits: bytes) -> list[bytes]:
    """The path after these edits: two octets each, what and where."""
    for what, where in pairwise(edits[:8]):
        at = where % (len(path) + 1)
        changed = EDITS[what % len(EDITS)](path[at : at + 1])
        path = [*path[:at], *changed, *path[at + 1 :]]
    return path


EDITS: tuple[Callable[[list[bytes]], list[bytes]], ...] = (
    lambda here: here,
    lambda here: [],
    lambda here: here + here,
    lambda here: [bytes([each[0] ^ 1]) + each[1:] for each in here],
    lambda here: [each[:-1] for each in here],
    lambda here: [node_hash(each, each) for each in here],
    lambda here: [leaf_hash(b""), *here],
)


def sound(*hashes: bytes) -> bool:
    return all(len(each) == HASH_SIZE for each in hashes)


def holds(verify: Callable[..., None], *claim: object) -> bool:
    try:
        verify(*claim)
    except BadProof:
        return False
    return True


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
