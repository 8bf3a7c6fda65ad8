"""Fetches the vouches that lead to an identity, checks them, and keeps the graph that they make."""

import asyncio
import re
import time
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable, Collection
from typing import TypeVar

from mcpwatch.bounded import keep
from mcpwatch.identity.keys import KeyBook
from mcpwatch.identity.resolvers.aip_registry import AipRegistry
from mcpwatch.identity.resolvers.aip_vouches import AipVouches, Listed, read_vouch
from mcpwatch.identity.resolvers.fetch import Fetcher
from mcpwatch.identity.trust import MAX_EACH, MAX_HOPS, TrustGraph
from mcpwatch.identity.vouches import Checked, Vouch, verify_vouch
from mcpwatch.model.trust import Asserted, Step

REFRESH_S = 600.0
"""How long an answer is good for."""
BURST, RATE = 30, 0.5
"""Questions at once, and then each second: half of what the registry is asked at most, keys included."""
MAX_TARGETS = 24
"""Identities whose vouches are asked for on the way to one."""
MAX_CHECKED = 16
"""Certificates asked for of one identity's vouches; those by a root, or by whom a root vouches for, come first."""
_KEPT = 10_000
_NOT_LOOKED_AT = "it was not looked at: there are too many"
_DID = re.compile(r"did:aip:[0-9a-f]{32}")

Pause = Callable[[float], Awaitable[object]]
T = TypeVar("T")


def is_registered_name(id: str) -> bool:
    """Whether an AIP registry can know of the identity."""
    return _DID.fullmatch(id) is not None


class Vouching:
    """The registry at `address`, seen from `roots`."""

    def __init__(
        self,
        keys: KeyBook,
        address: str,
        roots: Collection[str],
        fetcher: Fetcher,
        *,
        clock: Callable[[], float] = time.monotonic,
        pause: Pause = asyncio.sleep,
    ) -> None:
        """Raises UsageError when `address` is not that of a registry."""
        self.roots = frozenset(roots)
        self._keys = keys
        self._registry = AipVouches(address, fetcher)
        self._resolve = AipRegistry(address, fetcher).resolve
        self._turn = _Turn(clock, pause)
        self._clock = clock
        self._graph = TrustGraph()
        self._certified: OrderedDict[Listed, Vouch] = OrderedDict()
        """Those whose signature held; which of them hold is for the keys to say that are known at each look."""
        self._resolved: OrderedDict[str, float] = OrderedDict()
        """When a voucher's keys were last asked for because a vouch did not hold."""
        self._asked: OrderedDict[str, float] = OrderedDict()
        """When the vouches for an identity were last asked for."""
        self._near: frozenset[str] = frozenset()
        """Whom the roots are said to vouch for."""
        self._ignored: frozenset[str] = frozenset()
        """The registry's own identity, which bids everybody welcome."""
        self._prepared = float("-inf")

    def path(self, id: str, now: float) -> tuple[Step, ...]:
        """The shortest way from a root, by what is known; `now` is the time of day."""
        return self._graph.path(self.roots, id, now, self._ignored)

    def steps(self, id: str, now: float) -> tuple[Step, ...]:
        """The vouches for an identity, by what is known."""
        return self._graph.steps(id, now, self._ignored)

    async def look(self, id: str, now: float) -> Asserted:
        """Bring everything that bears on an identity up to date; what the registry itself says of it.

        Raises Unavailable; what is known stays.
        """
        await self._prepare()
        queue, met = deque([(id, 0)]), {id}
        for _ in range(MAX_TARGETS):
            path = self.path(id, now) if self._is_fresh(id) else ()
            target = next((step.target for step in path if not self._is_fresh(step.target)), "")
            if target:
                await self._list(target)
                continue
            if path or not queue:
                break
            target, hops = queue.popleft()
            if not self._is_fresh(target):
                await self._list(target)
            for step in self.steps(target, now):
                if not step.fault and step.voucher not in met and hops + 1 < MAX_HOPS:
                    met.add(step.voucher)
                    queue.append((step.voucher, hops + 1))
        return await self._turn.ask(self._registry.asserted, id)

    async def _prepare(self) -> None:
        """Learn whose welcome counts for nothing, and whom the roots vouch for."""
        if self._clock() - self._prepared < REFRESH_S:
            return
        system = await self._turn.ask(self._registry.system)
        near: set[str] = set()
        for root in filter(is_registered_name, self.roots):
            graph = await self._turn.ask(self._registry.graph, root)
            near.update(listed.target_did for listed in graph.vouches_for)
        self._ignored, self._near, self._prepared = frozenset({system}), frozenset(near), self._clock()

    def _is_fresh(self, target: str) -> bool:
        """Whether there is nothing to ask about the vouches for an identity."""
        return not is_registered_name(target) or self._clock() - self._asked.get(target, float("-inf")) < REFRESH_S

    async def _list(self, target: str) -> None:
        """Bring the vouches for an identity up to date."""
        graph = await self._turn.ask(self._registry.graph, target)
        listed = sorted((one for one in graph.vouched_by if one.voucher_did not in self._ignored), key=self._rank)
        checked = [await self._check(one) for one in listed[:MAX_CHECKED]]
        unseen = [Checked(read_vouch(one), _NOT_LOOKED_AT) for one in listed[MAX_CHECKED:MAX_EACH]]
        self._graph.put(target, checked + unseen)
        keep(self._asked, target, self._clock(), _KEPT)

    def _rank(self, listed: Listed) -> int:
        if listed.voucher_did in self.roots:
            return 0
        return 1 if listed.voucher_did in self._near else 2

    async def _check(self, listed: Listed) -> Checked:
        """Check a vouch; its certificate is asked for once for as long as it is listed the same."""
        vouch = self._certified.get(listed)
        if vouch is None:
            found = await self._turn.ask(self._registry.certified, listed)
            if found.fault:
                return found
            vouch = found.vouch
        voucher = listed.voucher_did
        checked = verify_vouch(vouch, self._keys.history(voucher))
        if checked.fault and self._is_to_resolve(voucher):
            resolved = await self._turn.ask(self._resolve, voucher)
            keep(self._resolved, voucher, self._clock(), _KEPT)
            self._keys.learn(voucher, resolved, self._clock())
            checked = verify_vouch(vouch, self._keys.history(voucher))
        if not checked.fault:
            keep(self._certified, listed, vouch, _KEPT)
        return checked

    def _is_to_resolve(self, voucher: str) -> bool:
        """Whether the registry is asked for a voucher's keys, as it is once in a period."""
        if not is_registered_name(voucher) or voucher in self._keys.pinned:
            return False
        return self._clock() - self._resolved.get(voucher, float("-inf")) >= REFRESH_S


class _Turn:
    """A bucket of questions."""

    def __init__(self, clock: Callable[[], float], pause: Pause) -> None:
        self._clock = clock
        self._pause = pause
        self._tokens, self._filled = float(BURST), clock()

    async def ask(self, question: Callable[..., Awaitable[T]], *about: str | Listed) -> T:
        """Ask when it is our turn."""
        now = self._clock()
        self._tokens = min(BURST, self._tokens + (now - self._filled) * RATE)
        self._filled = now
        if self._tokens < 1:
            await self._pause((1 - self._tokens) / RATE)
        self._tokens -= 1
        return await question(*about)
