"""A log small enough to hold in the hand, and what a gateway sends of it."""

from datetime import UTC, datetime

from nacl.signing import SigningKey

from mcpwatch.feed.envelope import encode, seal
from mcpwatch.feed.merkle import Frontier, leaf_hash, node_hash
from mcpwatch.feed.note import LogKey, NoteVerifier
from mcpwatch.feed.proof_answers import ConsistencyAnswer
from mcpwatch.feed.proofs import frontier_at, prove_consistency
from mcpwatch.feed.sse import Frame, SseReader, frame
from mcpwatch.model.entries import Data, Response

ORIGIN = "gateway.example/feed/1"
START = 1_795_348_800
"""2026-11-22T12:00:00Z, when every log here begins."""


def log_key(origin: str = ORIGIN, seed: int = 0) -> LogKey:
    return LogKey(origin, SigningKey(bytes([seed]) * 32), SigningKey(bytes([seed + 1]) * 32))


class TinyLog:
    """A log in memory; its time runs with its entries, one second each."""

    def __init__(self, origin: str = ORIGIN, seed: int = 0) -> None:
        self.key = log_key(origin, seed)
        self.leaves: list[bytes] = []
        self.frontier = Frontier()

    @property
    def verifier(self) -> NoteVerifier:
        return NoteVerifier(self.key.verifier_key, self.key.time_verifier_key)

    @property
    def size(self) -> int:
        return len(self.leaves)

    def add(self, data: Data | None = None, leaf: bytes | None = None) -> bytes:
        """Append one entry and give its event."""
        index = self.size
        time = datetime.fromtimestamp(START + index, UTC)
        content = data or Response(exchange=index, status=200, headers=())
        self.leaves.append(encode(seal(index, self.key.origin, time, content)) if leaf is None else leaf)
        self.frontier.append(leaf_hash(self.leaves[-1]))
        return self.entry(index)

    def entry(self, index: int) -> bytes:
        return frame("entry", self.leaves[index], index)

    def note(self, size: int | None = None, time: int | None = None) -> bytes:
        """The signed note for the log as it was at `size`."""
        size = self.size if size is None else size
        return self.key.sign_checkpoint(size, self.at(size).root(), START + size if time is None else time)

    def at(self, size: int) -> Frontier:
        if size == self.size:
            return self.frontier
        frontier = Frontier()
        for leaf in self.leaves[:size]:
            frontier.append(leaf_hash(leaf))
        return frontier

    def node(self, level: int, index: int) -> bytes:
        """The hash of a perfect subtree, as `mcpwatch.feed.proofs` asks for it."""
        begin, end = index << level, (index + 1) << level
        assert end <= self.size
        hashes = [leaf_hash(leaf) for leaf in self.leaves[begin:end]]
        while len(hashes) > 1:
            hashes = [node_hash(*pair) for pair in zip(hashes[::2], hashes[1::2], strict=True)]
        return hashes[0]

    def consistency(self, first: int, second: int | None = None) -> ConsistencyAnswer:
        """The proof that this log goes on from its first entries."""
        second = self.size if second is None else second
        return ConsistencyAnswer(
            first=first,
            second=second,
            frontier=tuple(frontier_at(first, self.node)),
            hashes=tuple(prove_consistency(first, second, self.node)),
        )

    def checkpoint(self, size: int | None = None, time: int | None = None) -> bytes:
        """The checkpoint's event."""
        return frame("checkpoint", self.note(size, time).removesuffix(b"\n"))

    def grow(self, entries: int, every: int = 0) -> list[bytes]:
        """The events of `entries` more entries, with a checkpoint after each `every`, if not 0."""
        events = []
        for count in range(1, entries + 1):
            events.append(self.add())
            if every and count % every == 0:
                events.append(self.checkpoint())
        return events


def frames(*events: bytes) -> list[Frame]:
    """The events as a reader of the stream gets them."""
    reader = SseReader()
    return [each for event in events for each in reader.feed(event)]
