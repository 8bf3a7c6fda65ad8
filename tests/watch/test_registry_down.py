"""Keys from a registry that goes down and comes back, and how often it is asked."""

from collections import Counter
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import httpx
from build import START, Log
from piped import ALICE, MALLORY, ListSource, signed, watcher_on
from rpc import call
from streamed import streamed

from mcpwatch.identity.agent_key import AgentKey
from mcpwatch.identity.keys import KeyBook
from mcpwatch.identity.resolution import Status
from mcpwatch.identity.resolver_cache import POSITIVE_S
from mcpwatch.identity.resolvers import ResolverOptions
from mcpwatch.identity.resolvers.fetch import Fetcher
from mcpwatch.identity.resolvers.service import Resolver
from mcpwatch.model.alerts import AlertState, EventKind
from mcpwatch.model.entries import Json
from mcpwatch.watch.watcher import Watcher

OPTIONS = ResolverOptions("http://registry.example")
EVE = AgentKey(bytes(range(2, 34)))


class Registry:
    """Knows these keys, on a clock of its own, and counts who is asked for and when."""

    def __init__(self, *keys: AgentKey) -> None:
        self.keys = {key.did_aip: key for key in keys}
        self.now = 0.0
        self.is_up = True
        self.history: dict[str, list[dict[str, Json]]] = {}
        self.asked: list[tuple[float, str]] = []

    def clock(self) -> float:
        return self.now

    def wall(self) -> float:
        return START + self.now

    def rotate(self, old: AgentKey, new: AgentKey) -> None:
        """Replace the key of the identity that has had but one."""
        began, now = (datetime.fromtimestamp(at, UTC).isoformat() for at in (START - 86_400, self.wall()))
        self.keys[old.did_aip] = new
        self.history[old.did_aip] = [
            {"public_key": new.public_base64, "valid_from": now, "is_current": True},
            {"public_key": old.public_base64, "valid_from": began, "valid_until": now},
        ]

    def answer(self, request: httpx.Request) -> httpx.Response:
        did = request.url.params["did"]
        self.asked.append((self.now, did))
        if not self.is_up:
            raise httpx.ConnectError("refused")
        key = self.keys.get(did)
        known = {"verified": False} if key is None else {"verified": True, "did": did, "public_key": key.public_base64}
        return streamed(httpx.Response(200, json={**known, "key_history": self.history.get(did)}))

    def fetcher(self) -> Fetcher:
        return Fetcher(transport=httpx.MockTransport(self.answer), clock=self.clock)


async def pass_time(registry: Registry, resolver: Resolver, keys: KeyBook, until: float) -> None:
    """Second by second, with everything asked for that is due."""
    while registry.now < until:
        for id in keys.wanted(registry.now):
            await resolver.ask(id)
        registry.now += 1


def resolver_of(registry: Registry, watcher: Watcher) -> Resolver:
    """One that asks the registry for the watcher's keys, on the registry's clock."""
    pipeline, fetcher = watcher._pipeline, registry.fetcher()
    return Resolver(
        pipeline._keys, OPTIONS, fetcher, on_resolved=pipeline.settled, clock=registry.clock, wall=registry.wall
    )


def words(watcher: Watcher) -> list[str]:
    return [row.verdict.word.value for row in watcher.state.rows if row.verdict]


async def test_while_the_registry_is_down_nothing_turns_green_or_red(state_folder: Path) -> None:
    log = Log()
    signed(log, call(1, "read"), did=ALICE.did_aip)
    signed(log, call(2, "read"), key=MALLORY, did=ALICE.did_aip)
    signed(log, call(3, "read"), key=MALLORY, did=MALLORY.did_aip)
    watcher = watcher_on(state_folder, ListSource(log.entries))
    keys = watcher._pipeline._keys
    registry = Registry(ALICE)
    registry.is_up = False
    resolver = resolver_of(registry, watcher)
    await watcher.run()
    for until in (10.0, 600.0, 3600.0):
        await pass_time(registry, resolver, keys, until)
        assert words(watcher) == ["NO CHECK"] * 3
        assert all(row.verdict and row.verdict.waiting for row in watcher.state.rows)
        reasons = [row.verdict.reasons[0] for row in watcher.state.rows if row.verdict]
        assert all("the registry cannot be reached" in reason for reason in reasons)
    unchecked = [alert for alert in watcher.state.alerts.values() if alert.rule == "identity/cannot-check"]
    assert [alert.state for alert in unchecked] == [AlertState.FIRING] * 2
    registry.is_up = True
    await pass_time(registry, resolver, keys, 3600.0 + 961.0)
    assert words(watcher) == ["VERIFIED", "BAD SIG", "UNKNOWN KEY"]
    assert [alert.state for alert in unchecked] == [AlertState.RESOLVED] * 2
    assert all((alert.history[-1].kind, alert.history[-1].author) == (EventKind.RESOLVED, "") for alert in unchecked)
    await watcher.close()


