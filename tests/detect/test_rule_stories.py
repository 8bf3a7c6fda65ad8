"""Whole stories: entries through the real judge and the real fold to alerts."""

from base64 import b64decode
from itertools import count

import msgspec
from build import Log
from people import acknowledge
from rpc import ask, call, error, modern, modern_headers, result, text, tool
from verdicts import principal

from mcpwatch.detect.book import AlertBook
from mcpwatch.detect.engine import Engine
from mcpwatch.detect.rule import Operator
from mcpwatch.identity.judge import Judge
from mcpwatch.identity.keys import KeyBook
from mcpwatch.identity.replay import ReplayWindow
from mcpwatch.identity.resolution import Resolved, ResolvedKey
from mcpwatch.identity.signer import AgentKey, aip_headers, rfc9421_headers
from mcpwatch.model.alerts import Act, Alert
from mcpwatch.model.entries import Entry, Json, Request
from mcpwatch.model.identity import Resolution
from mcpwatch.model.traffic import Observation
from mcpwatch.traffic.fold import Traffic

ALICE, BOB, CAROL = AgentKey(b"a" * 32), AgentKey(b"b" * 32), AgentKey(b"c" * 32)
NONCES = count()


class Watch:
    """What a watcher does with one feed, without the feed."""

    def __init__(self) -> None:
        self.log = Log()
        self.traffic = Traffic()
        self.keys = KeyBook()
        self.judge = Judge(self.keys, ReplayWindow())
        self.engine = Engine()
        self.book = AlertBook()
        self.done = 0

    def alerts(self) -> dict[str, list[Alert]]:
        """All alerts so far by rule."""
        for entry in self.log.entries[self.done :]:
            self.take(entry)
        self.done = len(self.log.entries)
        assert not self.engine.failures
        found: dict[str, list[Alert]] = {}
        for alert in self.book.alerts.values():
            found.setdefault(alert.rule, []).append(alert)
        return found

    def take(self, entry: Entry) -> None:
        data = entry.record.data if entry.record else None
        verdict = self.judge.judge(entry.index, data, self.log.now) if isinstance(data, Request) else None
        self.note(self.traffic.apply(entry, verdict))

    def judge_again(self, entry: Entry) -> None:
        assert entry.record and isinstance(entry.record.data, Request)
        verdict = self.judge.judge(entry.index, entry.record.data, self.log.now)
        seen = self.traffic.rejudge(entry.index, verdict)
        for each in (seen, *self.traffic.revised()):
            if each is not None:
                self.note(each)

    def note(self, seen: Observation) -> None:
        for finding in self.engine.observe(seen):
            self.book.add(finding, seen.time)

    def signed(self, key: AgentKey, body: Json, uri: str = "http://127.0.0.1:8000/mcp") -> dict[str, str]:
        """Headers that sign `body`; those of the modern era are covered too."""
        fields = modern_headers(body) if "_meta" in (body.get("params") or {}) else {}
        data = msgspec.json.encode(body)
        nonce = str(next(NONCES))
        signed = rfc9421_headers(key, "POST", uri, fields, data, now=self.log.now, nonce=nonce)
        return {"user-agent": "agent/1.0", **fields, **signed}

    def ask(self, key: AgentKey, body: Json, answer: Json = None, session: str = "") -> list[Entry]:
        """A signed exchange."""
        given = result(body["id"]) if answer is None else answer
        return self.log.exchange(body, given, session=session, headers=self.signed(key, body))

    def open(self, key: AgentKey, session: str) -> None:
        """A signed handshake."""
        first = ask(0, "initialize", {"clientInfo": {"name": "agent", "version": "1"}})
        self.log.exchange(first, result(0), opens=session, headers=self.signed(key, first))


