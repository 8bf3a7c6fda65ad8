"""Serve all of the demo's MCP servers on loopback ports of their own; print where, as one JSON line."""

import asyncio
import contextlib
import json
import logging
import socket
from collections.abc import Generator

import uvicorn

from mcpwatch.demo import lifeline
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


async def serve() -> None:
    """Serve until the process ends."""
    sockets = {name: listener() for name in SERVERS}
    # The SDK sets up logging for each server it makes, so quieten it last.
    apps = {name: make() for name, make in SERVERS.items()}
    logging.disable(logging.WARNING)
    print(
        json.dumps({name: f"http://127.0.0.1:{bound.getsockname()[1]}" for name, bound in sockets.items()}), flush=True
    )
    configs = {name: uvicorn.Config(app, log_config=None, access_log=False) for name, app in apps.items()}
    await asyncio.gather(*(Server(configs[name]).serve([bound]) for name, bound in sockets.items()))


if __name__ == "__main__":
    lifeline.hold()
    asyncio.run(serve())
