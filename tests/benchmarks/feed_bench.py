"""How much a watched entry costs the feed, step by step."""

import time
from collections.abc import Callable
from datetime import UTC, datetime

from nacl.signing import SigningKey

from mcpwatch.feed.envelope import decode, encode, seal
from mcpwatch.feed.log import LogReader
from mcpwatch.feed.merkle import Frontier, leaf_hash
from mcpwatch.feed.note import LogKey, NoteVerifier
from mcpwatch.feed.sse import SseReader, frame
from mcpwatch.model.entries import Body, Request

ENTRIES = 40_000
EVERY = 256
ROUNDS = 3
KEY = LogKey.generate("bench.example/feed/1")
VERIFIER = NoteVerifier(KEY.verifier_key, KEY.time_verifier_key)
TIME = datetime(2026, 11, 22, 12, tzinfo=UTC)
BODY = '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"search","arguments":{"query":"weather"}}}'


def request(index: int) -> Request:
    """A call without a signature."""
    return Request(
        upstream="demo",
        method="POST",
        scheme="http",
        authority="127.0.0.1:8080",
        target="/mcp",
        peer=f"127.0.0.1:{40_000 + index % 20_000}",
        headers=(("content-type", "application/json"), ("mcp-method", "tools/call"), ("mcp-name", "search")),
        body=Body(size=len(BODY), sha256="0" * 64, text=BODY),
    )


def build() -> tuple[list[bytes], bytes]:
    """The leaves of a log and its stream."""
    frontier, leaves, events = Frontier(), list[bytes](), list[bytes]()
    for index in range(ENTRIES):
        leaves.append(encode(seal(index, KEY.origin, TIME, request(index))))
        frontier.append(leaf_hash(leaves[-1]))
        events.append(frame("entry", leaves[-1], index))
        if (index + 1) % EVERY == 0:
            note = KEY.sign_checkpoint(index + 1, frontier.root(), 1_795_348_800)
            events.append(frame("checkpoint", note.removesuffix(b"\n")))
    return leaves, b"".join(events)


def best(run: Callable[[], None]) -> float:
    """Microseconds an entry in the best of some rounds."""
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return min(times) / ENTRIES * 1e6


def main() -> None:
    """Measure each step and print."""
    leaves, stream = build()
    hashes = [leaf_hash(leaf) for leaf in leaves]

    def read_whole(size: int) -> None:
        reader, sse = LogReader("", "", VERIFIER), SseReader()
        reader.connected(0.0)
        for at in range(0, len(stream), size):
            for each in sse.feed(stream[at : at + size]):
                reader.take(each, 0.0)
        assert reader.status.verified_size == ENTRIES // EVERY * EVERY, reader.status

    def read_frames() -> None:
        sse = SseReader()
        for at in range(0, len(stream), 65_536):
            sse.feed(stream[at : at + 65_536])

    def append_all() -> None:
        frontier = Frontier()
        for each in hashes:
            frontier.append(each)

    def verify_all() -> None:
        key, message = SigningKey.generate(), leaves[0]
        verify, signature = key.verify_key.verify, key.sign(leaves[0]).signature
        for _ in range(ENTRIES):
            verify(message, signature)

    def hash_all() -> None:
        for leaf in leaves:
            leaf_hash(leaf)

    def decode_all() -> None:
        for leaf in leaves:
            decode(leaf)

    steps: dict[str, Callable[[], None]] = {
        "leaf hash": hash_all,
        "frontier append": append_all,
        "decode, canonical check": decode_all,
        "frames from 64 KiB chunks": read_frames,
        "stream to entries, 64 KiB chunks": lambda: read_whole(65_536),
        "stream to entries, 600 octet chunks": lambda: read_whole(600),
        "one bare Ed25519 verify, for scale": verify_all,
    }
    print(f"{ENTRIES} entries of {len(leaves[0])} octets, a checkpoint each {EVERY}, best of {ROUNDS}")
    for name, run in steps.items():
        each = best(run)
        print(f"{name:38} {each:8.2f} µs {1e6 / each:12,.0f} /s")


if __name__ == "__main__":
    main()
