"""A gateway under load and the watchers that prove its log, each in a process of its own."""

import json
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from hashlib import sha256
from pathlib import Path

import msgspec
from processes import DEADLINE_S, Process
from proving_watcher import Shown, digest_on
from rig import answer, leaves, ok, scripted

HERE = Path(__file__).parent
OCTETS = 200
"""Of an entry's body; its leaf has some 400."""
STALL_S = 10.0
RING = 8_192
STUCK = ("BROKEN", "ROLLBACK", "REFUSED", "ENDED", "UNPROVEN")


class LoadedGateway:
    """`loaded_gateway.py`, over as many starts as it takes."""

    def __init__(self, state: Path, upstream: str, *settings: float) -> None:
        """`settings` are the process's last arguments."""
        self.state = state
        self.process: Process
        self.listen = self.feed = ""
        self._upstream = upstream
        self._settings = tuple(str(each) for each in settings)
        self._ports = ("0", "0")

    async def start(self) -> None:
        """Start it, again where it was."""
        words = (str(HERE / "loaded_gateway.py"), str(self.state), self._upstream, *self._ports, *self._settings)
        self.process = await Process.run(sys.executable, *words, stdin=subprocess.PIPE)
        # Log lines come among the others.
        said = json.loads("{" + await self.process.line("{"))
        self.listen, self.feed = said["listen"], said["feed"]
        self._ports = (self.listen.rpartition(":")[2], self.feed.rpartition(":")[2])

    @property
    def acked(self) -> int:
        """Entries that it had on the disk when it last looked."""
        return int.from_bytes((self.state / "acked").read_bytes(), "big")

    @property
    def resident(self) -> int:
        """Octets of memory."""
        return resident(self.process.pid)


class ProvingWatcher:
    """`proving_watcher.py`, over as many starts as it takes; it pins in one state folder."""

    def __init__(self, gateway: LoadedGateway, state: Path) -> None:
        self.process: Process
        self._gateway = gateway
        self._state = state
        self._lines: list[list[str]] = []

    async def start(self) -> None:
        token = self._gateway.state / "gateway" / "feed.token"
        command = (sys.executable, str(HERE / "proving_watcher.py"), self._gateway.feed, str(token), str(self._state))
        self.process = await Process.run(*command)
        self._lines.append(self.process.lines)

    @property
    def shown(self) -> Shown | None:
        """What it said last since it was started."""
        return parse(self.process.lines[-1]) if self.process.lines else None

    async def until(self, wanted: Callable[[Shown], bool], deadline: float = DEADLINE_S) -> Shown:
        """Wait until it says what is wanted, and return that."""

        def holds(lines: list[str]) -> bool:
            return bool(lines) and wanted(parse(lines[-1]))

        return parse((await self.process.until(holds, deadline))[-1])

    def all(self) -> list[Shown]:
        """All that it ever said, killed or not."""
        return [parse(line) for lines in self._lines for line in lines]


@asynccontextmanager
async def loaded(
    state: Path,
    rate: float,
    *,
    octets: int = OCTETS,
    stall_s: float = STALL_S,
    ring: int = RING,
    file_limit: int = 0,
) -> AsyncIterator[LoadedGateway]:
    """A gateway that writes `rate` entries a second, before a server that answers at once."""
    async with scripted(answer(ok(b'{"jsonrpc":"2.0","id":1,"result":{}}'))) as server:
        gateway = LoadedGateway(state, server.url, rate, octets, stall_s, ring, file_limit)
        try:
            await gateway.start()
            yield gateway
        finally:
            await gateway.process.end(signal.SIGKILL)


@asynccontextmanager
async def watching(gateway: LoadedGateway, state: Path) -> AsyncIterator[ProvingWatcher]:
    watcher = ProvingWatcher(gateway, state)
    await watcher.start()
    try:
        yield watcher
    finally:
        await watcher.process.end(signal.SIGKILL)


def parse(line: str) -> Shown:
    return msgspec.json.decode(line, type=Shown)


def resident(pid: int) -> int:
    """Octets of memory of a process."""
    return 1024 * int(subprocess.run(["ps", "-o", "rss=", "-p", str(pid)], capture_output=True, check=True).stdout)


def assert_nothing_lost(gateway: LoadedGateway, *watchers: ProvingWatcher) -> int:
    """Hold all that the watchers ever said against the journal of the stopped gateway; returns its size.

    Each was shown, at every moment, exactly the journal's first entries, each once and in order, and verified
    roots that are the journal's.
    """
    journal = leaves(gateway.state)
    digests = [bytes(32)]
    for index, leaf in enumerate(journal):
        digests.append(digest_on(digests[-1], index, leaf))
    for watcher in watchers:
        said = watcher.all()
        assert said
        assert [each for each in said if each.state in STUCK or each.gaps] == []
        assert [each for each in said if each.digest != digests[each.count].hex()] == []
        last = said[-1]
        assert last.root == root_of(journal[: last.verified]).hex()
    return len(journal)


def root_of(journal: list[bytes]) -> bytes:
    """The Merkle tree hash, as RFC 9162 section 2.1.1 defines it."""
    if not journal:
        return sha256(b"").digest()
    level = [sha256(b"\x00" + leaf).digest() for leaf in journal]
    while len(level) > 1:
        # A node without a sibling goes up as it is, which is what splitting at a power of two comes to.
        pairs = [sha256(b"\x01" + left + right).digest() for left, right in zip(level[::2], level[1::2], strict=False)]
        level = pairs + level[len(pairs) * 2 :]
    return level[0]
