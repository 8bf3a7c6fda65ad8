"""Serve the demo's MCP servers, registry and key directory: `python -m mcpwatch.demo.servers PROPS`.

PROPS is a JSON file of `Props`. Each server takes a loopback port of its own; one JSON line says where they are.
"""

import asyncio
import contextlib
import json
import logging
import socket
import sys
import warnings
from collections.abc import Generator
from pathlib import Path

import msgspec
import uvicorn

from mcpwatch.demo import lifeline
from mcpwatch.demo.registry.app import app as registry
from mcpwatch.demo.servers import DIRECTORY, REGISTRY, directory, orders
from mcpwatch.demo.servers.proofs import Prover
from mcpwatch.demo.servers.props import Props
from mcpwatch.demo.servers.table import SERVERS
from mcpwatch.identity.agent_key import AgentKey


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


async def serve(props: Props) -> None:
    """Serve until the process ends."""
    # The SDK sets up logging for each server that it makes, and warns of odd names of tools.
    logging.disable(logging.ERROR)
    apps = {name: make() for name, make in SERVERS.items()}
    apps |= {REGISTRY: registry(props.registry), DIRECTORY: directory.app(props.directory, props.profiles)}
    if props.signer:
        apps["orders"] = orders.app(Prover(AgentKey.load(Path(props.signer)), orders.mark_up))
    sockets = {name: listener() for name in apps}
    addresses = {name: f"http://127.0.0.1:{bound.getsockname()[1]}" for name, bound in sockets.items()}
    print(json.dumps(addresses), flush=True)
    configs = {name: uvicorn.Config(app, log_config=None, access_log=False) for name, app in apps.items()}
    await asyncio.gather(*(Server(configs[name]).serve([bound]) for name, bound in sockets.items()))


if __name__ == "__main__":
    lifeline.hold()
    warnings.simplefilter("ignore")
    asyncio.run(serve(msgspec.json.decode(Path(sys.argv[1]).read_bytes(), type=Props)))
