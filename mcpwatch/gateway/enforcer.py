"""Enforcement: every request is held against the policy before its server sees it.

The signature is judged here, by the verifier that watchers use. What nobody can check or read is refused where the
policy asks who calls: nothing passes for want of an answer.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path

from msgspec import Struct

from mcpwatch.errors import McpwatchError, UsageError
from mcpwatch.gateway.arrival import Arrival
from mcpwatch.gateway.calls import Asked, Unreadable, read_calls
from mcpwatch.gateway.denial import Denied
from mcpwatch.gateway.folder import FOLDER
from mcpwatch.gateway.neighbours import Neighbours
from mcpwatch.gateway.owners import Owners, Taking
from mcpwatch.gateway.principal import KeyedHash
from mcpwatch.gateway.relay import Witness
from mcpwatch.gateway.shown_request import is_altered, read_request
from mcpwatch.gateway.tap import Exchange
from mcpwatch.gateway.verdicts import Judged, Verdicts
from mcpwatch.identity.judge import WINDOW_S
from mcpwatch.identity.resolvers import ResolverOptions
from mcpwatch.model.entries import UpstreamInfo
from mcpwatch.policy.kept import KeptPolicy
from mcpwatch.policy.members import Caller
from mcpwatch.policy.ruling import ALLOWED, UNREADABLE, Ruling, facts_of

LOOK_SECONDS = 1.0
"""Between two looks at the policy's file and the pinned keys."""
OWNERS_FILE = "owners.json"
READ_ASIDE = 256 * 1024
"""Octets of a body from which on it is read in a thread, since all other exchanges would wait."""

_WRONG_KEY = "identity/wrong-key"
_NO_CALL: tuple[str | None, str] = (None, "")
"""How a request is ruled that does something else than to bring messages, such as to open a stream."""

logger = logging.getLogger(__name__)


class Enforcement(Struct, frozen=True, kw_only=True):
    """What a gateway refuses calls by."""

    policy: KeptPolicy
    resolvers: ResolverOptions = ResolverOptions()
    allow_private: bool = False
    window_s: float = WINDOW_S
    wait_s: float = 2.0
    """How long a call waits for its key."""


