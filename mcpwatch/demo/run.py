"""The demo as a whole: real servers, a real gateway, real agents, all on loopback, all gone when it stops."""

import json
import os
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
from msgspec import Struct

from mcpwatch.demo.cast import ORDERS, known
from mcpwatch.demo.child import Child
from mcpwatch.demo.events import ActEvent, ActEvents
from mcpwatch.demo.founding import found
from mcpwatch.demo.keyring import make_keys, profile_of
from mcpwatch.demo.operator import prepare
from mcpwatch.demo.places import Places
from mcpwatch.demo.registry.records import present
from mcpwatch.demo.servers import DIRECTORY, REGISTRY
from mcpwatch.errors import LocalError
from mcpwatch.feed.discover import Announcement, announce, retire
from mcpwatch.files import private_dir, state_dir, write_private
from mcpwatch.gateway.folder import operator_token_path, token_path
from mcpwatch.gateway.options import GatewayOptions
from mcpwatch.gateway.run import Gateway
from mcpwatch.identity import verifier
from mcpwatch.model.entries import Capture, UpstreamInfo
from mcpwatch.secret import Secret, read_secret

_ANY = ("127.0.0.1", 0)
_SDK, _SDK_MAJOR = "mcp", 2


class Backend(Struct, frozen=True):
    """The demo's servers behind a gateway, before any agent comes."""

    gateway: Gateway
    state: Path
    keys: Path
    """The folder of the agents' keys."""
    places: Places


class Demo:
    """A demo from `start_demo` to `stop`.

    `state` is a state folder of its own, in which the operator has pinned the keys of the agents they know, with
    a `config.toml` that names whom to ask for the others. Nothing of the user's own state is read, and nothing
    written but the announcement by which a watcher in another terminal finds the feed.
    """

    def __init__(self, backend: Backend, agents: Child, stack: AsyncExitStack) -> None:
        self.gateway_address = backend.gateway.listen_address
        self.feed_address = backend.gateway.feed_address
        self.token: Secret = read_secret(operator_token_path(backend.state))
        """Of who runs the demo: what they do to alerts goes into the log."""
        self.state = backend.state
        self._agents = agents
        self._stack = stack
        self._events = ActEvents(agents.lines())

    async def events(self) -> AsyncIterator[ActEvent]:
        """What the agents do, act by act, until the demo stops; who does not listen misses only the oldest.

        Raises LocalError when the agents end by themselves.
        """
        async for event in self._events.events():
            yield event
        if not self._agents.stopping:
            raise LocalError("The demo's agents ended early", self._agents.last_words())

    async def stop(self) -> None:
        """End agents, gateway and servers, in that order, and remove the state folder."""
        await self._stack.aclose()
        await self._events.ended()


async def start_demo(*, seed: int = 1, capture: Capture = "masked") -> Demo:
    """Start everything; raises LocalError where this machine lacks something, and then leaves nothing behind."""
    require_sdk()
    async with AsyncExitStack() as stack:
        backend = await stack.enter_async_context(open_backend(capture))
        announcement = Announcement(
            address=backend.gateway.feed_address,
            token_file=str(token_path(backend.state)),
            operator_token_file=str(operator_token_path(backend.state)),
            pid=os.getpid(),
            started=time.time(),
            upstreams=backend.gateway.options.upstreams,
            state=str(backend.state),
        )
        announce(state_dir(), announcement)
        stack.callback(retire, state_dir(), announcement)
        places = msgspec.structs.astuple(backend.places)
        story = (*places, str(backend.keys), str(seed))
        agents = await Child.start("mcpwatch.demo.agents", *story, log=backend.state / "agents.log")
        stack.push_async_callback(agents.stop)
        return Demo(backend, agents, stack.pop_all())


@asynccontextmanager
async def open_backend(capture: Capture = "masked") -> AsyncIterator[Backend]:
    """Start servers and gateway, with keys made for all agents, in a temporary state folder."""
    async with AsyncExitStack() as stack:
        # A watcher in another terminal may still write there when it is removed.
        made = stack.enter_context(TemporaryDirectory(prefix="mcpwatch-demo-", ignore_cleanup_errors=True))
        state = Path(made)
        folder = private_dir(state / "agents")
        keys = make_keys(folder)
        props = {
            "registry": found(keys, present()),
            "directory": [verifier.jwk(keys.public(name)) for name in known("by its directory")],
            "profiles": {profile_of(name, ""): [keys.named_jwk(name)] for name in known("by its profile")},
            "signer": str(folder / ORDERS),
        }
        write_private(state / "props.json", msgspec.json.encode(props))
        servers = await Child.start("mcpwatch.demo.servers", str(state / "props.json"), log=state / "servers.log")
        stack.push_async_callback(servers.stop)
        addresses: dict[str, str] = json.loads(await servers.line())
        registry, elsewhere = addresses.pop(REGISTRY), addresses.pop(DIRECTORY)
        prepare(state, keys, registry, elsewhere)

        upstreams = tuple(UpstreamInfo(name=name, url=url) for name, url in addresses.items())
        gateway = Gateway(GatewayOptions(upstreams=upstreams, state=state, listen=_ANY, feed=_ANY, capture=capture))
        await gateway.start()
        stack.push_async_callback(gateway.stop, "the demo ended")
        yield Backend(gateway, state, folder, Places(gateway.listen_address, registry, elsewhere))


def require_sdk() -> None:
    """Raise LocalError unless the official MCP SDK is there in a version that the demo is written for."""
    try:
        found = version(_SDK)
    except PackageNotFoundError:
        found = ""
    if not found or int(found.partition(".")[0]) < _SDK_MAJOR:
        has = f"{_SDK} {found} is too old for the demo" if found else "The demo needs the official MCP SDK"
        raise LocalError(has, "Install it with: pip install 'mcpwatch-tui[demo]'")