def test_honest_signed_agents_of_both_eras_raise_nothing() -> None:
    watch = Watch()
    watch.open(ALICE, "s1")
    watch.ask(ALICE, ask(1, "tools/list"), result(1, {"tools": [tool("read", "Reads a file")]}), "s1")
    watch.ask(ALICE, call(2, "read"), result(2, text("line\r\n")), "s1")
    watch.ask(BOB, modern(ask(1, "server/discover")))
    watch.ask(BOB, modern(ask(2, "tools/list")), result(2, {"tools": [tool("read", "Reads a file")]}))
    watch.ask(BOB, modern(call(3, "read")), result(3, text("ok")))
    end = watch.log.request(method="DELETE", session="s1", headers={"user-agent": "agent/1.0"})
    watch.log.response(end, 204)
    watch.log.end(end)
    assert watch.alerts() == {}


def test_an_unsigned_agent() -> None:
    watch = Watch()
    agent = {"user-agent": "agent/1.0"}
    watch.log.initialize("s1", headers=agent)
    for id in range(3):
        watch.log.exchange(call(id, "read"), result(id, text("ok")), session="s1", headers=agent)
    alerts = watch.alerts()
    assert set(alerts) == {"identity/unsigned-call", "session/anonymous"}
    assert [alert.count for alert in alerts["identity/unsigned-call"]] == [3]


def test_a_changed_body() -> None:
    watch = Watch()
    headers = watch.signed(ALICE, call(1, "read"))
    watch.log.exchange(call(1, "rm"), result(1, text("ok")), headers=headers)
    (alert,) = watch.alerts()["identity/bad-signature"]
    assert ALICE.did_key in alert.subject


def test_the_same_request_again() -> None:
    watch = Watch()
    body = modern(call(1, "read"))
    headers = watch.signed(ALICE, body)
    watch.log.exchange(body, result(1, text("ok")), headers=headers)
    watch.log.exchange(body, result(1, text("ok")), headers=headers, peer="192.0.2.9:1234")
    alerts = watch.alerts()
    assert set(alerts) == {"identity/replayed"}
    assert alerts["identity/replayed"][0].evidence == [0, 4]


def test_another_key_in_the_session() -> None:
    watch = Watch()
    watch.open(ALICE, "s1")
    watch.ask(ALICE, call(1, "read"), session="s1")
    watch.ask(BOB, call(2, "read"), session="s1")
    alerts = watch.alerts()
    assert set(alerts) == {"identity/wrong-key"}
    (alert,) = alerts["identity/wrong-key"]
    assert alert.evidence == [0, 8]


def test_a_request_of_one_session_in_another() -> None:
    watch = Watch()
    watch.open(ALICE, "s1")
    watch.open(BOB, "s2")
    body = call(1, "read")
    headers = watch.signed(ALICE, body)
    watch.log.exchange(body, result(1), session="s1", headers=headers)
    watch.log.exchange(body, result(1), session="s2", headers=headers)
    alerts = watch.alerts()
    assert set(alerts) == {"identity/cross-session-replay"}
    assert alerts["identity/cross-session-replay"][0].evidence == [8, 12]


def test_a_request_of_one_server_at_another() -> None:
    watch = Watch()
    body = modern(call(1, "read"))
    headers = watch.signed(ALICE, body)
    watch.log.exchange(body, result(1), upstream="files", headers=headers)
    watch.log.exchange(body, result(1), upstream="mail", headers=headers)
    assert set(watch.alerts()) == {"identity/cross-session-replay"}


def test_a_request_from_long_ago() -> None:
    watch = Watch()
    body = modern(call(1, "read"))
    headers = watch.signed(ALICE, body)
    watch.log.wait(3_600)
    watch.log.exchange(body, result(1), headers=headers)
    assert set(watch.alerts()) == {"identity/stale"}


def test_a_key_that_comes_late_and_one_that_never_comes() -> None:
    watch = Watch()
    watch.keys.resolvable = ("did:aip:",)
    entries = []
    for key in (ALICE, BOB, CAROL):
        body = call(1, "read")
        headers = aip_headers(key, "POST", "/mcp", msgspec.json.encode(body), now=watch.log.now, nonce="n")
        entries.append(watch.log.exchange(body, result(1), headers=headers)[0])
    assert watch.alerts() == {}
    watch.keys.pin(ALICE.did_aip, b64decode(ALICE.public_base64))
    watch.keys.failed(BOB.did_aip, "the registry is down", watch.log.now)
    watch.keys.learn(CAROL.did_aip, Resolved(Resolution.REGISTRY, ()), watch.log.now)
    for entry in entries:
        watch.judge_again(entry)
    alerts = watch.alerts()
    assert set(alerts) == {"identity/cannot-check", "identity/unknown-identity"}
    assert CAROL.did_aip in alerts["identity/unknown-identity"][0].subject
    (alert,) = alerts["identity/cannot-check"]
    assert BOB.did_aip in alert.subject
    assert alert.evidence == [4]


