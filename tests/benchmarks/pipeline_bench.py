"""The whole watcher, from the octets of an event stream to the state.

Prints entries a second for each stream, which part of that is reading and, of signed ones, bare PyNaCl on the same
messages, and what a view costs; with `--stages` where the time goes, with `--memory` the memory after 100,000 and
after 1,000,000 entries.
"""

import argparse
import base64
import cProfile
import gc
import pstats
import resource
import tempfile
import time
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path

from _stages import by_stage
from build import Log
from nacl.signing import VerifyKey
from piped import ALICE, ListSource, signed
from rpc import LEGACY, call, result, text

from mcpwatch.feed.log import LogReader
from mcpwatch.feed.merkle import Frontier, leaf_hash
from mcpwatch.feed.note import LogKey, NoteVerifier
from mcpwatch.feed.sse import SseReader, frame
from mcpwatch.garbage import collect_seldom
from mcpwatch.model.entries import Entry, Request
from mcpwatch.watch.build import open_watcher
from mcpwatch.watch.query import parse
from mcpwatch.watch.view import View
from mcpwatch.watch.watcher import Watcher

ENTRIES = 12_000
ROUNDS = 3
CHUNK = 65_536
ORIGIN = "gateway.example/feed/1"
ANSWER = text("A line of a plain answer, such as tools give.\n" * 8)
HEADERS = {"accept": "application/json, text/event-stream", "mcp-protocol-version": LEGACY, "user-agent": "agent/1.0"}


def unsigned_calls(log: Log, number: int) -> None:
    """A whole exchange in one of a hundred sessions: four entries."""
    log.exchange(
        call(number, "read", path="/srv/data/report.txt"),
        result(number, ANSWER),
        session=f"s{number % 100}",
        headers=HEADERS,
    )


def signed_calls(log: Log, number: int) -> None:
    """A signed request and its answer: four entries."""
    asked = signed(log, call(number, "read", path="/srv/data/report.txt"), session=f"s{number % 100}")
    log.response(asked)
    log.message(asked, result(number, ANSWER))
    log.end(asked)


def signed_requests(log: Log, number: int) -> None:
    """A signed request and nothing else."""
    signed(log, call(number, "read", path="/srv/data/report.txt"), session=f"s{number % 100}")


STREAMS: dict[str, Callable[[Log, int], None]] = {
    "unsigned calls": unsigned_calls,
    "signed calls": signed_calls,
    "signed requests": signed_requests,
}


def play(play_one: Callable[[Log, int], None], entries: int) -> list[Entry]:
    """A log of that many entries, every session opened first, by the program that goes on with it."""
    log = Log(origin=ORIGIN, step=0.0001)
    for number in range(100):
        log.initialize(f"s{number}", headers=HEADERS if play_one is unsigned_calls else {})
    start = log.next
    number = 0
    while log.next - start < entries:
        play_one(log, number)
        number += 1
    return log.entries


def octets(entries: list[Entry], key: LogKey) -> list[bytes]:
    """The stream a gateway would send: a checkpoint after every 256 entries, in chunks as sockets give them."""
    stream, frontier = bytearray(), Frontier()
    for entry in entries:
        stream += frame("entry", entry.leaf, entry.index)
        frontier.append(leaf_hash(entry.leaf))
        if frontier.size % 256 == 0 or frontier.size == len(entries):
            stream += frame("checkpoint", key.sign_checkpoint(frontier.size, frontier.root(), 1_795_348_800))
    return [bytes(stream[at : at + CHUNK]) for at in range(0, len(stream), CHUNK)]


class Bench:
    """One watcher fed by hand."""

    def __init__(self, key: LogKey) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.watcher: Watcher = open_watcher([ListSource()], Path(self.folder.name))
        self.lane = self.watcher._pipeline.lanes[""]
        self.reader = LogReader("", "", NoteVerifier(key.verifier_key, key.time_verifier_key))
        self.decoder = SseReader()

    def read(self, chunks: list[bytes]) -> None:
        """Octets to proven entries, and no further."""
        for chunk in chunks:
            for event in self.decoder.feed(chunk):
                for _ in self.reader.take(event, 1_795_348_800.0):
                    pass

    def run(self, chunks: list[bytes]) -> None:
        """Octets to state."""
        take, lane = self.watcher._pipeline.take, self.lane
        for chunk in chunks:
            for event in self.decoder.feed(chunk):
                for entry in self.reader.take(event, 1_795_348_800.0):
                    take(lane, entry)


def best(make: Callable[[], Callable[[], None]]) -> float:
    """Seconds of CPU, best of several rounds; making is not counted."""
    times = []
    for _ in range(ROUNDS):
        work = make()
        gc.collect()
        begun = time.process_time()
        work()
        times.append(time.process_time() - begun)
    return min(times)


