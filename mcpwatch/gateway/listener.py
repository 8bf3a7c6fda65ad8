"""Listening: sockets, connections up to a limit, and the signal that ends it all."""

import asyncio
import errno
import signal
import socket

from aiohttp import web

from mcpwatch.errors import LocalError
from mcpwatch.gateway.connections import Server
from mcpwatch.gateway.options import Address
from mcpwatch.gateway.serving import Serving

CLOSE_SECONDS = 0.5
"""How long connections without an exchange get to close."""
BACKLOG = 512


class Listener:
    """A listening socket whose requests are served as they come, their octets untouched."""

    def __init__(self, serving: Serving, server: web.Server, accepting: asyncio.Server) -> None:
        self._serving = serving
        self._server = server
        self._accepting = accepting

    @classmethod
    async def open(cls, serving: Serving, listener: socket.socket, limit: int) -> "Listener":
        """Begin to serve, up to `limit` connections at a time."""
        server = Server(serving)
        return cls(serving, server, await accept(server, listener, limit))

    async def close(self, grace: float) -> None:
        """Accept no more, give exchanges `grace` seconds to end, and close."""
        self._accepting.close()
        await self._serving.stop(grace)
        self._server.pre_shutdown()
        await self._server.shutdown(CLOSE_SECONDS)


async def accept(server: web.Server, listener: socket.socket, limit: int) -> asyncio.Server:
    """Let `server` have the connections of `listener`, up to `limit` at a time."""

    def make() -> asyncio.Protocol:
        return server() if len(server.connections) < limit else _Full()

    return await asyncio.get_running_loop().create_server(make, sock=listener, backlog=BACKLOG)


class _Full(asyncio.Protocol):
    """Turns a connection away that is one too many."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 (a stream's)
        transport.abort()


def bind(address: Address, option: str) -> socket.socket:
    """A listening socket; raises LocalError that names `option`."""
    host, port = address
    try:
        return socket.create_server(address, family=socket.AF_INET6 if ":" in host else socket.AF_INET, backlog=BACKLOG)
    except OSError as error:
        taken = error.errno in (errno.EADDRINUSE, errno.EACCES)
        title = f"Port {port} on {host} is in use" if taken else f"Cannot listen on {host}:{port}: {error.strerror}"
        raise LocalError(title, f"Choose another with {option} HOST:PORT; port 0 takes any that is free.") from None


def address_of(listener: socket.socket) -> str:
    """Where a socket listens: http://HOST:PORT."""
    return _address(*listener.getsockname()[:2])


def address_here(listener: socket.socket) -> str:
    """The same as a client on this machine calls it: one that listens on all addresses by the loopback one."""
    host, port = listener.getsockname()[:2]
    return _address({"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host), port)  # noqa: S104  nothing is bound here


def _address(host: str, port: int) -> str:
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def signalled() -> "asyncio.Future[str]":
    """The name of the signal that asks this process to end, as soon as one comes."""
    loop = asyncio.get_running_loop()
    stopped: asyncio.Future[str] = loop.create_future()

    def stop(name: str) -> None:
        if not stopped.done():
            stopped.set_result(name)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # What was ignored from the start stays so: `nohup` means it.
        if signal.getsignal(number) is not signal.SIG_IGN:
            loop.add_signal_handler(number, stop, number.name)
    return stopped
