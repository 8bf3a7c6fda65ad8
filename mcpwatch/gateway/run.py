"""The gateway as a whole: started, stopped, and run as a command."""

import asyncio
import errno
import os
import signal
import socket
import time
from contextlib import AsyncExitStack
from functools import partial
from importlib.metadata import version
from urllib.parse import urlsplit

from aiohttp import web

from mcpwatch.errors import LocalError
from mcpwatch.feed.discover import Announcement, announce, retire
from mcpwatch.gateway import quiet
from mcpwatch.gateway.feed_server import FeedServer
from mcpwatch.gateway.folder import open_folder, token_path
from mcpwatch.gateway.guard import Guard, is_loopback
from mcpwatch.gateway.log import Log
from mcpwatch.gateway.options import Address, GatewayOptions, is_named
from mcpwatch.gateway.principal import KeyedHash
from mcpwatch.gateway.proxy import Proxy
from mcpwatch.gateway.tap import Tap
from mcpwatch.gateway.upstream import Router
from mcpwatch.model.entries import GatewayStarted
from mcpwatch.secret import Secret
from mcpwatch.text import show

GRACE_SECONDS = 1.0
"""How long exchanges, and then watchers, get to finish when the gateway stops."""
DISK_SECONDS = 5.0
"""How long the end waits for a disk in trouble."""
KEEP_ALIVE_SECONDS = 75.0
"""How long an agent's connection may stay unused, or take to send a request's head."""
CLOSE_SECONDS = 0.5
"""How long connections without an exchange get to close."""
MAX_WATCHERS = 1_000
"""Connections to the feed at a time; those above are closed at once."""
BACKLOG = 512
MAX_LINE = 16 * 1024
MAX_FIELD = 32 * 1024


class Gateway:
    """A gateway from `start` to `stop`; addresses, token and log are there in between."""

    log: Log

    def __init__(self, options: GatewayOptions) -> None:
        self.options = options
        self.listen_address = ""
        """Of the proxy: http://HOST:PORT."""
        self.feed_address = ""
        self.token = Secret("")
        """What the feed asks of a watcher."""
        self._stack = AsyncExitStack()
        self._reason = "could not start"
        self._grace = 0.0

    async def start(self) -> None:
        """Open the log, listen, and let watchers find the feed; raises LocalError and IntegrityError."""
        async with AsyncExitStack() as stack:
            await self._start(stack)
            self._stack = stack.pop_all()

    async def stop(self, reason: str, grace: float = GRACE_SECONDS) -> None:
        """End the exchanges, the log with `reason`, then the feed, once watchers have it all or `grace` is over."""
        self._reason, self._grace = reason, grace
        await self._stack.aclose()

    async def _start(self, stack: AsyncExitStack) -> None:
        options = self.options
        # What can fail comes before the log says that the gateway started.
        listener = stack.enter_context(_bind(options.listen, "--listen"))
        feed_listener = stack.enter_context(_bind(options.feed, "--feed"))
        folder = open_folder(options.state)
        stack.callback(folder.close)
        self.token = folder.token
        self.listen_address, self.feed_address = _address(listener), _address(feed_listener)

        started = GatewayStarted(version=version("mcpwatch-tui"), capture=options.capture, upstreams=options.upstreams)
        self.log = log = Log(folder.key, folder.store, started)
        feed_guard = Guard(options.allowed_hosts, options.allowed_origins, local_origins=False)
        feed = FeedServer(log, folder.token, feed_guard, options.capture)
        runner = web.AppRunner(
            feed.application(),
            access_log=None,
            logger=quiet.logger,
            handler_cancellation=True,
            shutdown_timeout=GRACE_SECONDS,
            keepalive_timeout=KEEP_ALIVE_SECONDS,
        )
        stack.push_async_callback(runner.cleanup)
        await runner.setup()
        assert runner.server is not None  # noqa: S101 (there after `setup`)
        stack.callback((await _accept(runner.server, feed_listener, MAX_WATCHERS)).close)
        stack.push_async_callback(lambda: log.close(self._reason, DISK_SECONDS))

        router = Router(options.upstreams)
        stack.push_async_callback(router.close)
        tap = Tap(log, options.capture, KeyedHash(folder.store.hash_key))
        proxy = Proxy(options, router, Guard(options.allowed_hosts, options.allowed_origins), tap)
        await self._listen(stack, proxy, listener)

        announcement = Announcement(
            address=self.feed_address,
            token_file=str(token_path(options.state)),
            pid=os.getpid(),
            started=time.time(),
            upstreams=options.upstreams,
        )
        announce(options.state, announcement)
        stack.callback(partial(retire, options.state, announcement))

    async def _listen(self, stack: AsyncExitStack, proxy: Proxy, listener: socket.socket) -> None:
        server = web.Server(
            proxy.handle,
            handler_cancellation=True,
            access_log=None,
            logger=quiet.logger,
            auto_decompress=False,
            keepalive_timeout=KEEP_ALIVE_SECONDS,
            max_line_size=MAX_LINE,
            max_field_size=MAX_FIELD,
        )
        listening = await _accept(server, listener, self.options.max_connections)

        async def close() -> None:
            listening.close()
            await proxy.stop(self._grace)
            server.pre_shutdown()
            await server.shutdown(CLOSE_SECONDS)

        stack.push_async_callback(close)


