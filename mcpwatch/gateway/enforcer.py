"""Enforcement: every request is held against the policy before its server sees it.

The signature is judged here, by the verifier that watchers use. What nobody can check or read is refused where the
policy asks who calls: nothing passes for want of an answer.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from itertools import count
from pathlib import Path

from msgspec import Struct

from mcpwatch.errors import McpwatchError
from mcpwatch.gateway.arrival import Arrival
from mcpwatch.gateway.calls import Asked, Unreadable, read_calls
from mcpwatch.gateway.denial import Denied
from mcpwatch.gateway.headers import SESSION, first, octets
from mcpwatch.gateway.owners import Owners, Taking
from mcpwatch.gateway.policy_file import PolicyFile
from mcpwatch.gateway.principal import KeyedHash
from mcpwatch.gateway.relay import Witness
from mcpwatch.gateway.tap import read_request
from mcpwatch.identity.judge import WINDOW_S, Judge
from mcpwatch.identity.keys import KeyBook
from mcpwatch.identity.pins import PinFile, pins_path
from mcpwatch.identity.replay import ReplayWindow
from mcpwatch.identity.resolvers import ResolverOptions
from mcpwatch.identity.resolvers.fetch import Fetcher
from mcpwatch.identity.resolvers.service import Resolver
from mcpwatch.model.entries import Request, UpstreamInfo
from mcpwatch.model.identity import Signer, Verdict, Word
from mcpwatch.policy.members import Caller
from mcpwatch.policy.policy import Policy
from mcpwatch.policy.ruling import Ruling, facts_of

LOOK_SECONDS = 1.0
"""Between two looks at the policy's file and the pinned keys."""
MAX_WAITING = 100
"""Requests that wait for a key at a time; those above are refused at once."""
READ_ASIDE = 256 * 1024
"""Octets of a body from which on it is read in a thread, since all other exchanges would wait."""

_UNLOGGED = 1 << 46
"""Above all indexes of entries: what a request is numbered from where the log does not have it."""
_UNREADABLE = "policy/unreadable-call"
_WRONG_KEY = "identity/wrong-key"
_ALLOWED = Ruling()
_NO_CALL: tuple[tuple[None, str]] = ((None, ""),)
_GOOD = (Word.VERIFIED, Word.PARTIAL)

logger = logging.getLogger(__name__)


