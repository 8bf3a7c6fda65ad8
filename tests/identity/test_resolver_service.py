"""The service that fetches keys for the book."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
from signed import ALICE, BOB, NOW, aip, request
from streamed import streamed

from mcpwatch.errors import UsageError
from mcpwatch.identity.judge import Judge
from mcpwatch.identity.keys import KeyBook
from mcpwatch.identity.replay import ReplayWindow
from mcpwatch.identity.resolution import Status
from mcpwatch.identity.resolvers import RESOLVERS, ResolverOptions
from mcpwatch.identity.resolvers.fetch import Fetcher
from mcpwatch.identity.resolvers.service import CONCURRENCY, Resolver
from mcpwatch.model.identity import Word

OPTIONS = ResolverOptions("http://registry.example")


class Registry(httpx.AsyncBaseTransport):
    """A registry that knows Alice; answers only while `open` is set."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.at_once = self.most_at_once = 0
        self.open = asyncio.Event()
        self.open.set()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        did = request.url.params["did"]
        self.asked.append(did)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        await self.open.wait()
        self.at_once -= 1
        known = {"verified": True, "did": did, "public_key": ALICE.public_base64}
        return streamed(httpx.Response(200, json=known if did == ALICE.did_aip else {"verified": False}))


class Answers:
    """Collects what `on_resolved` names."""

    def __init__(self) -> None:
        self.ids: list[str] = []
        self._came = asyncio.Event()

    async def __call__(self, ids: list[str]) -> None:
        self.ids += ids
        self._came.set()

    async def until(self, count: int) -> None:
        async with asyncio.timeout(60):
            while len(self.ids) < count:
                self._came.clear()
                await self._came.wait()


@asynccontextmanager
async def running(keys: KeyBook, registry: Registry, answers: Answers) -> AsyncIterator[None]:
    resolver = Resolver(keys, OPTIONS, Fetcher(transport=registry), on_resolved=answers)
    task = asyncio.create_task(resolver.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()


async def test_a_waiting_request_is_verified_once_its_key_is_there() -> None:
    keys, registry, answers = KeyBook(), Registry(), Answers()
    async with running(keys, registry, answers):
        judge, asked = Judge(keys, ReplayWindow()), request(aip())
        assert judge.judge(0, asked, NOW).waiting
        await answers.until(1)
        assert answers.ids == [ALICE.did_aip]
        assert judge.judge(0, asked, NOW).word is Word.VERIFIED
        assert judge.judge(1, request(aip(BOB)), NOW).waiting
        await answers.until(2)
        assert judge.judge(1, request(aip(BOB)), NOW).word is Word.UNKNOWN_KEY
    assert keys.notify is None


async def test_each_identity_is_asked_for_once_and_few_at_a_time() -> None:
    keys, registry, answers = KeyBook(), Registry(), Answers()
    dids = [f"did:aip:{number:032x}" for number in range(20)]
    registry.open.clear()
    async with running(keys, registry, answers):
        for did in dids * 3:
            keys.lookup(did, NOW)
        async with asyncio.timeout(60):
            while len(registry.asked) < CONCURRENCY:
                await asyncio.sleep(0)
        registry.open.set()
        await answers.until(len(dids))
        assert all(keys.lookup(did, NOW).status is Status.UNKNOWN for did in dids)
    assert sorted(registry.asked) == dids
    assert registry.most_at_once == CONCURRENCY


async def test_what_was_wanted_before_it_ran_is_fetched() -> None:
    keys, registry, answers = KeyBook(), Registry(), Answers()
    keys.resolvable = ("did:aip:",)
    keys.lookup(ALICE.did_aip, NOW)
    async with running(keys, registry, answers):
        await answers.until(1)
        assert keys.lookup(ALICE.did_aip, NOW).status is Status.FOUND


@pytest.mark.parametrize("failure", [RuntimeError("odd"), ExceptionGroup("odd", [OverflowError()])])
async def test_no_failure_of_one_question_ends_the_asking(failure: Exception) -> None:
    keys, registry, answers = KeyBook(), Registry(), Answers()
    answer = registry.handle_async_request

    async def odd(request: httpx.Request) -> httpx.Response:
        if request.url.params["did"] == BOB.did_aip:
            raise failure
        return await answer(request)

    registry.handle_async_request = odd  # type: ignore[method-assign]
    async with running(keys, registry, answers):
        keys.lookup(BOB.did_aip, NOW)
        await answers.until(1)
        keys.lookup(ALICE.did_aip, NOW)
        await answers.until(2)
    assert keys.lookup(BOB.did_aip, NOW).status is Status.WAITING
    assert keys.lookup(ALICE.did_aip, NOW).status is Status.FOUND


async def test_without_a_registry_nobody_is_asked() -> None:
    keys = KeyBook()
    Resolver(keys, ResolverOptions(), Fetcher())
    assert keys.resolvable == ()
    assert keys.lookup(ALICE.did_aip, NOW).status is Status.UNAVAILABLE


async def test_a_wrong_address_is_refused_at_once() -> None:
    with pytest.raises(UsageError):
        Resolver(KeyBook(), ResolverOptions("registry.example"), Fetcher())


def test_the_table_of_resolvers() -> None:
    keys = KeyBook()
    Resolver(keys, ResolverOptions("https://registry.example", ("https://issuer.example/jwks",), True, True), Fetcher())
    assert set(keys.resolvable) == {row.prefix for row in RESOLVERS}
    assert set(keys.resolvable) == {"did:aip:", "did:web:", "https://", "http://", ""}
