"""One hour of a busy team that does nothing wrong, through a real gateway into a real watcher: it stays quiet."""

import asyncio
import json
import subprocess
import sys
from base64 import b64encode
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import httpx
import msgspec
import pytest
from processes import Process
from rig import PATIENCE, gateway
from team_agents import IN_A_FILE, PINNED, SIGNS, Agent, Clock, Keys
from team_work import work_together

from mcpwatch.config import Config, IdentityConfig
from mcpwatch.demo.es256 import Es256Key
from mcpwatch.detect.rules import CATALOGUE
from mcpwatch.feed.subscriber import HttpSource
from mcpwatch.gateway.run import Gateway
from mcpwatch.identity import verifier
from mcpwatch.identity.pins import add_pin, pins_path
from mcpwatch.identity.signer import AgentKey
from mcpwatch.model.alerts import Severity
from mcpwatch.model.feed import FeedStatus
from mcpwatch.model.identity import Word
from mcpwatch.model.tools import ToolClass
from mcpwatch.model.traffic import CallState, EdgeKind, Era, SessionKind
from mcpwatch.policy.kept import KeptPolicy
from mcpwatch.watch.build import open_watcher
from mcpwatch.watch.row import Row
from mcpwatch.watch.state import Raised, State

pytestmark = [pytest.mark.e2e, pytest.mark.filterwarnings("ignore:ping is removed")]

POLICY = """
# Everybody may look for parts.
[upstream.catalog]
signatures = "off"

# Who proves a token by DPoP signs no body.
[upstream.billing]
covers = ["method", "target"]
"""
LOW: dict[str, str] = {
    "chain/lethal-trifecta": "Whoever answers mail and issues reads what anybody wrote, looks something up, and sends.",
    "chain/exfiltration": "What the database says of a customer whom it named before is in the mail to that customer.",
    "chain/across-backends": "The same, with a customer and an order looked up by two tools.",
    "chain/secret-in-result": "Invoices have an IBAN, which the gateway masks, as it does a password in a manual.",
    "tool/poisoned-result": "A page of the wiki quotes what injected text says.",
}
"""Rules that tell of it all the same, as low: why they are right to."""
TIMEPIECES = ("gateway.journal.datetime", "gateway.log.time", "demo.agents.messages.time", "demo.agents.tokens.time")
MARK = "/mark"
SERVERS = Path(__file__).with_name("team_servers.py")


class Ear:
    """Knows how far the watcher is."""

    def __init__(self) -> None:
        self.now = 0.0
        """When the newest entry was made."""
        self.is_marked = asyncio.Event()

    def entry(self, row: Row, raised: Sequence[Raised]) -> None:
        self.now = max(self.now, row.time)
        exchange = row.seen.exchange
        if row.kind == "end" and exchange is not None and exchange.target.endswith(MARK):
            self.is_marked.set()

    def verdict(self, row: Row, raised: Sequence[Raised]) -> None:
        """The state has it."""

    def alerts(self, raised: Sequence[Raised]) -> None:
        """The state has them."""

    def feed(self, before: FeedStatus | None, after: FeedStatus) -> None:
        """It may stand as it likes."""


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The hour, for whoever writes times down."""
    made = Clock()
    for place in TIMEPIECES:
        monkeypatch.setattr(f"mcpwatch.{place}", made)
    return made


@pytest.fixture
async def running(state_folder: Path) -> AsyncIterator[Gateway]:
    """A gateway before the servers of the team."""
    servers = await Process.run(sys.executable, str(SERVERS), stdin=subprocess.PIPE)
    addresses = json.loads(await servers.line(""))
    async with gateway(state_folder, *(f"{name}={url}" for name, url in addresses.items())) as made:
        yield made
    await servers.end()


def configured(folder: Path, state: Path, keys: dict[str, Keys]) -> Config:
    """What the operator knows: pinned keys, and a file of partners' keys."""
    for name in PINNED:
        add_pin(pins_path(state), keys[name].own.did_aip, b64encode(keys[name].own.public).decode())
    partners = folder / "partners.json"
    partners.write_bytes(msgspec.json.encode({"keys": [verifier.jwk(keys[name].own.public) for name in IN_A_FILE]}))
    return Config(identity=IdentityConfig(jwks=(str(partners),)))


async def test_an_honest_hour_raises_nothing_above_low(
    clock: Clock, running: Gateway, tmp_path: Path, state_folder: Path
) -> None:
    keys = {name: Keys(AgentKey.generate(), Es256Key.generate(), clock, name) for name in SIGNS}
    config = configured(tmp_path, state_folder, keys)
    policy = tmp_path / "policy.toml"
    policy.write_text(POLICY)
    ear = Ear()
    source = HttpSource(running.feed_address, running.token, state=state_folder)
    kept = KeptPolicy(policy, CATALOGUE, is_named=True)
    watcher = open_watcher([source], state_folder, config, policy=kept, clock=lambda: ear.now)
    watching = asyncio.create_task(watcher.run(ear))
    await work_together([Agent(name, keys[name], running.listen_address) for name in SIGNS], PATIENCE)
    async with httpx.AsyncClient(trust_env=False) as http:
        await http.get(f"{running.listen_address}{MARK}")
    async with asyncio.timeout(PATIENCE):
        await ear.is_marked.wait()
    watching.cancel()
    await asyncio.wait({watching}, timeout=PATIENCE)
    assert watching.done(), "the watcher did not let itself be ended"
    await watcher.close()

    state = watcher.state
    was_busy(state)
    told = {alert.rule: alert for alert in sorted(state.alerts.values(), key=lambda alert: alert.severity)}
    assert [alert for alert in told.values() if alert.severity > Severity.LOW] == []
    assert set(told) <= set(LOW)
    assert len(state.alerts) < len(state.sessions) / 4
    assert state.counts.failures == 0


def was_busy(state: State) -> None:
    """There was all of it: enough, of both eras, by everybody, and whatever honest calls come to."""
    calls, sessions = list(state.calls.values()), list(state.sessions.values())
    assert len(calls) >= 3600
    assert len(sessions) >= 60
    assert {session.era for session in sessions} >= {Era.LEGACY, Era.MODERN}
    kinds = {session.kind for session in sessions}
    assert kinds == {SessionKind.LEGACY, SessionKind.SIGNER, SessionKind.PRINCIPAL, SessionKind.ANONYMOUS}
    words = Counter(row.verdict.word for row in state.rows if row.verdict is not None)
    assert set(words) == {Word.VERIFIED, Word.PARTIAL, Word.UNSIGNED}
    assert words[Word.VERIFIED] > len(calls) / 2
    assert {call.state for call in calls} >= {
        CallState.DONE,
        CallState.TOOL_ERROR,
        CallState.RPC_ERROR,
        CallState.DENIED,
        CallState.CANCELLED,
        CallState.INPUT_REQUIRED,
    }
    assert {edge.kind for call in calls for edge in call.parents} >= {EdgeKind.DATA_FLOW, EdgeKind.PROTOCOL}
    classes = {each for call in calls for each in call.classes}
    assert classes >= {ToolClass.SQL, ToolClass.FILE, ToolClass.WRITE, ToolClass.FETCH, ToolClass.SEND}
