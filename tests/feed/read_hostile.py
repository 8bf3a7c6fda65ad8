"""Run as a process of its own: read each feed named on the command line to its end, and tell of it in JSON lines.

Reads one well-behaved connection, then holds itself to the memory it has by then and 64 MiB more.
"""

import asyncio
import json
import re
import resource
import sys
from pathlib import Path

from tiny_log import START

from mcpwatch.feed.subscriber import HttpSource
from mcpwatch.model.entries import Entry
from mcpwatch.model.feed import FeedState
from mcpwatch.secret import Secret

ROOM = 64 * 2**20
ENDS = (FeedState.REFUSED, FeedState.DISCONNECTED)


def size(field: str) -> int:
    """Octets of memory by the kernel's word: VmHWM is the most that was ever resident."""
    found = re.search(rf"^{field}:\s+(\d+) kB", Path("/proc/self/status").read_text(), re.MULTILINE)
    assert found is not None
    return int(found[1]) * 1024


async def read(address: str) -> dict[str, object]:
    source = HttpSource(address, Secret("token"), clock=lambda: float(START), sleep=lambda _: asyncio.sleep(0))
    entries: list[Entry] = []
    before = 0
    ends: list[tuple[FeedState, str]] = []
    told: tuple[FeedState, str] | None = None
    async for batch in source.batches():
        entries += batch
        last, told = told, (source.status.state, source.status.detail)
        if told == last or told[0] not in ENDS:
            continue
        ends.append(told)
        if len(ends) == 2:
            break
        # Begins the count of VmHWM anew.
        Path("/proc/self/clear_refs").write_text("5")
        before = size("VmHWM")
        resource.setrlimit(resource.RLIMIT_AS, (size("VmSize") + ROOM, resource.RLIM_INFINITY))
    status = source.status
    await source.close()
    return {
        "state": ends[-1][0].value,
        "says": ends[-1][1],
        "grown": size("VmHWM") - before,
        "entries": [entry.index for entry in entries],
        "faults": [entry.fault for entry in entries],
        "verified": status.verified_size,
    }


async def main() -> None:
    for address in sys.argv[1:]:
        print(json.dumps(await read(address)), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
