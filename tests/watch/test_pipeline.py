"""The whole way of an entry, with the real rooms: judged, folded, observed, applied; and nothing ends it."""

import asyncio
import itertools
import logging
from collections.abc import AsyncGenerator, Callable, Coroutine, Sequence
from pathlib import Path

import pytest
from build import Log
from msgspec import structs
from piped import ALICE, MALLORY, ListSource, again, signed, story, watch, watcher_on
from proven import CALL, answer, proof
from rpc import ask, call, note, result, text, tool

from mcpwatch.encoding import decode_base64
from mcpwatch.errors import UsageError
from mcpwatch.identity.resolution import Resolved, ResolvedKey
from mcpwatch.model.alerts import AlertState, EventKind
from mcpwatch.model.entries import Entry
from mcpwatch.model.feed import FeedState, FeedStatus, Gap
from mcpwatch.model.identity import Resolution, Word
from mcpwatch.model.traffic import SessionKind
from mcpwatch.watch.build import open_watcher
from mcpwatch.watch.query import parse
from mcpwatch.watch.row import Row
from mcpwatch.watch.slices import SLICE
from mcpwatch.watch.state import Raised, State
from mcpwatch.watch.view import View
from mcpwatch.watch.waiting import Waiting
from mcpwatch.watch.watcher import Watcher


def words(state: State) -> list[str]:
    return [row.word for row in state.rows if row.tool]


async def test_honest_tampered_replayed_and_foreign_calls_are_told_apart(state_folder: Path) -> None:
    watcher = await watch(state_folder, story())
    assert words(watcher.state) == ["VERIFIED", "BAD SIG", "REPLAY", "WRONG KEY"]
    rules = {alert.rule for alert in watcher.state.alerts.values()}
    assert {"identity/bad-signature", "identity/replayed", "identity/wrong-key"} <= rules
    calls = [row for row in watcher.state.rows if row.tool]
    assert calls[0].severity is None and all(row.severity for row in calls[1:])
    identity = watcher.state.identities[ALICE.did_key]
    assert identity.words == {Word.VERIFIED: 1, Word.BAD_SIG: 1, Word.REPLAY: 1}
    assert identity.proven == 1
    assert [row.who.evidence.name for row in calls] == ["VERIFIED", "CLAIMED", "CLAIMED", "VERIFIED"]
    assert [(session.upstream, session.call_count) for session in watcher.state.sessions.values()] == [("files", 5)]


async def test_a_call_runs_and_ends_on_its_request_row(state_folder: Path) -> None:
    log = Log()
    asked = log.request(call(1, "read"))
    log.response(asked)
    watcher = watcher_on(state_folder, ListSource(log.entries))
    await watcher.run()
    running = View(watcher.state, parse("status:running"))
    assert [row.index for row in running.rows(0, 9)] == [0]
    log.wait(2)
    log.message(asked, result(1, text("hello")))
    log.end(asked)
    lane = watcher._pipeline.lanes[""]
    for entry in log.entries[2:]:
        watcher._pipeline.take(lane, entry)
    running.sync()
    assert len(running) == 0
    row = watcher.state.row(0)
    assert row is not None
    assert row.outcome(0.0) == "ok"
    assert row.duration(0.0) == pytest.approx(2, abs=0.1)
    assert [entry.index for entry in watcher.state.rows_of_call(row.seen.opened[0])][:1] == [0]
    await watcher.close()


async def test_a_malformed_entry_is_a_row_with_its_reason(state_folder: Path) -> None:
    log = Log()
    log.malformed(fault="not JSON at octet 3")
    log.exchange(call(1, "read"), result(1))
    watcher = await watch(state_folder, log.entries)
    assert [row.kind for row in watcher.state.rows] == ["malformed", "request", "response", "message", "end"]
    first = watcher.state.row(0)
    assert first is not None and "not JSON at octet 3" in first.text
    assert "feed/malformed" in {alert.rule for alert in watcher.state.alerts.values()}