async def _accept(server: web.Server, listener: socket.socket, limit: int) -> asyncio.Server:
    """Let `server` have the connections of `listener`, up to `limit` at a time."""

    def accept() -> asyncio.Protocol:
        return server() if len(server.connections) < limit else _Full()

    return await asyncio.get_running_loop().create_server(accept, sock=listener, backlog=BACKLOG)


class _Full(asyncio.Protocol):
    """Turns a connection away that is one too many."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 (a stream's)
        transport.abort()


async def serve(options: GatewayOptions) -> None:
    """Run a gateway until SIGINT, SIGTERM or SIGHUP and say where it is; raises LocalError and IntegrityError."""
    gateway = Gateway(options)
    loop = asyncio.get_running_loop()
    stopped: asyncio.Future[str] = loop.create_future()

    def stop(name: str) -> None:
        if not stopped.done():
            stopped.set_result(name)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # What was ignored from the start stays so: `nohup` means it.
        if signal.getsignal(number) is not signal.SIG_IGN:
            loop.add_signal_handler(number, stop, number.name)
    await gateway.start()
    try:
        for line in greeting(gateway):
            print(show(line), flush=True)
        reason = await stopped
    except BaseException:
        await gateway.stop("failed")
        raise
    await gateway.stop(reason)


def greeting(gateway: Gateway) -> list[str]:
    """What the command prints once all is up: where clients and watchers connect, and who else could."""
    options = gateway.options
    lines = [f"listening on {gateway.listen_address}, feed on {gateway.feed_address}, capture {options.capture}"]
    several = len(options.upstreams) > 1
    for upstream in options.upstreams:
        name = f"/{upstream.name}" if several or is_named(upstream) else ""
        lines.append(f"  {gateway.listen_address}{name}{urlsplit(upstream.url).path} -> {upstream.url}")
    lines += ["give MCP clients that address instead of the server's; watch with: mcpwatch", "Ctrl-C stops"]
    for what, (host, _) in (("calls pass", options.listen), ("holders of the token read the feed", options.feed)):
        if not is_loopback(host):
            lines.append(f"note: on {host} others than this machine can connect; {what} unencrypted")
    return lines


def _bind(address: Address, option: str) -> socket.socket:
    """A listening socket; raises LocalError that names `option`."""
    host, port = address
    try:
        return socket.create_server(address, family=socket.AF_INET6 if ":" in host else socket.AF_INET, backlog=BACKLOG)
    except OSError as error:
        taken = error.errno in (errno.EADDRINUSE, errno.EACCES)
        title = f"Port {port} on {host} is in use" if taken else f"Cannot listen on {host}:{port}: {error.strerror}"
        raise LocalError(title, f"Choose another with {option} HOST:PORT; port 0 takes any that is free.") from None


def _address(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
