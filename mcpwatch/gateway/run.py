"""The gateway as a whole: started, stopped, and run as a command."""

import asyncio
import os
import socket
import time
from contextlib import AsyncExitStack
from functools import partial
from importlib.metadata import version
from typing import TYPE_CHECKING

from aiohttp import web

from mcpwatch.feed.discover import Announcement, announce, retire
from mcpwatch.gateway import quiet
from mcpwatch.gateway.budget import Budget
from mcpwatch.gateway.captures import Captures
from mcpwatch.gateway.connections import KEEP_ALIVE_SECONDS
from mcpwatch.gateway.feed_server import SEND_BUFFER, FeedServer
from mcpwatch.gateway.folder import open_folder, operator_token_path, token_path
from mcpwatch.gateway.guard import Guard
from mcpwatch.gateway.listener import Listener, accept, address_here, address_of, bind, signalled
from mcpwatch.gateway.log import Log
from mcpwatch.gateway.options import GatewayOptions, placed
from mcpwatch.gateway.principal import KeyedHash
from mcpwatch.gateway.proxy import Proxy
from mcpwatch.gateway.tally import Calls
from mcpwatch.gateway.tap import Tap
from mcpwatch.gateway.upstream import Router
from mcpwatch.gateway.vitals import Vitals
from mcpwatch.hosts import is_loopback
from mcpwatch.model.entries import GatewayStarted
from mcpwatch.program import program_elsewhere
from mcpwatch.secret import Secret
from mcpwatch.tasks import cancel
from mcpwatch.text import show

if TYPE_CHECKING:
    # A gateway that only observes does without all that verifies and asks for keys.
    from mcpwatch.gateway.enforcer import Enforcement, Enforcer

GRACE_SECONDS = 1.0
"""How long exchanges, and then watchers, get to finish when the gateway stops."""
DISK_SECONDS = 5.0
"""How long the end waits for a disk in trouble."""
MAX_WATCHERS = 1_000
"""Connections to the feed at a time; those above are closed at once."""


class Gateway:
    """A gateway from `start` to `stop`; addresses, token and log are there in between."""

    log: Log
    vitals: Vitals
    enforcer: "Enforcer | None" = None

    def __init__(self, options: GatewayOptions, enforcement: "Enforcement | None" = None) -> None:
        """Refuses nothing that is for its servers to refuse, unless there is `enforcement`."""
        self.options = options
        self.enforcement = enforcement
        self.listen_address = ""
        """Of the proxy: http://HOST:PORT."""
        self.feed_address = ""
        """As watchers on this machine call it."""
        self.token = Secret("")
        """What the feed asks of a watcher."""
        self._stack = AsyncExitStack()
        self._reason = "could not start"
        self._grace = 0.0

    async def start(self) -> None:
        """Open the log, listen, and let watchers find the feed; raises McpwatchError."""
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
        listener = stack.enter_context(bind(options.listen, "--listen"))
        feed_listener = stack.enter_context(bind(options.feed, "--feed"))
        feed_listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
        folder = open_folder(options.state)
        stack.callback(folder.close)
        self.token = folder.token
        hashed = KeyedHash(folder.store.hash_key)
        if self.enforcement is not None:
            from mcpwatch.gateway.enforcer import Enforcer
            from mcpwatch.gateway.recall import recall

            self.enforcer = Enforcer(self.enforcement, options.state, hashed, options.upstreams)
            verdicts = self.enforcer.verdicts
            verdicts.remember(recall(folder.store, time.time() - verdicts.remembers_s))
        self.listen_address, self.feed_address = address_of(listener), address_here(feed_listener)

        started = GatewayStarted(
            version=version("mcpwatch-tui"),
            capture=options.capture,
            upstreams=placed(options.upstreams),
            listen=self.listen_address,
            tools=options.tool_captures,
        )
        self.log = log = Log(folder.key, folder.store, started, options.keep)
        feed_guard = Guard(options.allowed_hosts, options.allowed_origins, local_origins=False)
        calls, captures = Calls(), Captures(options.capture, options.tool_captures)
        self.vitals = vitals = Vitals(log, calls, folder.path)
        tokens = (folder.token, folder.operator_token)
        feed = FeedServer(log, tokens, feed_guard, str(captures), vitals, metrics=options.metrics)
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
        stack.callback((await accept(runner.server, feed_listener, MAX_WATCHERS)).close)
        stack.push_async_callback(lambda: log.close(self._reason, DISK_SECONDS))

        router = Router(options.upstreams)
        stack.push_async_callback(router.close)
        tap = Tap(log, captures, hashed, Budget(options.max_captured))
        if self.enforcer is not None:
            stack.push_async_callback(self.enforcer.save)
            stack.push_async_callback(cancel, asyncio.create_task(self.enforcer.run()))
        guard = Guard(options.allowed_hosts, options.allowed_origins)
        proxy = Proxy(options, router, guard, tap, self.enforcer, calls)
        listening = await Listener.open(proxy, listener, options.max_connections)
        stack.push_async_callback(lambda: listening.close(self._grace))

        announcement = Announcement(
            address=self.feed_address,
            token_file=str(token_path(options.state)),
            operator_token_file=str(operator_token_path(options.state)),
            pid=os.getpid(),
            started=time.time(),
            upstreams=options.upstreams,
        )
        announce(options.state, announcement)
        stack.callback(partial(retire, options.state, announcement))


async def serve(options: GatewayOptions, enforcement: "Enforcement | None" = None) -> None:
    """Run a gateway until SIGINT, SIGTERM or SIGHUP and say where it is; raises McpwatchError."""
    gateway = Gateway(options, enforcement)
    stopped = signalled()
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
    captures = Captures(options.capture, options.tool_captures)
    lines = [f"listening on {gateway.listen_address}, feed on {gateway.feed_address}, capture {captures}"]
    lines += [f"  {gateway.listen_address}{each.path} -> {each.url}" for each in placed(options.upstreams)]
    if gateway.enforcer is not None:
        lines.append(gateway.enforcer.standing())
    lines += [
        "give MCP clients that address instead of the server's",
        f"watch with: {program_elsewhere()} watch {gateway.feed_address}",
        "Ctrl-C stops",
    ]
    for what, (host, _) in (("calls pass", options.listen), ("holders of the token read the feed", options.feed)):
        if not is_loopback(host):
            lines.append(f"note: on {host} others than this machine can connect; {what} unencrypted")
    return lines
