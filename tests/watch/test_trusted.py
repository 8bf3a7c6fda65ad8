"""Trust as a watcher tells it: nobody is asked unless roots are configured, and an answer is there to be read."""

import asyncio
from base64 import b64encode
from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from build import Log
from piped import ALICE, ListSource, signed, watch
from rpc import call

from mcpwatch.config import Config, IdentityConfig
from mcpwatch.demo.registry.app import app
from mcpwatch.demo.registry.records import KeyPeriod, Opening, Registration, Vouch, signed_text
from mcpwatch.errors import UsageError
from mcpwatch.identity.agent_key import AgentKey
from mcpwatch.identity.resolvers.fetch import Fetcher
from mcpwatch.model.entries import Entry
from mcpwatch.model.identity import Resolution
from mcpwatch.watch.build import open_watcher
from mcpwatch.watch.watcher import Watcher

ROOT, SYSTEM = AgentKey(b"r" * 32), AgentKey(b"s" * 32)
REGISTRY = "http://registry.example"
STARTED = datetime(2026, 1, 1, tzinfo=UTC)


class OpenSource(ListSource):
    """Stays open once it has given out what it has."""

    def __init__(self, entries: list[Entry]) -> None:
        super().__init__(entries)
        self.over = asyncio.Event()

    async def batches(self) -> AsyncGenerator[list[Entry], None]:
        async for batch in super().batches():
            yield batch
        await self.over.wait()


def vouch(voucher: AgentKey, scope: str) -> Vouch:
    names = (voucher.did_aip, ALICE.did_aip, scope, "")
    signature = b64encode(voucher.sign(signed_text(*names))).decode()
    return Vouch(scope.partition("_")[0], *names, STARTED, signature)


def opening() -> Opening:
    held = [
        Registration(key.did_aip, name, [KeyPeriod(key.public_base64, STARTED)])
        for name, key in (("root", ROOT), ("system", SYSTEM), ("alice", ALICE))
    ]
    return Opening(SYSTEM.did_aip, held, [vouch(SYSTEM, "GENERAL"), vouch(ROOT, "CODE_SIGNING")])


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The paths that were asked for, at a registry in this process."""
    paths: list[str] = []
    registry = app(opening())

    async def counted(scope: dict[str, object], receive: object, send: object) -> None:
        paths.append(str(scope["path"]))
        await registry(scope, receive, send)  # type: ignore[arg-type]

    transport = httpx.ASGITransport(counted)  # type: ignore[arg-type]
    monkeypatch.setattr("mcpwatch.watch.build.Fetcher", lambda **options: Fetcher(transport=transport))
    monkeypatch.setattr("mcpwatch.identity.resolvers.trust.PERIOD_S", 0.01)
    return paths


def alices_call() -> list[Entry]:
    log = Log()
    signed(log, call(1, "read"), did=ALICE.did_aip)
    return log.entries


async def watched(state: Path, identity: IdentityConfig, until: str) -> Watcher:
    """A watcher that took in Alice's call and ran until the registry was asked for `until`, and answered."""
    source = OpenSource(alices_call())
    watcher = open_watcher([source], state, Config(identity), clock=lambda: source.entries[-1].received)
    running = asyncio.create_task(watcher.run())
    async with asyncio.timeout(20):
        while not (watcher.trust(ALICE.did_aip).asked if until == "trust" else watcher.state.identities):
            await asyncio.sleep(0.01)
        while not watcher.state.identities[ALICE.did_aip].proven:
            await asyncio.sleep(0.01)
    source.over.set()
    await running
    await watcher.close()
    return watcher


async def test_trust_leads_from_a_root_to_who_signed(state_folder: Path, asked: list[str]) -> None:
    identity = IdentityConfig(registry=REGISTRY, roots=(ROOT.did_aip,))
    watcher = await watched(state_folder, identity, "trust")
    standing = watcher.trust(ALICE.did_aip)
    assert [(step.voucher, step.scopes) for step in standing.path] == [(ROOT.did_aip, ("CODE_SIGNING",))]
    assert [step.voucher for step in standing.vouches] == [ROOT.did_aip]
    assert standing.asserted is not None and standing.asserted.vouches == 2
    assert watcher.roots == (ROOT.did_aip,) and watcher.trust(ROOT.did_aip).is_root


async def test_without_roots_nobody_is_asked_about_trust(state_folder: Path, asked: list[str]) -> None:
    watcher = await watched(state_folder, IdentityConfig(registry=REGISTRY), "key")
    assert set(asked) == {"/verify"}
    assert watcher.trust(ALICE.did_aip).reason == "no roots are configured"


async def test_without_a_registry_nobody_is_asked(state_folder: Path, asked: list[str]) -> None:
    watcher = await watch(state_folder, alices_call())
    assert asked == []
    assert watcher.trust(ALICE.did_aip).reason == "no roots are configured"
    rooted = open_watcher([], state_folder, Config(IdentityConfig(roots=(ROOT.did_aip,))))
    assert rooted.trust(ALICE.did_aip).reason == "no registry is configured to ask"
    assert rooted.trust(ROOT.did_aip).is_root


def test_a_registry_that_is_none(state_folder: Path) -> None:
    identity = IdentityConfig(registry="http://", roots=(ROOT.did_aip,))
    with pytest.raises(UsageError, match="registry"):
        open_watcher([], state_folder, Config(identity))


async def test_it_is_told_which_jwks_keys_come_from(state_folder: Path, tmp_path: Path) -> None:
    places = []
    for name in ("partners.json", "others.json"):
        path = tmp_path / name
        path.write_text('{"keys": []}')
        places.append(str(path))
    one = open_watcher([], state_folder, Config(IdentityConfig(jwks=(places[0],), registry=REGISTRY)))
    assert (one.place(Resolution.JWKS), one.place(Resolution.REGISTRY)) == (places[0], REGISTRY)
    await one.close()
    two = open_watcher([], state_folder, Config(IdentityConfig(jwks=tuple(places))))
    assert two.place(Resolution.JWKS) == f"one of 2: {places[0]}, {places[1]}"
    await two.close()
