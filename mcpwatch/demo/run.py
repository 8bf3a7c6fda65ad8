"""The demo as a whole: real servers, a real gateway, real agents, all on loopback, all gone when it stops."""

import asyncio
import json
import os
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp

import msgspec
from msgspec import Struct

from mcpwatch.demo.cast import ORDERS, known
from mcpwatch.demo.child import Child
from mcpwatch.demo.events import ActEvent, ActEvents
from mcpwatch.demo.founding import found
from mcpwatch.demo.gateway import Addresses, Options
from mcpwatch.demo.keyring import make_keys, profile_of
from mcpwatch.demo.operator import prepare
from mcpwatch.demo.places import Places
from mcpwatch.demo.registry.records import present
from mcpwatch.demo.servers import DIRECTORY, REGISTRY
from mcpwatch.errors import LocalError
from mcpwatch.feed.discover import Announcement, announce, retire
from mcpwatch.files import private_dir, state_dir, write_private
from mcpwatch.gateway.folder import operator_token_path, token_path
from mcpwatch.identity import verifier
from mcpwatch.model.entries import Capture, UpstreamInfo
from mcpwatch.secret import Secret, read_secret

_SDK, _SDK_MAJOR = "mcp", 2
_REMOVALS, _BETWEEN_S = 20, 0.1
"""How often the folder is removed, and the seconds between."""


class Backend(Struct, frozen=True):
    """The demo's servers behind a gateway, before any agent comes."""

    gateway: Addresses
    upstreams: tuple[UpstreamInfo, ...]
    token: Secret
    state: Path
    keys: Path
    """The folder of the agents' keys."""
    places: Places


class Crowd(Struct, frozen=True):
    """How many agents call beside the story, and how fast."""

    agents: int
    rate: float
    """Entries of the log a second, all of them together."""


class Demo:
    """A demo from `start_demo` to `stop`.

    `state` is a state folder of its own, in which the operator has pinned the keys of the agents they know, with
    a `config.toml` that names whom to ask for the others. Nothing of the user's own state is read, and nothing
    written but the announcement by which a watcher in another terminal finds the feed.
    """

    def __init__(self, backend: Backend, agents: Child, crowd: Child | None, stack: AsyncExitStack) -> None:
        self.gateway_address = backend.gateway.listen
        self.feed_address = backend.gateway.feed
        self.token: Secret = read_secret(operator_token_path(backend.state))
        """Of who runs the demo: what they do to alerts goes into the log."""
        self.state = backend.state
        self._agents = agents
        self._stack = stack
        self._events = ActEvents(agents.lines())
        self._crowd = ActEvents(crowd.lines()) if crowd is not None else None

    async def events(self) -> AsyncIterator[ActEvent]:
        """What the agents do, act by act, until the demo stops; who does not listen misses only the oldest.

        Raises LocalError when the agents end by themselves.
        """
        async for event in self._events.events():
            yield event
        if not self._agents.stopping:
            raise LocalError("The demo's agents ended early", self._agents.last_words())

    @property
    def pace(self) -> str:
        """How fast the crowd is, in words; empty without one."""
        newest = self._crowd.newest if self._crowd is not None else None
        return newest.shows if newest is not None else ""

    async def stop(self) -> None:
        """End agents, gateway and servers, in that order, and remove the state folder."""
        await self._stack.aclose()
        for events in (self._events, self._crowd):
            if events is not None:
                await events.ended()


async def start_demo(*, seed: int = 1, capture: Capture = "masked", crowd: Crowd | None = None) -> Demo:
    """Start everything; raises LocalError where this machine lacks something, and then leaves nothing behind."""
    require_sdk()
    async with AsyncExitStack() as stack:
        backend = await stack.enter_async_context(open_backend(capture, has_crowd=crowd is not None))
        announcement = Announcement(
            address=backend.gateway.feed,
            token_file=str(token_path(backend.state)),
            operator_token_file=str(operator_token_path(backend.state)),
            pid=os.getpid(),
            started=time.time(),
            upstreams=backend.upstreams,
            state=str(backend.state),
        )
        announce(state_dir(), announcement)
        stack.callback(retire, state_dir(), announcement)
        places = msgspec.structs.astuple(backend.places)
        story = (*places, str(backend.keys), str(seed))
        agents = await Child.start("mcpwatch.demo.agents", *story, log=backend.state / "agents.log")
        stack.push_async_callback(agents.stop)
        workers: Child | None = None
        if crowd is not None:
            words = (backend.gateway.listen, str(crowd.agents), str(crowd.rate))
            workers = await Child.start("mcpwatch.demo.crowd", *words, log=backend.state / "crowd.log")
            stack.push_async_callback(workers.stop)
        return Demo(backend, agents, workers, stack.pop_all())


@asynccontextmanager
async def open_backend(capture: Capture = "masked", *, has_crowd: bool = False) -> AsyncIterator[Backend]:
    """Start servers and gateway, with keys made for all agents, in a temporary state folder."""
    async with AsyncExitStack() as stack:
        state = await stack.enter_async_context(_folder())
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

        if has_crowd:
            more = await Child.start("mcpwatch.demo.crowd.servers", log=state / "crowd-servers.log")
            stack.push_async_callback(more.stop)
            addresses |= json.loads(await more.line())
        upstreams = tuple(UpstreamInfo(name=name, url=url) for name, url in addresses.items())
        options = state / "gateway.json"
        write_private(options, msgspec.json.encode(Options(str(state), upstreams, capture)))
        gateway = await Child.start("mcpwatch.demo.gateway", str(options), log=state / "gateway.log")
        stack.push_async_callback(gateway.stop)
        where = msgspec.json.decode(await gateway.line(), type=Addresses)
        places = Places(where.listen, registry, elsewhere)
        yield Backend(where, upstreams, read_secret(token_path(state)), state, folder, places)


@asynccontextmanager
async def _folder() -> AsyncIterator[Path]:
    """A folder that is removed; a watcher in another terminal may still write there meanwhile."""
    made = Path(mkdtemp(prefix="mcpwatch-demo-"))
    try:
        yield made
    finally:
        for _ in range(_REMOVALS):
            if _is_removed(made):
                break
            await asyncio.sleep(_BETWEEN_S)


def _is_removed(folder: Path) -> bool:
    rmtree(folder, ignore_errors=True)
    return not folder.exists()


def require_sdk() -> None:
    """Raise LocalError unless the official MCP SDK is there in a version that the demo is written for."""
    try:
        found = version(_SDK)
    except PackageNotFoundError:
        found = ""
    if not found or int(found.partition(".")[0]) < _SDK_MAJOR:
        has = f"{_SDK} {found} is too old for the demo" if found else "The demo needs the official MCP SDK"
        raise LocalError(has, "Install it with: pip install 'mcpwatch-tui[demo]'")