async def test_what_a_room_cannot_take_in_is_a_row_and_the_rest_goes_on(
    state_folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    log = Log()
    for number in range(3):
        log.exchange(call(number, "read"), result(number))
    watcher = watcher_on(state_folder, ListSource(log.entries))
    traffic = watcher._pipeline.lanes[""].traffic
    whole = traffic.apply

    def fails(entry: Entry, verdict: object) -> object:
        if entry.index == 4:
            raise ValueError("a secret: hunter2")
        return whole(entry, verdict)  # type: ignore[arg-type]

    monkeypatch.setattr(traffic, "apply", fails)
    with caplog.at_level(logging.ERROR):
        await watcher.run()
    assert [row.kind for row in watcher.state.rows].count("malformed") == 1
    assert watcher.state.counts.entries == 12
    assert watcher.state.counts.failures == 1
    failed = watcher.state.row(4)
    assert failed is not None
    assert failed.seen.note.startswith("mcpwatch could not take it in: ValueError in test_pipeline:")
    assert "entry 4" in caplog.text and "hunter2" not in caplog.text + failed.text
    await watcher.close()


async def test_a_rule_that_fails_is_counted_and_its_neighbours_go_on(
    state_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise ValueError("no")

    monkeypatch.setattr("mcpwatch.detect.rules.identity.BadSignature.observe", fails)
    watcher = await watch(state_folder, story())
    watcher._pipeline.tick()
    assert watcher.state.counts.rule_failures > 0
    assert watcher.state.counts.failures == 0
    assert "identity/replayed" in {alert.rule for alert in watcher.state.alerts.values()}


class Ear:
    """A listener that remembers; it fails once where asked to."""

    def __init__(self, fails_at: int = -1) -> None:
        self.heard: list[tuple[str, object]] = []
        self.fails_at = fails_at

    def entry(self, row: Row, raised: Sequence[Raised]) -> None:
        if row.index == self.fails_at:
            raise RuntimeError("deaf")
        self.heard.append(("entry", row.index))
        self.heard += [("alert", alert.rule) for _, alert in raised]

    def verdict(self, row: Row, raised: Sequence[Raised]) -> None:
        self.heard.append(("verdict", (row.index, row.word)))

    def alerts(self, raised: Sequence[Raised]) -> None:
        self.heard += [("alert", alert.rule) for _, alert in raised]

    def feed(self, before: FeedStatus | None, after: FeedStatus) -> None:
        self.heard.append(("feed", after.state))


async def test_a_listener_hears_all_in_order_and_may_fail(state_folder: Path) -> None:
    log = Log()
    log.started()
    log.malformed()
    log.exchange(note("notifications/initialized"), status=202)
    watcher = watcher_on(state_folder, ListSource(log.entries))
    ear = Ear(fails_at=3)
    await watcher.run(ear)
    entries = [(kind, value) for kind, value in ear.heard if kind != "feed"]
    at = entries.index(("entry", 1))
    assert entries[at : at + 2] == [("entry", 1), ("alert", "feed/malformed")]
    assert [value for kind, value in entries if kind == "entry"] == [0, 1, 2, 4]
    assert ("feed", FeedState.LIVE) in ear.heard
    assert watcher.state.counts.failures == 1
    await watcher.close()


async def test_a_key_that_arrives_has_its_requests_judged_again(state_folder: Path) -> None:
    log = Log()
    for number in range(2):
        signed(log, call(number, "read"), did=ALICE.did_aip)
    signed(log, call(9, "read"), key=MALLORY, did=MALLORY.did_aip)
    watcher = watcher_on(state_folder, ListSource(log.entries))
    pipeline, keys = watcher._pipeline, watcher._pipeline._keys
    keys.resolvable = ("did:aip:",)
    ear = Ear()
    await watcher.run(ear)
    assert [row.verdict.waiting for row in watcher.state.rows if row.verdict] == [True, True, True]
    assert len(pipeline.waiting) == 3
    verified = View(watcher.state, parse("sig:verified"))
    assert len(verified) == 0
    key = decode_base64(ALICE.public_base64)
    assert key is not None
    keys.learn(ALICE.did_aip, Resolved(Resolution.REGISTRY, (ResolvedKey(key),)), 1.0)
    keys.failed(MALLORY.did_aip, "the registry is down", 1.0)
    await pipeline.settled([ALICE.did_aip, MALLORY.did_aip])
    assert words(watcher.state) == ["VERIFIED", "VERIFIED", "NO CHECK"]
    verified.sync()
    assert len(verified) == 2
    assert len(pipeline.waiting) == 1
    assert [value for kind, value in ear.heard if kind == "verdict"] == [
        (0, "VERIFIED"),
        (1, "VERIFIED"),
        (2, "NO CHECK"),
    ]
    assert watcher.state.identities[ALICE.did_aip].proven == 2
    assert +watcher.state.counts.words == {Word.VERIFIED: 2, Word.NO_CHECK: 1}
    await watcher.close()


async def test_a_request_waits_for_the_identity_whose_key_it_names_and_for_no_other(state_folder: Path) -> None:
    log = Log()
    signed(log, call(0, "read"), did="did:web:x#b")
    watcher = watcher_on(state_folder, ListSource(log.entries))
    pipeline, keys = watcher._pipeline, watcher._pipeline._keys
    keys.learn("did:web:x", Resolved(Resolution.DID_WEB, (ResolvedKey(MALLORY.public, name="a"),)), 0.0, as_of=0.0)
    keys.wanted(1_000.0)
    await watcher.run()
    assert [row.verdict.waiting for row in watcher.state.rows if row.verdict] == [True]
    assert pipeline.waiting.take(["did:web:other"]) == []
    assert pipeline.waiting.take(["did:web:x"]) == [("", 0)]
    await watcher.close()


async def test_what_came_of_a_request_moves_with_it_into_its_signers_session(state_folder: Path) -> None:
    log = Log()
    asked = signed(log, call(1, "read"), did=ALICE.did_aip)
    log.response(asked)
    log.message(asked, result(1))
    log.end(asked)
    watcher = watcher_on(state_folder, ListSource(log.entries))
    pipeline, keys = watcher._pipeline, watcher._pipeline._keys
    keys.resolvable = ("did:aip:",)
    await watcher.run()
    rows = list(watcher.state.rows)
    assert [row.session.kind for row in rows if row.session] == [SessionKind.ANONYMOUS] * len(rows)
    key = decode_base64(ALICE.public_base64)
    assert key is not None
    keys.learn(ALICE.did_aip, Resolved(Resolution.REGISTRY, (ResolvedKey(key),)), 1.0)
    await pipeline.settled([ALICE.did_aip])
    (session,) = watcher.state.sessions.values()
    assert session.kind is SessionKind.SIGNER
    assert [row for row in watcher.state.rows if row.seen.session is session] == rows
    await watcher.close()


async def test_a_key_that_arrives_late_takes_the_session_from_who_came_later(state_folder: Path) -> None:
    log = Log()
    log.initialize("s1")
    first = signed(log, call(1, "read"), did=ALICE.did_aip, session="s1")
    second = signed(log, call(2, "read"), key=MALLORY, session="s1")
    watcher = watcher_on(state_folder, ListSource(log.entries))
    pipeline, keys = watcher._pipeline, watcher._pipeline._keys
    keys.resolvable = ("did:aip:",)
    ear = Ear()
    await watcher.run(ear)
    assert words(watcher.state) == ["NO CHECK", "VERIFIED"]
    key = decode_base64(ALICE.public_base64)
    assert key is not None
    keys.learn(ALICE.did_aip, Resolved(Resolution.REGISTRY, (ResolvedKey(key),)), 1.0)
    await pipeline.settled([ALICE.did_aip])
    assert words(watcher.state) == ["VERIFIED", "WRONG KEY"]
    told = [value for kind, value in ear.heard if kind == "verdict"]
    assert told == [(first.index, "VERIFIED"), (second.index, "WRONG KEY")]
    row = watcher.state.row(second.index)
    assert row is not None
    rules = {watcher.state.alerts[key].rule for key in row.alerts}
    assert "identity/wrong-key" in rules
    assert row.severity is not None
    await watcher.close()


async def test_an_acknowledgement_that_runs_out_lets_the_alert_fire(state_folder: Path) -> None:
    entries = story()
    now = entries[-1].received
    watcher = open_watcher([ListSource(entries)], state_folder, clock=lambda: now)
    await watcher.run()
    alert = next(iter(watcher.state.alerts.values()))
    await watcher.acknowledge(alert.id, "known", alert.last_index)
    version, changes = watcher.state.version, watcher.state.alert_changes
    watcher._pipeline.tick()
    assert (alert.state, watcher.state.alert_changes) == (AlertState.ACKNOWLEDGED, changes)
    now += 9 * 3_600
    watcher._pipeline.tick()
    assert alert.state is AlertState.FIRING
    assert watcher.state.version > version
    assert watcher.state.alert_changes == changes + 1
    await watcher.close()


def test_waiting_requests_are_given_out_once_and_bounded() -> None:
    waiting = Waiting(limit=3, unnamed_limit=2)
    waiting.add("did:x:1#key", ("", 1))
    waiting.add("did:x:1", ("", 2))
    for index in (3, 4, 5):
        waiting.add("", ("", index))
    assert len(waiting) == 4
    assert waiting.given_up() == [("", 3)]
    assert waiting.given_up() == []
    assert waiting.take(["did:x:1#other"]) == [("", 1), ("", 2), ("", 4), ("", 5)]
    assert waiting.take(["did:x:1"]) == []
    for index in range(5):
        waiting.add(f"did:x:{index % 2}", ("", index))
    assert len(waiting) == 3
    assert waiting.given_up() == [("", 0), ("", 2)]
    waiting.add("did:x:0", ("", 5))
    assert waiting.given_up() == [("", 4)]
    assert waiting.take(["did:x:1", "did:x:0"]) == [("", 1), ("", 3), ("", 5)]
    assert len(waiting) == 0


@pytest.mark.filterwarnings("ignore:EdDSA is deprecated")
async def test_what_had_to_make_room_is_told_and_counted(state_folder: Path) -> None:
    log = Log()
    waiting_for_alice(log, 3)
    log.exchange(CALL, answer(proof(now=log.now, did="did:web:bank.example", kid="did:web:bank.example#key-1")))
    bob = signed(log, call(9, "read"), key=MALLORY, did=MALLORY.did_aip)
    watcher = watcher_on(state_folder, ListSource(log.entries))
    pipeline = watcher._pipeline
    pipeline._keys.resolvable = ("did:aip:", "did:web:")
    pipeline.waiting.limit = 1
    ear = Ear()
    await watcher.run(ear)
    told = [row.verdict or row.seen.proof for row in watcher.state.rows if row.word == "NO CHECK" or row.seen.proof]
    assert [one.waiting for one in told if one] == [False, False, False, False, True]
    given_up = watcher.state.row(0)
    assert given_up is not None and given_up.verdict is not None
    assert given_up.verdict.reasons[0] == "given up, to make room: more than 1 requests wait for keys"
    assert watcher.state.counts.unjudged == 4
    assert watcher.state.counts.words[Word.NO_CHECK] == 4
    alert = next(alert for alert in watcher.state.alerts.values() if alert.rule == "identity/cannot-check")
    assert (alert.count, alert.evidence[-1]) == (3, 2)
    assert ("verdict", (2, "NO CHECK")) in ear.heard
    assert pipeline.waiting.take([MALLORY.did_aip]) == [("", bob.index)]
    await watcher.close()


async def test_a_request_whose_row_is_gone_as_its_key_comes_is_counted(state_folder: Path) -> None:
    log = Log()
    waiting_for_alice(log, 3)
    watcher = watcher_on(state_folder, ListSource(log.entries))
    watcher._pipeline._keys.resolvable = ("did:aip:",)
    watcher.state.rows.max_rows = 1
    await watcher.run()
    await alice_known(watcher)
    assert watcher.state.counts.unjudged == 2
    assert +watcher.state.counts.words == {Word.VERIFIED: 1, Word.NO_CHECK: 2}
    await watcher.close()


async def test_a_gap_in_the_feed_is_an_alert(state_folder: Path) -> None:
    class Gappy(ListSource):
        async def batches(self) -> AsyncGenerator[list[Entry], None]:
            async for batch in super().batches():
                yield batch
            self.status = structs.replace(self.status, state=FeedState.GAP, gaps=(Gap(5, 9, "retention"),))
            yield []

    log = Log()
    log.exchange(call(1, "read"), result(1))
    watcher = watcher_on(state_folder, Gappy(log.entries))
    ear = Ear()
    await watcher.run(ear)
    assert watcher.state.feeds[""].state is FeedState.GAP
    assert ("alert", "feed/gap") in ear.heard
    await watcher.close()


@pytest.mark.parametrize("is_gap", [True, False])
async def test_a_call_that_ran_before_a_gap_may_have_ended_in_it(state_folder: Path, is_gap: bool) -> None:
    log = Log()
    log.initialize("s1")
    running = log.request(call(2, "read"), session="s1")
    ended = log.exchange(call(3, "read"), result(3), session="s1")
    log.exchange(call(4, "read"), result(4), session="s1")
    missing = {entry.index for entry in ended} if is_gap else set()
    watcher = watcher_on(state_folder, ListSource([entry for entry in log.entries if entry.index not in missing]))
    await watcher.run()
    row = watcher.state.row(running.index)
    assert row is not None
    assert row.call is not None
    assert (row.call.is_doubtful, row.outcome(row.time)) == (is_gap, "end not seen" if is_gap else "running 0µs")
    await watcher.close()


async def test_a_source_that_fails_ends_alone(state_folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    class Broken(ListSource):
        async def batches(self) -> AsyncGenerator[list[Entry], None]:
            async for _ in super().batches():
                raise OSError("token=hunter2")
            yield []

    log = Log(source="good")
    log.exchange(call(1, "read"), result(1))
    watcher = watcher_on(state_folder, Broken([], name="bad"), ListSource(log.entries, name="good"))
    await watcher.run()
    assert watcher.state.counts.sources == {"good": 4}
    bad = watcher.state.feeds["bad"]
    assert (bad.state, "OSError in" in bad.detail) == (FeedState.ENDED, True)
    assert "hunter2" not in caplog.text + bad.detail
    await watcher.close()


async def test_a_long_batch_leaves_turns_to_others(state_folder: Path) -> None:
    log = Log()
    for number in range(2 * SLICE):
        log.exchange(call(number, "read"), result(number))
    watcher = watcher_on(state_folder, ListSource(log.entries))
    seen: list[int] = []

    async def other() -> None:
        while True:
            seen.append(watcher.state.counts.entries)
            await asyncio.sleep(0)

    task = asyncio.create_task(other())
    await watcher.run()
    task.cancel()
    steps = [after - before for before, after in itertools.pairwise(seen)]
    assert watcher.state.counts.entries == 8 * SLICE
    assert max(steps) <= SLICE
    await watcher.close()


def waiting_for_alice(log: Log, count: int, session: str = "") -> list[Entry]:
    """Requests whose key is not there yet."""
    return [signed(log, call(number, "read"), did=ALICE.did_aip, session=session) for number in range(count)]


async def alice_known(watcher: Watcher) -> None:
    """Her key comes."""
    keys = watcher._pipeline._keys
    keys.learn(ALICE.did_aip, Resolved(Resolution.REGISTRY, (ResolvedKey(ALICE.public),)), 1.0)
    await watcher._pipeline.settled([ALICE.did_aip])


async def alice_pinned(watcher: Watcher) -> None:
    """Her key is pinned."""
    watcher._pipeline._keys.pin(ALICE.did_aip, ALICE.public)
    await watcher._pipeline.repinned({ALICE.did_aip})


@pytest.mark.parametrize("comes", [alice_known, alice_pinned])
@pytest.mark.parametrize("session", ["", "s1"])
async def test_judging_many_again_leaves_turns_to_others(
    state_folder: Path, session: str, comes: Callable[[Watcher], Coroutine[None, None, None]]
) -> None:
    log = Log()
    waiting_for_alice(log, 3 * SLICE, session)
    watcher = watcher_on(state_folder, ListSource(log.entries))
    watcher._pipeline._keys.resolvable = ("did:aip:",)
    await watcher.run()
    judging = asyncio.create_task(comes(watcher))
    seen = [0]
    while not judging.done():
        await asyncio.sleep(0)
        seen.append(watcher.state.counts.words[Word.VERIFIED])
    assert seen[-1] == 3 * SLICE
    assert max(after - before for before, after in itertools.pairwise(seen)) <= SLICE
    await watcher.close()


async def test_what_comes_while_others_are_judged_again_is_judged_after_them(state_folder: Path) -> None:
    class Later(ListSource):
        """Its second batch comes when it is told to."""

        async def batches(self) -> AsyncGenerator[list[Entry], None]:
            async for batch in super().batches():
                yield batch
                taken.set()
                await more.wait()

    taken, more = asyncio.Event(), asyncio.Event()
    log = Log()
    first = waiting_for_alice(log, 2 * SLICE)
    count = len(log.entries)
    again(log, first[-1])
    watcher = watcher_on(state_folder, Later(log.entries[:count], log.entries[count:]))
    watcher._pipeline._keys.resolvable = ("did:aip:",)
    ear = Ear()
    reading = asyncio.create_task(watcher.run(ear))
    await taken.wait()
    judging = [asyncio.create_task(alice_known(watcher)) for _ in range(2)]
    await asyncio.sleep(0)
    assert 0 < watcher.state.counts.words[Word.VERIFIED] < 2 * SLICE
    more.set()
    await asyncio.gather(*judging, reading)
    assert +watcher.state.counts.words == {Word.VERIFIED: 2 * SLICE, Word.REPLAY: 1}
    assert len(watcher._pipeline.waiting) == 0
    heard = [value for kind, value in ear.heard if kind in ("verdict", "entry")]
    assert heard[len(first) :] == [*((entry.index, "VERIFIED") for entry in first), log.entries[-1].index]
    await watcher.close()


async def test_two_feeds_keep_their_sessions_apart_and_share_the_replay_window(state_folder: Path) -> None:
    one, two = Log(source="one"), Log(source="two")
    first = signed(one, call(1, "read"))
    one.initialize("s1")
    two.initialize("s1")
    copied = again(two, first)
    watcher = watcher_on(state_folder, ListSource(one.entries, name="one"), ListSource(two.entries, name="two"))
    await watcher.run()
    assert {source for source, _ in watcher.state.sessions} == {"one", "two"}
    verdicts = {
        source: row.verdict
        for source, index in (("one", first.index), ("two", copied.index))
        if (row := watcher.state.row(index, source))
    }
    assert sorted(verdict.word.value for verdict in verdicts.values() if verdict) == ["REPLAY", "VERIFIED"]
    await watcher.close()


async def test_a_feed_and_its_own_recording_are_no_replays_of_each_other(state_folder: Path) -> None:
    log = Log(source="live")
    signed(log, call(1, "read"))
    recorded = ListSource([structs.replace(entry, source="tape") for entry in log.entries], name="tape")
    live = ListSource(log.entries, name="live")
    for source in (recorded, live):
        source.status = structs.replace(source.status, key="gateway.example/feed/1+1a2b3c4d+AbCd")
    watcher = watcher_on(state_folder, recorded, live)
    await watcher.run()
    assert [row.word for row in watcher.state.rows if row.verdict] == ["VERIFIED", "VERIFIED"]
    await watcher.close()


async def test_what_is_trusted_of_a_feed_stays_trusted_under_another_name(state_folder: Path) -> None:
    def told(name: str, description: str) -> ListSource:
        log = Log(source=name)
        log.initialize("s1")
        log.exchange(ask(2, "tools/list"), result(2, {"tools": [tool("read", description)]}), session="s1")
        return ListSource(log.entries, name=name)

    for name, description in (("127.0.0.1:1", "Reads."), ("office", "Reads, and sends it on.")):
        watcher = watcher_on(state_folder, told(name, description))
        await watcher.run()
        await watcher.close()
    assert "tool/definition-changed" in {alert.rule for alert in watcher.state.alerts.values()}


def test_two_feeds_of_one_name_are_refused(state_folder: Path) -> None:
    with pytest.raises(UsageError, match="two feeds go by the name x"):
        watcher_on(state_folder, ListSource(name="x"), ListSource(name="x"))


async def test_acknowledgements_hold_over_a_restart(state_folder: Path) -> None:
    entries = story()
    watcher = await watch(state_folder, entries)
    watcher = watcher_on(state_folder, ListSource(entries), author="ann@desk")
    await watcher.run()
    bad = next(alert for alert in watcher.state.alerts.values() if alert.rule == "identity/bad-signature")
    version = watcher.state.version
    await watcher.acknowledge(bad.id, "known: build 7 \ud800", bad.last_index)
    assert watcher.state.version > version
    await watcher.close()

    restarted = await watch(state_folder, entries)
    alert = restarted.state.alerts[bad.id]
    assert alert is not bad
    assert alert.state is AlertState.ACKNOWLEDGED
    assert alert.acknowledgement is not None
    assert (alert.acknowledgement.author, alert.acknowledgement.note) == ("ann@desk", "known: build 7 ?")
    assert View(restarted.state, parse("ack:yes rule:bad-signature")).rows(0, 9) == restarted.state.rows_of_alert(alert)


async def test_what_was_taken_back_fires_again_after_a_restart(state_folder: Path) -> None:
    entries = story()
    watcher = watcher_on(state_folder, ListSource(entries))
    await watcher.run()
    bad = next(alert for alert in watcher.state.alerts.values() if alert.rule == "identity/bad-signature")
    await watcher.acknowledge(bad.id, "known", bad.last_index)
    await watcher.unacknowledge(bad.id, "not so")
    await watcher.close()
    restarted = await watch(state_folder, entries)
    alert = restarted.state.alerts[bad.id]
    assert alert.state is AlertState.FIRING
    assert [event.note for event in alert.history] == ["known", "not so"]


async def test_closing_closes_the_sources(state_folder: Path) -> None:
    source = ListSource()
    await watcher_on(state_folder, source).close()
    assert source.closed


async def test_the_clock_moves_sessions_and_running_times(state_folder: Path) -> None:
    log = Log()
    log.request(call(1, "read"), session="s1")
    now = log.now
    watcher = open_watcher([ListSource(log.entries)], state_folder, clock=lambda: now)
    await watcher.run()
    row = watcher.state.row(0)
    assert row is not None
    now += 3_600
    assert watcher.tick() == now
    assert row.outcome(watcher.state.gateway_now("")) == "running 1h00m"
    watcher._pipeline.tick()
    assert [session.state.value for session in watcher.state.sessions.values()] == ["idle"]
    await watcher.close()


async def test_a_dead_gateway_raises_an_alert_on_the_tick_once_for_each_outage(state_folder: Path) -> None:
    log = Log()
    log.exchange(call(1, "read"), result(1))
    source = ListSource(log.entries, name="prod")
    watcher = watcher_on(state_folder, source)
    await watcher.run()
    for outage in (1, 2):
        source.status = structs.replace(source.status, state=FeedState.DISCONNECTED, overdue=True)
        watcher._pipeline.tick()
        source.status = structs.replace(source.status, detail=f"attempt {outage}")
        watcher._pipeline.tick()
        (alert,) = [alert for alert in watcher.state.alerts.values() if alert.rule == "feed/stale"]
        assert (alert.subject, alert.count, alert.state) == ("prod", outage, AlertState.FIRING)
        source.status = structs.replace(source.status, state=FeedState.LIVE, overdue=False)
        watcher._pipeline.tick()
        assert alert.state is AlertState.RESOLVED
    assert [(event.kind, event.author) for event in alert.history] == [
        (EventKind.RESOLVED, ""),
        (EventKind.FIRED_AGAIN, ""),
        (EventKind.RESOLVED, ""),
    ]
    assert alert.history[0].note == "a checkpoint is overdue no more; the feed is LIVE"
    await watcher.close()