def test_a_stolen_session_id() -> None:
    watch = Watch()
    watch.log.initialize("s1", headers={"user-agent": "agent/1.0"}, principal=principal("ann"))
    watch.log.exchange(
        call(1, "read"),
        result(1, text("ok")),
        session="s1",
        peer="192.0.2.9:1234",
        headers={"user-agent": "curl/8"},
        principal=principal("bob", token="t2"),
    )
    alerts = watch.alerts()
    assert set(alerts) == {"session/shared", "session/token-subject-changed", "identity/unsigned-call"}
    assert alerts["session/shared"][0].evidence == [0, 7]


def test_a_session_that_outlives_its_end() -> None:
    watch = Watch()
    watch.open(ALICE, "s1")
    end = watch.log.request(method="DELETE", session="s1", headers={"user-agent": "agent/1.0"})
    watch.log.response(end, 204)
    watch.log.end(end)
    watch.ask(ALICE, call(1, "read"), session="s1")
    alerts = watch.alerts()
    assert set(alerts) == {"session/used-after-delete"}
    assert (alerts["session/used-after-delete"][0].count, alerts["session/used-after-delete"][0].evidence) == (
        1,
        [5, 7, 9],
    )


def test_a_guest_that_tries_the_doors() -> None:
    watch = Watch()
    for id, name in enumerate(("search_users", "get_config", "spawn_process")):
        body = modern(call(id, name))
        denial = error(id, -32001, f'Unauthorized: tool "{name}" requires authentication')
        watch.ask(ALICE, body, denial)
    alerts = watch.alerts()
    assert set(alerts) == {"discovery/permission-probing"}
    assert alerts["discovery/permission-probing"][0].evidence == [2, 6, 10]


def test_a_tool_that_was_not_listed() -> None:
    watch = Watch()
    watch.ask(ALICE, modern(ask(1, "tools/list")), result(1, {"tools": [tool("read")]}))
    watch.ask(ALICE, modern(call(2, "reset")))
    assert set(watch.alerts()) == {"discovery/unlisted-tool"}


def test_hostile_definitions() -> None:
    watch = Watch()
    for description in ("Reads a file", "Reads\x1b]0;owned\x07 a file\u200b"):
        answer = result(1, {"tools": [tool("read", description)]})
        watch.ask(ALICE, modern(ask(1, "tools/list")), answer)
    alerts = watch.alerts()
    assert set(alerts) == {"tool/definition-changed", "tool/terminal-escapes", "tool/hidden-characters"}
    assert alerts["tool/definition-changed"][0].reason.startswith('description of "read" changed')


def test_a_header_that_lies() -> None:
    watch = Watch()
    body = modern(call(1, "reset"))
    headers = {**watch.signed(ALICE, body), "mcp-name": "read"}
    watch.log.exchange(body, error(1, -32020, "header mismatch"), status=400, headers=headers)
    alerts = watch.alerts()
    assert set(alerts) == {"protocol/header-mismatch", "identity/bad-signature"}
    assert alerts["protocol/header-mismatch"][0].count == 1


def test_an_entry_that_is_none() -> None:
    watch = Watch()
    watch.log.malformed(fault="not JSON")
    (alert,) = watch.alerts()["feed/malformed"]
    assert alert.reason == "Entry 0 cannot be read: not JSON."


def test_alerts_form_again_with_the_same_ids() -> None:
    first, again = Watch(), Watch()
    for watch in (first, again):
        watch.log.initialize("s1")
        watch.log.exchange(call(1, "read"), result(1, text("\x1b[2J")), session="s1")
    first.alerts()
    for alert in first.book.alerts.values():
        acknowledge(first.book, alert.id, "ann", "known", alert.last_index, 1_000.0)
    again.book.take(Act(id, event) for id, alert in first.book.alerts.items() for event in alert.history)
    again.alerts()
    assert again.book.alerts == first.book.alerts
    assert len(again.book.alerts) == 3


