"""A server's proofs on the way through the pipeline: on the answer, on the exchange, and again when a key comes."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from build import Log
from piped import ListSource, watch, watcher_on
from piped import signed as signed_request
from proven import CALL, answer, proof
from rpc import call, note, result, text
from signed import ALICE, BOB

from mcpwatch.identity.resolution import Resolved, ResolvedKey
from mcpwatch.model.entries import Json
from mcpwatch.model.feed import FeedStatus
from mcpwatch.model.identity import Resolution, Word
from mcpwatch.watch.row import Row
from mcpwatch.watch.state import Raised
from mcpwatch.watch.watcher import Watcher

pytestmark = pytest.mark.filterwarnings("ignore:EdDSA is deprecated")
BANK = "did:web:bank.example"


def signed(log: Log, **changes: Json) -> dict[str, Json]:
    """The bank's answer, signed as of now."""
    return answer(proof(now=log.now, **changes))


def proofs(watcher: Watcher) -> list[tuple[int, str]]:
    """Entries that carry a proof, and its word."""
    return [(row.index, row.seen.proof.word.value) for row in watcher.state.rows if row.seen.proof is not None]


def alerts(watcher: Watcher) -> list[str]:
    """Rules that have something against a server."""
    return [alert.rule for alert in watcher.state.alerts.values() if "server" in alert.rule]


@pytest.mark.parametrize("stream", [False, True])
async def test_an_answer_is_proven_and_its_request_is_not(state_folder: Path, stream: bool) -> None:
    log = Log()
    asked = log.request(CALL)
    log.response(asked)
    if stream:
        log.message(asked, note("notifications/progress", {"progressToken": 4, "progress": 1}), stream=True)
    reply = log.message(asked, signed(log), stream=stream)
    log.end(asked)
    watcher = await watch(state_folder, log.entries)
    assert proofs(watcher) == [(reply.index, "VERIFIED")]
    row = watcher.state.row(asked.index)
    assert row is not None
    assert row.word == "UNSIGNED"
    assert row.seen.exchange is not None
    assert row.seen.exchange.proof is not None
    assert row.seen.exchange.proof.word is Word.VERIFIED
    assert watcher.state.servers[ALICE.did_key].words == {Word.VERIFIED: 1}
    assert not watcher.state.identities
    assert not alerts(watcher)


async def test_a_changed_answer_is_an_alert(state_folder: Path) -> None:
    log = Log()
    changed = signed(log)
    changed["result"] = {**changed["result"], "content": [{"type": "text", "text": "all yours"}]}
    log.exchange(CALL, changed)
    watcher = await watch(state_folder, log.entries)
    assert proofs(watcher) == [(2, "BAD SIG")]
    assert alerts(watcher) == ["identity/bad-server-proof"]


async def test_what_answers_no_call_of_a_tool_has_no_proof(state_folder: Path) -> None:
    log = Log()
    log.exchange({**CALL, "method": "tools/list"}, signed(log))
    asked = log.request(CALL)
    log.message(asked, signed(log), stream=True)
    log.message(asked, signed(log), stream=True)
    log.message(asked, note("notifications/message", {"data": signed(log)}), stream=True)
    log.exchange(call(5, "read"), result(5, text('"proof"')))
    watcher = await watch(state_folder, log.entries)
    assert proofs(watcher) == [(5, "VERIFIED")]


class Listening:
    """Hears what was judged again."""

    def __init__(self) -> None:
        self.again: list[tuple[int, str]] = []

    def entry(self, row: Row, raised: Sequence[Raised]) -> None:
        """Nothing of this is of interest."""

    def verdict(self, row: Row, raised: Sequence[Raised]) -> None:
        self.again.append((row.index, row.seen.proof.word.value if row.seen.proof is not None else ""))

    def alerts(self, raised: Sequence[Raised]) -> None:
        """Nothing of this is of interest."""

    def feed(self, before: FeedStatus | None, after: FeedStatus) -> None:
        """Nothing of this is of interest."""


async def test_it_waits_for_the_key_as_requests_do(state_folder: Path) -> None:
    log = Log()
    log.exchange(CALL, signed(log, did=BANK, kid=f"{BANK}#key-1"))
    forged = signed(log, did=BANK, kid=f"{BANK}#key-1", nonce="other")
    forged["result"]["content"] = []
    log.exchange(CALL, forged)
    watcher = watcher_on(state_folder, ListSource(log.entries))
    pipeline, heard = watcher._pipeline, Listening()
    pipeline._keys.resolvable = ("did:web:",)
    await watcher.run(heard)
    assert proofs(watcher) == [(2, "NO CHECK"), (6, "NO CHECK")]
    assert len(pipeline.waiting) == 2
    version = watcher.state.version
    pipeline._keys.learn(BANK, Resolved(Resolution.DID_WEB, (ResolvedKey(ALICE.public),)), 0)
    await pipeline.settled([BANK])
    assert proofs(watcher) == [(2, "VERIFIED"), (6, "BAD SIG")]
    assert heard.again == [(2, "VERIFIED"), (6, "BAD SIG")]
    assert watcher.state.version > version
    assert watcher.state.servers[BANK].words == {Word.VERIFIED: 1, Word.BAD_SIG: 1, Word.NO_CHECK: 0}
    assert alerts(watcher) == ["identity/bad-server-proof"]
    exchanges = [row.seen.exchange for row in watcher.state.rows if row.kind == "request"]
    assert [exchange.proof.word.value for exchange in exchanges if exchange is not None and exchange.proof] == [
        "VERIFIED",
        "BAD SIG",
    ]
    await pipeline.settled([BANK])
    assert len(heard.again) == 2
    await watcher.close()


async def test_a_pin_that_changes_is_heard_by_proofs_too(state_folder: Path) -> None:
    log = Log()
    log.exchange(CALL, signed(log, did=BANK, kid=f"{BANK}#key-1"))
    watcher = await watch(state_folder, log.entries)
    pipeline = watcher._pipeline
    assert proofs(watcher) == [(2, "NO CHECK")]
    pipeline._keys.pin(BANK, ALICE.public)
    await pipeline.repinned({BANK})
    assert proofs(watcher) == [(2, "VERIFIED")]
    pipeline._keys.unpin(BANK)
    pipeline._keys.pin(BANK, BOB.public)
    await pipeline.repinned({BANK})
    assert proofs(watcher) == [(2, "BAD SIG")]


async def test_the_request_may_have_left_the_ring(state_folder: Path) -> None:
    log = Log()
    asked = signed_request(log, CALL)
    log.response(asked)
    log.message(asked, signed(log))
    watcher = watcher_on(state_folder, ListSource(log.entries))
    pipeline = watcher._pipeline
    lane = pipeline.lanes[""]
    watcher.state.rows.max_rows = 1
    for entry in log.entries:
        pipeline.take(lane, entry)
    assert proofs(watcher) == [(2, "NO CHECK")]
    await watcher.close()
