"""Our readers of hostile octets, each held against its reference, for any octets.

A function returns without a word where both agree, and raises AssertionError or whatever escaped where not.
"""

from base64 import b64encode
from collections.abc import Callable
from itertools import pairwise

from envelope_reference import is_entry
from nacl.signing import SigningKey
from note_reference import open_note, parse_key, take_apart
from stream_reference import Event, parse_stream, within
from text_reference import cells, shown
from tiny_log import TinyLog
from tree_reference import consistency, grown, included, inclusion, tree_hash

from mcpwatch.feed.envelope import Malformed, decode, encode
from mcpwatch.feed.merkle import HASH_SIZE, Frontier, leaf_hash, node_hash
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