def rotated(watch: Watch, seconds_ago: float) -> None:
    """Alice's registered identity has Bob's key for so long."""
    end = watch.log.now - seconds_ago
    keys = (ResolvedKey(BOB.public), ResolvedKey(ALICE.public, end))
    watch.keys.learn(ALICE.did_aip, Resolved(Resolution.REGISTRY, keys), watch.log.now)


def as_alice(watch: Watch, key: AgentKey, body: Json, session: str = "", ahead: float = 0.0) -> None:
    """A call in the name of Alice's registered identity, signed with `key`."""
    data, nonce = msgspec.json.encode(body), str(next(NONCES))
    signed = aip_headers(key, "POST", "/mcp", data, now=watch.log.now + ahead, nonce=nonce, did=ALICE.did_aip)
    headers = {"user-agent": "agent/1.0", **signed}
    opens = "s1" if body["method"] == "initialize" else ""
    watch.log.exchange(body, result(body["id"]), session=session, opens=opens, headers=headers)


def test_an_honest_rotation_raises_nothing() -> None:
    watch = Watch()
    rotated(watch, 60)
    as_alice(watch, ALICE, ask(0, "initialize"))
    as_alice(watch, ALICE, call(1, "read"), "s1")
    as_alice(watch, BOB, modern(call(2, "read")))
    assert {rule for rule in watch.alerts() if rule.startswith("identity/")} <= {"identity/body-not-covered"}


def test_a_key_of_yesterday() -> None:
    watch = Watch()
    rotated(watch, 86_400)
    as_alice(watch, ALICE, call(1, "read"))
    as_alice(watch, BOB, call(2, "read"))
    (alert,) = watch.alerts()["identity/superseded-key"]
    assert alert.evidence == [0] and "superseded" in alert.reason


def test_a_key_that_changes_within_a_session() -> None:
    watch = Watch()
    rotated(watch, 60)
    as_alice(watch, ALICE, ask(0, "initialize"))
    as_alice(watch, ALICE, call(1, "read"), "s1")
    as_alice(watch, BOB, call(2, "read"), "s1")
    alerts = watch.alerts()
    assert "identity/wrong-key" not in alerts
    assert alerts["identity/key-rotated-mid-session"][0].evidence == [0, 8]


def test_a_request_from_tomorrow() -> None:
    watch = Watch()
    rotated(watch, 60)
    as_alice(watch, BOB, call(1, "read"), ahead=86_400)
    alerts = watch.alerts()
    assert "identity/from-the-future" in alerts and "identity/stale" not in alerts


def test_a_forged_signature_beside_a_good_one() -> None:
    watch = Watch()
    body = modern(call(1, "read"))
    good = watch.signed(ALICE, body)
    forged = aip_headers(BOB, "POST", "/mcp", b"{}", now=watch.log.now, nonce="n", did=BOB.did_key)
    watch.log.exchange(body, result(1), headers={**good, **forged})
    (alert,) = watch.alerts()["identity/bad-signature-beside-good"]
    assert BOB.did_key in alert.subject


def test_somebody_elses_name_and_token() -> None:
    """Alice signs under another id than the one that the operator knows her by, with the same key."""
    for known in ("did:web:alice.example", ALICE.did_aip):
        for allowed in ("ledger", known):
            watch = Watch()
            watch.keys.pin(known, ALICE.public)
            watch.keys.name(known, "ledger")
            watch.engine = Engine(operator=Operator({"ann": (allowed,)}, watch.keys.called, watch.keys.signers))
            for key in (ALICE, BOB):
                body = modern(call(1, "read"), client="Ledger")
                watch.log.exchange(body, result(1), headers=watch.signed(key, body), principal=principal("ann"))
            alerts = watch.alerts()
            assert alerts["identity/claimed-name-mismatch"][0].evidence == [4]
            assert [alert.evidence for alert in alerts["identity/principal-mismatch"]] == [[4]]