class Enforcer:
    """Lets requests pass, or raises Denied."""

    def __init__(
        self, enforcement: Enforcement, state: Path, hashed: KeyedHash, upstreams: Sequence[UpstreamInfo] = ()
    ) -> None:
        """Keys are pinned in the folder `state`. Raises McpwatchError where what lies there cannot be used."""
        self._kept = enforcement.policy
        self.verdicts = Verdicts(
            state, enforcement.resolvers, allow_private=enforcement.allow_private, window_s=enforcement.window_s
        )
        self._upstreams = [one.name for one in upstreams]
        self._neighbours = Neighbours(upstreams)
        self._hashed = hashed
        self._wait_s = enforcement.wait_s
        self._owners = Owners(state / FOLDER / OWNERS_FILE)

    def standing(self) -> str:
        """Where the policy in force refuses calls, and where it lets all of them pass."""
        bound = [name for name in self._upstreams if self._kept.policy.binds(name)]
        rest = [name for name in self._upstreams if name not in bound]
        at = f"enforced at {', '.join(bound)}" if bound else "enforced nowhere"
        strange = [name for name in self._kept.policy.upstreams if name not in self._upstreams]
        said = [f"policy {self._kept.path} {at}"]
        said += [f"calls are not refused at {', '.join(rest)}"] if rest else []
        said += [f"it names what is no server here: {', '.join(strange)}"] if strange else []
        return "; ".join(said)

    async def run(self) -> None:
        """Keep up with files, and fetch keys, until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(_serve(self.verdicts.run, "keys are not fetched any more"))
            group.create_task(_serve(self._look_always, "changes of policy and pinned keys are not seen any more"))

    async def admit(self, arrival: Arrival, upstream: str, target: str, exchange: Exchange) -> Witness:
        """Let a request pass to `upstream` as `target`, and say who is told of its answer; raises Denied."""
        # Also where the policy asks for nothing, since it may ask for more by the time that the request is replayed.
        request, entry = exchange.shown, exchange.index
        if request is None or is_altered(request):
            request = read_request(upstream, arrival, "full", self._hashed)
        judged = self.verdicts.judge(request, entry)
        reached = self._neighbours.reached(upstream, target)
        if not any(map(self._kept.policy.binds, reached)):
            return exchange
        try:
            asked = await _read(arrival)
        except Unreadable as unreadable:
            raise Denied(f"nobody can say what servers read in it: {unreadable}", UNREADABLE, entry) from None
        if _is_preflight(arrival):
            return exchange
        ruling = self._rule(asked, judged, reached)
        if not ruling.allowed and judged.verdict.waiting:
            await self.verdicts.settle(judged, self._wait_s)
            ruling = self._rule(asked, judged, reached)
        if not ruling.allowed:
            raise Denied(ruling.reason, ruling.rule, entry, asked)
        if not any(map(self._kept.policy.needs_signer, reached)):
            return exchange
        place, session = self._neighbours.place(upstream), judged.request.session
        return Taking(self._owners, place, session, partial(self.verdicts.signer, judged), self._hashed, exchange)

    def _rule(self, asked: Asked, judged: Judged, reached: Sequence[str]) -> Ruling:
        """The first ruling that does not let a message pass, or what the request does besides.

        What may reach several servers has to keep to the terms of each.
        """
        request, verdict, policy = judged.request, judged.verdict, self._kept.policy
        has_session, has_token = bool(request.session), request.principal is not None
        facts = facts_of(verdict, judged.received, has_session=has_session, has_token=has_token)
        caller = Caller(verdict.signer, request.principal)
        called = dict.fromkeys((call.method or None, call.tool) for call in asked.calls)
        if not called or request.method != "POST":
            called[_NO_CALL] = None
        for upstream in reached:
            for method, tool in called:
                ruling = policy.ruling(upstream, method, tool, caller, facts)
                if not ruling.allowed:
                    return ruling
        if has_session and any(map(policy.needs_signer, reached)):
            owner = self._owners.owner((self._neighbours.place(request.upstream), request.session))
            if owner and owner != judged.signer:
                return Ruling(False, "the session belongs to another signer", _WRONG_KEY)
        return ALLOWED

    async def _look_always(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            self.look()
            await self.save()

    def look(self) -> None:
        """Take in what changed in the files; one that cannot be used leaves all as it was, and that is said."""
        for refresh, kept in (
            (self._follow, "the policy before stays in force"),
            (self._repin, "the keys pinned before hold on"),
        ):
            try:
                refresh()
            except McpwatchError as error:
                logger.warning("%s; %s", error.title, kept)
            except Exception as error:
                logger.error("a file failed to be read (%s); %s", type(error).__name__, kept)

    async def save(self) -> None:
        """Keep for the next run whose sessions are."""
        try:
            await self._owners.save()
        except OSError as error:
            logger.warning("whose sessions are cannot be kept for the next run: %s", error.strerror)

    def _follow(self) -> None:
        if not self._kept.refresh():
            return
        if self._kept.fault:
            raise UsageError(self._kept.fault)
        logger.warning("%s", self.standing())

    def _repin(self) -> None:
        if self.verdicts.pins.refresh():
            logger.warning("%s", self.verdicts.pins.said)


async def _serve(service: Callable[[], Awaitable[None]], without: str) -> None:
    """Run a service until cancelled; one that fails leaves the rest running."""
    try:
        await service()
    except Exception as error:
        logger.error("%s: %s", without, type(error).__name__)


async def _read(arrival: Arrival) -> Asked:
    if len(arrival.body or b"") < READ_ASIDE:
        return read_calls(arrival.headers, arrival.body)
    return await asyncio.to_thread(read_calls, arrival.headers, arrival.body)


def _is_preflight(arrival: Arrival) -> bool:
    """Whether a browser asks by it what a page may send: it carries no call, and cannot be signed."""
    return arrival.method == "OPTIONS" and not arrival.body
