"""The demo's servers behind a gateway of the command line."""

import re

from msgspec import Struct
from processes import Process

from mcpwatch.demo.agents.stage import Stage
from mcpwatch.demo.cast import CAST
from mcpwatch.demo.keyring import Keyring
from mcpwatch.demo.places import Places
from mcpwatch.identity.signer import AgentKey

GREETING = re.compile(r"listening on (http://\S+), feed on (http://[^\s,]+)")


class Rig(Struct):
    """Servers of the demo behind a gateway of the command line."""

    upstreams: tuple[str, ...]
    gateway: Process
    address: str
    feed: str
    keys: dict[str, AgentKey]

    def stage(self) -> Stage:
        """Where the demo's agents can act."""
        return Stage(Places(self.address), Keyring(self.keys), pace=0)

    async def restart(self) -> None:
        """Start the gateway again where it was."""
        ports = [address.rpartition(":")[2] for address in (self.address, self.feed)]
        self.gateway = await start_gateway(self.upstreams, *ports)
        await self.gateway.line("listening on")


async def open_rig(upstreams: tuple[str, ...]) -> Rig:
    """A gateway with these upstreams behind it, and a key for every agent."""
    gateway = await start_gateway(upstreams)
    greeting = GREETING.search((await gateway.until(bool))[0])
    assert greeting is not None
    keys = {name: AgentKey.generate() for name in CAST}
    return Rig(upstreams, gateway, greeting[1], greeting[2], keys)


async def start_gateway(upstreams: tuple[str, ...], listen: str = "0", feed: str = "0") -> Process:
    words = [word for upstream in upstreams for word in ("--upstream", upstream)]
    return await Process.start("gateway", *words, "--listen", f"127.0.0.1:{listen}", "--feed", f"127.0.0.1:{feed}")
