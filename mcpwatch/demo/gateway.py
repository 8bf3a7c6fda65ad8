"""Run the demo's gateway in a process of its own: `python -m mcpwatch.demo.gateway OPTIONS`, a JSON file of `Options`.

One JSON line, `Addresses`, says where it is. It stops in good order when its parent does not want it any more.
"""

import asyncio
import logging
import sys
from pathlib import Path

import msgspec
from msgspec import Struct

from mcpwatch.demo import lifeline
from mcpwatch.garbage import collect_seldom
from mcpwatch.gateway.options import GatewayOptions
from mcpwatch.gateway.run import Gateway
from mcpwatch.model.entries import Capture, UpstreamInfo

_ANY = ("127.0.0.1", 0)


class Options(Struct, frozen=True):
    """What it is to do."""

    state: str
    upstreams: tuple[UpstreamInfo, ...]
    capture: Capture


class Addresses(Struct, frozen=True):
    """Where agents and watchers find it."""

    listen: str
    feed: str


async def serve(options: Options) -> None:
    """Be the gateway until the parent has had enough of it."""
    state = Path(options.state)
    gateway = Gateway(
        GatewayOptions(upstreams=options.upstreams, state=state, listen=_ANY, feed=_ANY, capture=options.capture)
    )
    await gateway.start()
    print(msgspec.json.encode(Addresses(gateway.listen_address, gateway.feed_address)).decode(), flush=True)
    await asyncio.to_thread(lifeline.cut)
    await gateway.stop("the demo ended", grace=0)


if __name__ == "__main__":
    lifeline.tie()
    logging.disable(logging.ERROR)
    collect_seldom()
    asyncio.run(serve(msgspec.json.decode(Path(sys.argv[1]).read_bytes(), type=Options)))
