"""A real gateway that writes synthetic entries into its log beside its calls, at a rate that calls cannot reach.

    python loaded_gateway.py STATE UPSTREAM LISTEN_PORT FEED_PORT RATE OCTETS STALL_SECONDS RING_ENTRIES FILE_LIMIT

OCTETS is the size of an entry's body. It prints one line of JSON once it listens. On its standard input `rate N`
changes the entries a second, `burst N` appends as many at once, and `unlimit` lifts FILE_LIMIT, the octets that a file
may have (0 for no limit). STATE/acked always holds the number of entries on the disk, 8 octets, big-endian.
"""

import asyncio
import json
import os
import resource
import sys
from itertools import count
from pathlib import Path

from mcpwatch.gateway import feed_server, ring
from mcpwatch.gateway.journal import Unwritable
from mcpwatch.gateway.listener import signalled
from mcpwatch.gateway.log import Log
from mcpwatch.gateway.options import GatewayOptions, parse_upstreams
from mcpwatch.gateway.run import Gateway
from mcpwatch.model.entries import Body, Message

TURN_S = 0.01


class Load:
    """Appends entries, each unlike any other of its run."""

    def __init__(self, log: Log, rate: float, octets: int) -> None:
        self.rate = rate
        self._log = log
        self._body = Body(size=octets, sha256="0" * 64, text="x" * octets)
        self._serial = count()

    def burst(self, entries: int) -> None:
        for _ in range(entries):
            self._log.append(Message(exchange=next(self._serial), body=self._body))

    async def run(self) -> None:
        clock = asyncio.get_running_loop().time
        due, then = 0.0, clock()
        while True:
            await asyncio.sleep(TURN_S)
            now = clock()
            due += (now - then) * self.rate
            then = now
            try:
                self.burst(int(due))
            except Unwritable:
                due = 0.0
            due -= int(due)


async def acknowledge(log: Log, path: Path) -> None:
    """Keep the number of entries that are on the disk where it outlives this process."""
    file = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
    while True:
        os.pwrite(file, log.size.to_bytes(8, "big"), 0)
        await log.news()


async def obey(load: Load) -> None:
    """Do what the standard input says."""
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    async for line in reader:
        word, *rest = line.decode().split()
        if word == "rate":
            load.rate = float(rest[0])
        elif word == "burst":
            load.burst(int(rest[0]))
        elif word == "unlimit":
            limit_files(resource.RLIM_INFINITY)


def limit_files(octets: int) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (octets, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))


async def main(state: Path, upstream: str, listen: int, feed: int, rate: float, octets: int) -> None:
    options = GatewayOptions(
        upstreams=parse_upstreams([upstream]), state=state, listen=("127.0.0.1", listen), feed=("127.0.0.1", feed)
    )
    gateway = Gateway(options)
    stopped = signalled()
    await gateway.start()
    load = Load(gateway.log, rate, octets)
    tasks = [asyncio.create_task(each) for each in (acknowledge(gateway.log, state / "acked"), obey(load), load.run())]
    addresses = json.dumps({"listen": gateway.listen_address, "feed": gateway.feed_address})
    print(f"{addresses}\n", end="", flush=True)
    reason = await stopped
    for task in tasks[1:]:
        task.cancel()
    await gateway.stop(reason)


if __name__ == "__main__":
    folder, server, listen_port, feed_port, entries_s, size, stall, held, limit = sys.argv[1:]
    feed_server.STALL_SECONDS = float(stall)
    ring.MAX_ENTRIES = int(held)
    if int(limit):
        limit_files(int(limit))
    asyncio.run(main(Path(folder), server, int(listen_port), int(feed_port), float(entries_s), int(size)))
