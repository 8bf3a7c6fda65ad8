"""The signing proxy as a whole: started, stopped, and run as a command."""

from contextlib import AsyncExitStack
from urllib.parse import urlsplit

from mcpwatch.gateway.listener import Listener, address_of, bind, signalled
from mcpwatch.gateway.upstream import Router
from mcpwatch.hosts import is_loopback
from mcpwatch.identity.ed25519 import DID_AIP
from mcpwatch.identity.keys import identity_of
from mcpwatch.signing.options import SigningOptions
from mcpwatch.signing.proxy import SigningProxy
from mcpwatch.text import show

GRACE_SECONDS = 1.0
"""How long exchanges get to finish when the proxy stops."""


class Signing:
    """A signing proxy from `start` to `stop`."""

    def __init__(self, options: SigningOptions) -> None:
        self.options = options
        self.listen_address = ""
        """http://HOST:PORT."""
        self._stack = AsyncExitStack()

    async def start(self) -> None:
        """Listen; raises LocalError."""
        async with AsyncExitStack() as stack:
            listener = stack.enter_context(bind(self.options.listen, "--listen"))
            self.listen_address = address_of(listener)
            router = Router((self.options.upstream,))
            stack.push_async_callback(router.close)
            proxy = SigningProxy(self.options, router)
            listening = await Listener.open(proxy, listener, self.options.max_connections)
            stack.push_async_callback(listening.close, GRACE_SECONDS)
            self._stack = stack.pop_all()

    async def stop(self) -> None:
        await self._stack.aclose()


async def serve(options: SigningOptions) -> None:
    """Sign until SIGINT, SIGTERM or SIGHUP, and say where and as whom; raises LocalError."""
    stopped = signalled()
    signing = Signing(options)
    await signing.start()
    try:
        for line in greeting(signing):
            print(show(line), flush=True)
        await stopped
    finally:
        await signing.stop()


def greeting(signing: Signing) -> list[str]:
    """What the command prints once all is up: whom it signs as, and where clients connect."""
    options = signing.options
    agent = options.agent
    lines = [
        f"signing as {agent.id or options.scheme.identity(agent.key)}",
        f"with {options.scheme.title}",
        f"  {signing.listen_address}{urlsplit(options.upstream.url).path} -> {options.upstream.url}",
        "give the agent's MCP client that address instead of the server's; Ctrl-C stops",
    ]
    if agent.id.startswith(DID_AIP) and identity_of(agent.id) != agent.key.did_aip:
        lines.append(
            "note: this did:aip does not derive from the key; it counts where the registry says so, as after a "
            "rotation, or where the key is pinned under it"
        )
    upstream = urlsplit(options.upstream.url)
    if upstream.scheme == "http" and not is_loopback(upstream.hostname or ""):
        lines.append(f"note: calls pass to {upstream.hostname} unencrypted, tokens and all; use https if it can")
    if not is_loopback(options.listen[0]):
        lines.append(f"note: whoever can connect to {options.listen[0]} signs as this agent; calls pass unencrypted")
    return lines
