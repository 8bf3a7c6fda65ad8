"""Every act of the demo, played through a real gateway: what it shows is what the rules say of it."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import httpx
import pytest

from mcpwatch.config import load
from mcpwatch.demo.agents import honest
from mcpwatch.demo.agents.acts import ACTS
from mcpwatch.demo.agents.stage import Stage
from mcpwatch.demo.cast import GUILD, VETERAN
from mcpwatch.demo.keyring import load_keys
from mcpwatch.demo.run import Backend, open_backend
from mcpwatch.feed.subscriber import HttpSource
from mcpwatch.identity import resolver_cache
from mcpwatch.model.feed import FeedStatus
from mcpwatch.model.identity import Resolution, Strength, Verdict, Word
from mcpwatch.model.traffic import CallState, EdgeKind
from mcpwatch.watch.build import open_watcher
from mcpwatch.watch.row import Row
from mcpwatch.watch.state import Raised
from mcpwatch.watch.watcher import Watcher

UNSIGNED = {"identity/unsigned-call"}
ANONYMOUS = {*UNSIGNED, "session/anonymous"}
SHOWN = {"discovery/privileged-tools-exposed"}
"""Somebody who proves nothing lists the tools of a server that has some for few, or some that destroy."""
SAME_FOR_ALL = {"discovery/no-per-role-filtering"}
EXPECTED: dict[str, set[str]] = {
    "tampered": {"identity/bad-signature"},
    "replayed": {"identity/replayed"},
    "rotation": {"identity/key-rotated-mid-session"},
    "registry-down": {"identity/cannot-check"},
    "taken-over": {"identity/wrong-key", "session/shared"},
    "weather": {*ANONYMOUS, "tool/definition-changed", "tool/poisoned"},
    "audit": {*UNSIGNED, "identity/body-not-covered", *SHOWN},
    "old-key": {"identity/superseded-key"},
    "bound-token": {"identity/body-not-covered"},
    "probing": {*ANONYMOUS, "discovery/permission-probing", *SHOWN},
    "unknown-key": {"identity/unknown-identity"},
    "marked-up": {"identity/bad-server-proof"},
    "unheard-of": {"identity/unknown-identity"},
    "after-the-end": {*ANONYMOUS, "session/used-after-delete", "tool/terminal-escapes", "tool/hidden-characters"},
    "mislabelled": {*UNSIGNED, "protocol/header-mismatch", *SHOWN},
    "second-signature": {"identity/bad-signature-beside-good"},
    "shared": {*ANONYMOUS, "session/shared"},
    "slow-clock": {"identity/stale"},
    "fast-clock": {"identity/from-the-future"},
    "false-name": {"identity/claimed-name-mismatch"},
    "other-token": {"identity/bad-signature"},
    "body-left-out": {"identity/body-not-covered"},
    "twins": {"identity/shared-key"},
    "borrowed-token": {"identity/principal-mismatch", *SAME_FOR_ALL},
    "replayed-elsewhere": {*ANONYMOUS, "identity/cross-session-replay"},
    "promoted": {*UNSIGNED, "session/token-subject-changed", *SAME_FOR_ALL},
    "token-only": {"identity/cannot-check"},
    "shared-secret": {"identity/cannot-check"},
    "letter": {"chain/lethal-trifecta"},
    "vault": {"chain/exfiltration"},
    "lured": {*UNSIGNED, "tool/poisoned", "tool/look-alike", "tool/name-nonconforming"},
    "aside": {"stream/hidden-channel", "stream/output-not-in-result", *SAME_FOR_ALL},
    "counted": {"session/weak-id"},
    "unguarded": {*UNSIGNED, "discovery/admin-tool-by-guest", *SHOWN, *SAME_FOR_ALL},
    "guessed": {*ANONYMOUS, "discovery/unlisted-tool"},
}
"""Act -> the rules that fire; for every other act, none."""

SIGNED: dict[str, tuple[str, str, Resolution, set[Word]]] = {
    "notes": ("rfc9421", "did keyid", Resolution.DID_KEY, {Word.VERIFIED}),
    "refund": ("aip", "", Resolution.PINNED, {Word.VERIFIED}),
    "build": ("aip", "", Resolution.REGISTRY, {Word.NO_CHECK, Word.VERIFIED}),
    "registry-down": ("aip", "", Resolution.REGISTRY, {Word.NO_CHECK, Word.VERIFIED}),
    "old-key": ("aip", "", Resolution.REGISTRY, {Word.OLD_KEY}),
    "crawl": ("rfc9421", "web-bot-auth", Resolution.DIRECTORY, {Word.NO_CHECK, Word.VERIFIED}),
    "shopping": ("rfc9421", "ucp", Resolution.DIRECTORY, {Word.NO_CHECK, Word.VERIFIED}),
    "reception": ("rfc9421", "sep-2752", Resolution.EMBEDDED, {Word.VERIFIED}),
    "brokerage": ("rfc9421", "sep-2752", Resolution.JWKS, {Word.NO_CHECK, Word.VERIFIED}),
    "bound-token": ("dpop", "", Resolution.EMBEDDED, {Word.PARTIAL}),
    "audit": ("signet", "", Resolution.EMBEDDED, {Word.PARTIAL, Word.UNSIGNED}),
}
"""Act -> the scheme and profile of its last call, how the key was found, and every word that its rows ever showed."""


class Ear:
    """Hears of every entry, and of the rules that fired at it."""

    def __init__(self) -> None:
        self.fired: list[set[str]] = [set()]
        """The rules of each act so far; the last is under way."""
        self.words: list[set[Word]] = [set()]
        """The words on the rows of each act so far, also those that were taken back."""
        self.last: list[Verdict | None] = [None]
        """The newest verdict on a call of each act."""
        self._marks = asyncio.Queue[str]()

    async def mark(self, backend: Backend, watcher: Watcher, name: str) -> None:
        """Put a request that is no act into the log, and wait until all before it is taken in and judged."""
        async with httpx.AsyncClient(trust_env=False) as http:
            await http.get(f"{backend.gateway.listen}/orders/mark/{name}")
        async with asyncio.timeout(60):
            while not (await self._marks.get()).endswith(f"/mark/{name}"):
                pass
            while any(row.verdict is not None and row.verdict.waiting for row in watcher.state.rows):
                await asyncio.sleep(0.02)
        self.fired.append(set())
        self.words.append(set())
        self.last.append(None)

    def entry(self, row: Row, raised: Sequence[Raised]) -> None:
        if row.kind == "request" and row.seen.exchange and "/mark/" in row.seen.exchange.target:
            self._marks.put_nowait(row.seen.exchange.target)
        else:
            self.verdict(row, raised)

    def verdict(self, row: Row, raised: Sequence[Raised]) -> None:
        self.fired[-1].update(finding.rule for finding, _ in raised)
        if row.verdict is not None:
            self.words[-1].add(row.verdict.word)
            if any(call.target for call in row.seen.opened):
                self.last[-1] = row.verdict

    def alerts(self, raised: Sequence[Raised]) -> None:
        raise AssertionError(raised)

    def feed(self, before: FeedStatus | None, after: FeedStatus) -> None:
        """It may stand as it likes."""


@pytest.fixture
async def backend() -> AsyncIterator[Backend]:
    async with open_backend() as opened:
        yield opened


async def watch(backend: Backend, ear: Ear) -> Watcher:
    """Play every act while a watcher of the backend's own folder listens; the watcher, when it has seen it all."""
    feed = HttpSource(backend.gateway.feed, backend.token, state=backend.state)
    watcher = open_watcher([feed], backend.state, load(backend.state / "config.toml"))
    watching = asyncio.create_task(watcher.run(ear))
    stage = Stage(backend.places, load_keys(backend.keys), pace=0)
    for act in ACTS:
        await act.play(stage)
        await ear.mark(backend, watcher, act.name)
    watching.cancel()
    await asyncio.wait({watching})
    await watcher.close()
    return watcher