class Enforcement(Struct, frozen=True, kw_only=True):
    """What a gateway refuses calls by."""

    path: Path
    """Of the policy, which is read again when it changes."""
    load: Callable[[], Policy]
    """Reads it; raises McpwatchError."""
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
        """Keys are pinned in the folder `state`. Raises McpwatchError where the policy or the pins cannot be used."""
        self._upstreams = [one.name for one in upstreams]
        self.policy = PolicyFile(enforcement.path, enforcement.load)
        self._keys = KeyBook()
        self._pins = PinFile(pins_path(state), self._keys)
        self._judge = Judge(self._keys, ReplayWindow(by_index=False), window_s=enforcement.window_s)
        self._fetcher = Fetcher(allow_private=enforcement.allow_private)
        self._resolver = Resolver(self._keys, enforcement.resolvers, self._fetcher, on_resolved=self._resolved)
        self._hashed = hashed
        self._wait_s = enforcement.wait_s
        self._waiting: set[asyncio.Future[None]] = set()
        self._owners = Owners()
        self._unlogged = count(_UNLOGGED)

    def standing(self) -> str:
        """Where the policy in force refuses calls, and where it lets all of them pass."""
        bound = [name for name in self._upstreams if self.policy.binds(name)]
        rest = [name for name in self._upstreams if name not in bound]
        at = f"enforced at {', '.join(bound)}" if bound else "enforced nowhere"
        return f"policy {self.policy.path} {at}" + (f"; calls are not refused at {', '.join(rest)}" if rest else "")

    async def run(self) -> None:
        """Keep up with files, and fetch keys, until cancelled."""
        async with self._fetcher, asyncio.TaskGroup() as group:
            group.create_task(_serve(self._resolver.run, "keys are not fetched any more"))
            group.create_task(
                _serve(self._look_always, "changes of the policy and of pinned keys are not seen any more")
            )

    async def admit(self, arrival: Arrival, upstream: str, entry: int | None, witness: Witness) -> Witness:
        """Let a request pass to `upstream`, and say who is told of its answer; raises Denied."""
        number, received = next(self._unlogged) if entry is None else entry, time.time()
        request = read_request(upstream, arrival, "full", self._hashed)
        # Also where the policy asks for nothing, since it may ask for more by the time that the request is replayed.
        verdict = self._judge.judge(number, request, received, received=received)
        if not self.policy.binds(upstream) or _is_preflight(arrival):
            return witness
        try:
            asked = await _read(arrival)
        except Unreadable as unreadable:
            raise Denied(f"nobody can say what servers read in it: {unreadable}", _UNREADABLE, entry) from None
        session = octets(first(arrival.headers, SESSION.encode()) or b"")
        ruling = self._rule(asked, request, verdict, received, session)
        if not ruling.allowed and verdict.waiting:
            verdict = await self._settled(number, request, verdict, received)
            ruling = self._rule(asked, request, verdict, received, session)
        if not ruling.allowed:
            raise Denied(ruling.reason, ruling.rule, entry, asked)
        signer = _good_signer(verdict)
        if signer is None or not self.policy.needs_signer(upstream):
            return witness
        return Taking(self._owners, upstream, session, signer.id, witness)

    async def _settled(self, number: int, request: Request, verdict: Verdict, received: float) -> Verdict:
        """The verdict once its key is there, or nobody could be asked, or that has taken too long."""
        if len(self._waiting) >= MAX_WAITING:
            return verdict
        with suppress(TimeoutError):
            async with asyncio.timeout(self._wait_s):
                while verdict.waiting and not (verdict.signer and self._keys.is_failing(verdict.signer.id)):
                    await self._news()
                    verdict = self._judge.judge(number, request, received, received=received)
        return verdict

    async def _news(self) -> None:
        """Return when a key came, or could not be had."""
        news = asyncio.get_running_loop().create_future()
        self._waiting.add(news)
        try:
            await news
        finally:
            self._waiting.discard(news)

    async def _resolved(self, identities: list[str]) -> None:
        for news in self._waiting:
            if not news.done():
                news.set_result(None)

    def _rule(self, asked: Asked, request: Request, verdict: Verdict, received: float, session: str) -> Ruling:
        """The first ruling that does not let a message pass; what calls nothing is ruled as a call of the server is."""
        upstream, policy = request.upstream, self.policy.policy
        has_token = request.principal is not None
        facts = facts_of(verdict, received, has_session=bool(session), has_token=has_token)
        caller = Caller(verdict.signer, request.principal)
        for method, tool in dict.fromkeys((call.method or None, call.tool) for call in asked.calls) or _NO_CALL:
            ruling = policy.ruling(upstream, method, tool, caller, facts)
            if not ruling.allowed:
                return ruling
        owner = self._owners.owner(upstream, session) if session and self.policy.needs_signer(upstream) else ""
        signer = _good_signer(verdict)
        if owner and (signer is None or signer.id != owner):
            return Ruling(False, "the session belongs to another signer", _WRONG_KEY)
        return _ALLOWED

    async def _look_always(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            self.look()

    def look(self) -> None:
        """Take in what changed in the files; one that cannot be used leaves all as it was, and that is said."""
        for refresh, told, kept in (
            (self.policy.refresh, self.standing, "the policy before stays in force"),
            (self._pins.refresh, lambda: "the pinned keys changed", "the keys pinned before hold on"),
        ):
            try:
                if refresh():
                    logger.warning("%s", told())
            except McpwatchError as error:
                logger.warning("%s; %s", error.title, kept)
            except Exception as error:
                logger.error("a file failed to be read (%s); %s", type(error).__name__, kept)


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


def _good_signer(verdict: Verdict) -> Signer | None:
    return verdict.signer if verdict.word in _GOOD else None