def bare(entries: list[Entry]) -> float:
    """Seconds that PyNaCl alone takes for every signature in these entries."""
    checks = list(_checks(entries))
    key = VerifyKey(ALICE.public)

    def verify() -> None:
        for message, signature in checks:
            key.verify(message, signature)

    return best(lambda: verify)


def _checks(entries: list[Entry]) -> Iterator[tuple[bytes, bytes]]:
    for entry in entries:
        record = entry.record
        if record is not None and isinstance(record.data, Request) and record.data.body is not None:
            headers = dict(record.data.headers)
            if "x-aip-signature" in headers:
                digest = sha256((record.data.body.text or "").encode()).hexdigest()
                message = f"POST:/mcp:{headers['x-aip-timestamp']}:{headers['x-aip-nonce']}:{digest}"
                yield message.encode(), base64.b64decode(headers["x-aip-signature"])


def measure(name: str, key: LogKey, profile: bool, stages: bool) -> None:
    """Measure one stream and print its line, then what was asked for besides."""
    entries = play(STREAMS[name], ENTRIES)
    chunks = octets(entries, key)

    def make() -> Callable[[], None]:
        bench = Bench(key)
        return lambda: bench.run(chunks)

    seconds = best(make)
    size = sum(map(len, chunks)) / len(entries)
    rate, each = len(entries) / seconds, seconds / len(entries) * 1e6
    reading = best(lambda: lambda: Bench(key).read(chunks))
    line = f"{name:16} {rate:9,.0f} entries/s  {each:6.1f} µs  {size:5.0f} octets each"
    line += f"  reading and proving the log alone: {reading / seconds:.2f} of it"
    if name.startswith("signed"):
        alone = bare(entries)
        line += f", PyNaCl {alone / seconds:.2f}"
    print(line)
    if stages:
        samples = by_stage(make())
        for stage, count in samples.most_common():
            print(f"  {stage:24} {count / samples.total() * each:6.1f} µs")
    if profile:
        profiler = cProfile.Profile()
        profiler.runcall(make())
        pstats.Stats(profiler).sort_stats("tottime").print_stats(35)


def views(key: LogKey) -> None:
    """What filtered views cost: each new entry, and a change of the filter over a full ring."""
    bench = Bench(key)
    chunks = octets(play(unsigned_calls, 50_000), key)
    shown = [View(bench.watcher.state), View(bench.watcher.state, parse("tool:read sig:uns | sev>=high"))]
    spent = 0.0
    for chunk in chunks:
        bench.run([chunk])
        begun = time.process_time()
        for view in shown:
            view.sync()
        spent += time.process_time() - begun
    held = len(bench.watcher.state.rows)
    print(f"two views        {spent / bench.watcher.state.counts.entries * 1e6:9.1f} µs an entry")
    for filter_text in ("tool:read", "sig:unsigned sev>=medium", "some words", "re:/plain.answer/"):
        begun = time.process_time()
        shown[1].set_query(parse(filter_text))
        print(f"filter {filter_text:24} {(time.process_time() - begun) * 1e3:7.0f} ms over {held:,} rows")


def memory(key: LogKey) -> None:
    """Resident memory while a million entries pass."""
    bench = Bench(key)
    log = Log(origin=ORIGIN, step=0.0001)
    frontier = Frontier()
    for number in range(250_000):
        start = len(log.entries)
        unsigned_calls(log, number)
        stream = bytearray()
        for entry in log.entries[start:]:
            stream += frame("entry", entry.leaf, entry.index)
            frontier.append(leaf_hash(entry.leaf))
        if number % 64 == 0:
            stream += frame("checkpoint", key.sign_checkpoint(frontier.size, frontier.root(), 1_795_348_800))
        log.entries.clear()
        bench.run([bytes(stream)])
        if number + 1 in (25_000, 50_000, 125_000, 250_000):
            print(f"{4 * (number + 1):9,} entries: {_resident():6.0f} MiB")


def _resident() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


def main() -> None:
    """Measure what is asked for, and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--profile", choices=list(STREAMS))
    parser.add_argument("--stages", action="store_true")
    parser.add_argument("--memory", action="store_true")
    options = parser.parse_args()
    collect_seldom()
    key = LogKey.generate(ORIGIN)
    if options.memory:
        memory(key)
        return
    for name in [options.profile] if options.profile else list(STREAMS):
        measure(name, key, profile=bool(options.profile), stages=options.stages)
    if not options.profile:
        views(key)


if __name__ == "__main__":
    main()