async def test_every_act_shows_what_it_says(backend: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    # The registry may be asked again at once about a key that does not fit: no act waits for a minute to pass.
    monkeypatch.setattr(resolver_cache, "NEGATIVE_S", -60.0)
    ear = Ear()
    state = (await watch(backend, ear)).state
    fired = dict(zip((act.name for act in ACTS), ear.fired, strict=False))
    assert fired == {act.name: EXPECTED.get(act.name, set()) for act in ACTS}

    for number, act in enumerate(ACTS):
        if act.name in SIGNED:
            scheme, profile, resolution, words = SIGNED[act.name]
            verdict = ear.last[number]
            assert verdict is not None and verdict.signer is not None, act.name
            assert (verdict.scheme, verdict.profile, verdict.signer.resolution) == (scheme, profile, resolution)
            assert ear.words[number] == words, act.name

    proofs = {row.seen.proof.word for row in state.rows if row.seen.proof is not None}
    assert proofs == {Word.VERIFIED, Word.BAD_SIG}
    edges = {edge.kind for call in state.calls.values() for edge in call.parents}
    assert edges >= {EdgeKind.SIGNED, EdgeKind.TRACED, EdgeKind.PROTOCOL, EdgeKind.INFERRED}
    bound = {session.binding.strength for session in state.sessions.values()}
    assert bound >= {Strength.COVERED, Strength.EACH, Strength.NONE}
    assert {call.state for call in state.calls.values()} >= {
        CallState.DONE,
        CallState.TOOL_ERROR,
        CallState.RPC_ERROR,
        CallState.DENIED,
        CallState.INPUT_REQUIRED,
    }
    assert state.counts.failures == 0


async def test_trust_leads_from_the_guild_to_the_forge(backend: Backend) -> None:
    keys = load_keys(backend.keys)
    feed = HttpSource(backend.gateway.feed, backend.token, state=backend.state)
    watcher = open_watcher([feed], backend.state, load(backend.state / "config.toml"))
    watching = asyncio.create_task(watcher.run())
    await honest.build(Stage(backend.places, keys, pace=0))
    async with asyncio.timeout(60):
        while not (standing := watcher.trust(keys.did_aip("forge"))).path or standing.asserted is None:
            await asyncio.sleep(0.05)
    watching.cancel()
    await asyncio.wait({watching})
    await watcher.close()

    assert [step.voucher for step in standing.path] == [keys.did_aip(GUILD), keys.did_aip(VETERAN)]
    assert not any(step.fault for step in standing.path)
    assert watcher.called(standing.path[0].voucher) == GUILD
    # The registry counts its own welcome too; it is no vouch here.
    assert standing.asserted is not None
    assert standing.asserted.vouches == len(standing.vouches) + 1