async def test_a_key_that_is_rotated_a_moment_after_it_was_asked_for_makes_no_honest_call_a_forgery(
    state_folder: Path,
) -> None:
    log = Log()
    asked = signed(log, call(1, "read"), did=ALICE.did_aip)
    log.wait(20)
    rotated = signed(log, call(2, "read"), key=MALLORY, did=ALICE.did_aip)
    forged = signed(log, call(3, "read"), key=EVE, did=ALICE.did_aip)
    watcher = watcher_on(state_folder, ListSource(log.entries))
    pipeline, keys = watcher._pipeline, watcher._pipeline._keys
    registry = Registry(ALICE)
    resolver, lane = resolver_of(registry, watcher), pipeline.lanes[""]
    pipeline.take(lane, asked)
    await pass_time(registry, resolver, keys, 10.0)
    registry.rotate(ALICE, MALLORY)
    await pass_time(registry, resolver, keys, 21.0)
    pipeline.take(lane, rotated)
    pipeline.take(lane, forged)
    await pass_time(registry, resolver, keys, 60.0)
    assert words(watcher) == ["VERIFIED", "NO CHECK", "NO CHECK"]
    assert not watcher.state.alerts
    await pass_time(registry, resolver, keys, 62.0)
    assert words(watcher) == ["VERIFIED", "VERIFIED", "BAD SIG"]
    (alert,) = [alert for alert in watcher.state.alerts.values() if alert.rule == "identity/bad-signature"]
    assert alert.evidence == [forged.index]
    again = signed(log, call(4, "read"), key=EVE, did=ALICE.did_aip)
    pipeline.take(lane, again)
    await pass_time(registry, resolver, keys, 200.0)
    times = [time for time, _ in registry.asked]
    assert all(later - earlier >= 60.0 for earlier, later in pairwise(times))
    await watcher.close()


async def test_when_the_registry_answers_for_one_all_others_are_asked_for_at_once() -> None:
    keys, registry = KeyBook(), Registry(ALICE)
    registry.is_up = False
    resolver = Resolver(keys, OPTIONS, registry.fetcher(), clock=registry.clock)
    dids = [f"did:aip:{number:032x}" for number in range(20)]
    for did in dids:
        keys.lookup(did, 0)
    await pass_time(registry, resolver, keys, 2000)
    registry.is_up = True
    keys.lookup(ALICE.did_aip, 0)
    await pass_time(registry, resolver, keys, 2003)
    assert {keys.lookup(did, 0).status for did in dids} == {Status.UNKNOWN}


async def test_at_a_thousand_calls_a_second_each_identity_is_asked_for_once_a_period() -> None:
    agents = [AgentKey(number.to_bytes(32, "big")) for number in range(200)]
    keys, registry = KeyBook(), Registry(*agents)
    resolver = Resolver(keys, OPTIONS, registry.fetcher(), clock=registry.clock)
    dids = [agent.did_aip for agent in agents]
    until = 3 * POSITIVE_S
    while registry.now < until:
        for _ in range(5):
            for did in dids:
                keys.lookup(did, registry.now)
        await pass_time(registry, resolver, keys, registry.now + 1)
    for did in dids:
        times = [time for time, asked in registry.asked if asked == did]
        assert 1 <= len(times) <= 3
        assert all(later - earlier >= POSITIVE_S for earlier, later in pairwise(times))
    minutes = Counter(int(time // 60) for time, _ in registry.asked)
    assert max(minutes.values()) <= 120
    assert all(keys.lookup(did, until).status is Status.FOUND for did in dids)
