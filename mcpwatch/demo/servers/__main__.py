"""Serve the demo's MCP servers and registry: `python -m mcpwatch.demo.servers REGISTERED`.

REGISTERED is a file with a JSON object of identities and their keys in base64. Each server takes a loopback port of its
own; one JSON line says where they are.
"""

import asyncio
import contextlib
import json
import logging
import socket
import sys
import warnings
from collections.abc import Generator, Mapping
from pathlib import Path

import uvicorn

from mcpwatch.demo import lifeline
from mcpwatch.demo.servers import REGISTRY, registry
from mcpwatch.demo.servers.table import SERVERS


class Server(uvicorn.Server):
    """A server that leaves signals to the process: several share one."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


def listener() -> socket.socket:
    """A listening socket on a free loopback port; clients may connect before anybody accepts."""
    bound = socket.create_server(("127.0.0.1", 0))
    bound.setblocking(False)
    return bound


async def serve(registered: Mapping[str, str]) -> None:
    """Serve until the process ends."""
    apps = {name: make() for name, make in SERVERS.items()} | {REGISTRY: registry.app(registered)}
    # The SDK sets up logging for each server it makes, so quieten it last.
    logging.disable(logging.ERROR)
    sockets = {name: listener() for name in apps}
    addresses = {name: f"http://127.0.0.1:{bound.getsockname()[1]}" for name, bound in sockets.items()}
    print(json.dumps(addresses), flush=True)
    configs = {name: uvicorn.Config(app, log_config=None, access_log=False) for name, app in apps.items()}
    await asyncio.gather(*(Server(configs[name]).serve([bound]) for name, bound in sockets.items()))


if __name__ == "__main__":
    lifeline.hold()
    warnings.simplefilter("ignore")
    asyncio.run(serve(json.loads(Path(sys.argv[1]).read_bytes())))
