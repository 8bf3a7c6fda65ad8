"""Sessions that go wrong, from entries through the real fold to what the rules say."""

from collections import defaultdict

from build import Log
from msgspec.structs import replace
from rpc import ask, call, error, modern, modern_headers, result, text
from rule_scene import UNSIGNED, Scene, open_session
from verdicts import principal, signer, unsigned, verified

from mcpwatch.detect.engine import Engine
from mcpwatch.model.alerts import Finding, Severity
from mcpwatch.model.entries import Principal, Request
from mcpwatch.model.identity import Strength, Verdict
from mcpwatch.model.traffic import Binding
from mcpwatch.traffic.fold import Traffic

AGENT = {"user-agent": "agent/1.0"}
NOBODYS = {"identity/unsigned-call", "session/anonymous"}
"""What unsigned traffic without a token raises anyway."""


class Story(Log):
    """A log, and what the rules find in it once it is read."""

    def __init__(self) -> None:
        super().__init__()
        self.verdicts: dict[int, Verdict] = {}

    def by(self, name: str) -> None:
        """The request that comes next is validly signed."""
        self.verdicts[self.next] = verified(name)

    def open(self, gives: str, *, session: str = "", principal: Principal | None = None) -> None:
        """An `initialize` that is answered with the session id `gives`."""
        first = ask(0, "initialize", {"clientInfo": {"name": "agent", "version": "1"}})
        self.exchange(first, result(0), opens=gives, session=session, headers=AGENT, principal=principal)

    def call(self, session: str, status: int = 200, *, principal: Principal | None = None) -> None:
        """A tool call that is answered, or refused with `status`."""
        answers = [result(1, text("ok"))] if status < 400 else []
        self.exchange(call(1, "read"), *answers, status=status, session=session, headers=AGENT, principal=principal)

    def found(self) -> dict[str, list[Finding]]:
        """What the rules find, by rule."""
        traffic, engine = Traffic(), Engine()
        found: dict[str, list[Finding]] = defaultdict(list)
        for entry in self.entries:
            is_request = entry.record is not None and isinstance(entry.record.data, Request)
            verdict = self.verdicts.get(entry.index, unsigned()) if is_request else None
            for finding in engine.observe(traffic.apply(entry, verdict)):
                found[finding.rule].append(finding)
        assert not engine.failures
        return dict(found)


def test_one_id_for_everybody() -> None:
    story = Story()
    story.open("static")
    story.open("static", principal=principal("admin"))
    story.call("static")
    (found,) = story.found()["session/id-collision"]
    assert found.evidence == (1, 4, 5)
    assert "a caller whom nothing names" in found.reason and "the token of admin" in found.reason


def test_an_id_that_comes_again_when_its_session_is_over() -> None:
    story = Story()
    story.open("s1", principal=principal())
    story.exchange(b"", status=204, session="s1", method="DELETE", headers=AGENT, principal=principal())
    story.open("s1", principal=principal("ben"))
    story.open("s2", principal=principal("ben"))
    story.call("s2", 404, principal=principal("ben"))
    story.open("s2", principal=principal("ann"))
    assert set(story.found()) == {"identity/unsigned-call"}


def test_a_handshake_again_in_its_session() -> None:
    story = Story()
    story.open("s1", principal=principal())
    story.open("s1", session="s1", principal=principal())
    found = story.found()
    assert set(found) == {"session/re-initialised"}
    assert found["session/re-initialised"][0].evidence == (1, 4, 6)


def test_a_handshake_by_a_thief_is_told_before_it_is_answered() -> None:
    story = Story()
    story.open("s1", principal=principal())
    story.request(ask(0, "initialize"), session="s1", headers=AGENT, peer="192.0.2.9:99", principal=principal("eve"))
    found = story.found()
    assert set(found) == {"session/shared", "session/token-subject-changed"}
    assert all(each.evidence == (0, 4) for (each,) in found.values())


def test_a_server_that_gives_out_another_session_than_the_one_asked_with() -> None:
    story = Story()
    story.open("s1", principal=principal())
    story.open("s2", session="s1", principal=principal())
    assert story.found() == {}


def test_ids_are_guessed() -> None:
    story = Story()
    for at in range(12):
        status, said = ((404, ""), (401, "Invalid session"), (200, "No such session"))[at % 3]
        answers = [error(1, -32002, said)] if said else []
        story.exchange(call(1, "read"), *answers, status=status, session=f"guess-{at}", headers=AGENT)
    story.exchange(b"", status=400, session="guess-12", method="GET", headers=AGENT)
    found = story.found()
    assert set(found) == {"session/id-guessing", "identity/unsigned-call"}
    assert [len(each.evidence) for each in found["session/id-guessing"]] == [10, 11, 12, 13]


def test_a_restarted_server_knows_none_of_its_old_ids() -> None:
    story = Story()
    for at in range(20):
        story.open(f"s{at}", principal=principal())
    for at in range(20):
        story.call(f"s{at}", 404, principal=principal())
        story.open(f"t{at}", principal=principal())
    assert set(story.found()) == {"identity/unsigned-call"}


def test_a_session_outlives_its_token() -> None:
    story = Story()
    token = replace(principal(), expires=int(story.now) + 90)
    story.open("s1", principal=token)
    story.wait(600)
    story.call("s1")
    story.call("s1", principal=token)
    story.call("s1", principal=replace(token, expires=int(story.now) + 90, token_hash="t2"))
    expired = story.found()["session/outlives-token"]
    assert [each.evidence for each in expired] == [(4, 6), (8, 10)]
    assert "the token that the session came with had expired 5" in expired[0].reason
    assert "its token had expired 5" in expired[1].reason


def test_a_token_that_nobody_signed() -> None:
    story = Story()
    token = replace(principal("admin"), algorithm="none")
    story.open("s1", principal=token)
    body = modern(call(2, "read"))
    headers = AGENT | modern_headers(body)
    story.exchange(body, result(2), stream=True, headers=headers, principal=token)
    story.exchange(body, error(2, -32001, "Unauthorized"), stream=True, headers=headers, principal=token)
    story.exchange(body, status=401, headers=headers, principal=token)
    taken = story.found()["session/unsigned-token"]
    assert [each.evidence for each in taken] == [(0, 2), (4, 6)]
    assert {each.subject for each in taken} == {"admin at files"}


def test_the_id_of_a_signed_session_is_enough() -> None:
    story = Story()
    story.by("alice")
    story.open("s1")
    story.by("alice")
    story.call("s1")
    story.call("s1")
    story.call("s1", principal=principal())
    bare, token = story.found()["session/unbound"]
    assert (bare.evidence, token.evidence) == ((0, 8, 10), (0, 12, 14))
    assert signer("alice").id[:14] in bare.reason
    assert "with no signature and a token of its own" in token.reason


def test_what_the_gateway_says_of_ids() -> None:
    story = Story()
    asked = story.request(ask(0, "initialize"), headers=AGENT, principal=principal())
    story.response(asked, session="s1", form="counter")
    story.message(asked, result(0), stream=True, leaked=True)
    story.end(asked)
    story.request(call(1, "send"), session="s1", headers=AGENT, principal=principal(), leaked=("target", "body"))
    found = story.found()
    assert [each.subject for each in found["session/weak-id"]] == ["ids of files"]
    assert [each.subject for each in found["session/id-leaked"]] == [
        "initialize answers at files",
        "address at files",
        "send arguments at files",
    ]


def test_a_session_id_in_the_modern_era() -> None:
    story = Story()
    body = modern(ask(1, "tools/list"))
    story.exchange(body, result(1), session="s1", headers=AGENT | modern_headers(body), principal=principal())
    found = story.found()["protocol/session-id-in-modern-era"]
    assert [each.subject for each in found] == ["client of files", "server of files"]


def test_a_page_that_the_gateway_refuses() -> None:
    story = Story()
    headers = {**AGENT, "origin": "http://evil.example:8000"}
    asked = story.request(call(1, "read"), headers=headers, authority="evil.example:8000")
    story.response(asked, 421)
    story.end(asked, "denied", reason="this Host is not allowed")
    (found,) = story.found()["protocol/foreign-origin"]
    assert found.reason == ('A page of "http://evil.example:8000" called "evil.example:8000" and was refused with 421.')
    assert found.evidence == (0, 1)
    assert found.severity is Severity.MEDIUM


def test_a_page_that_is_refused_is_told_whatever_it_brings() -> None:
    scene = Scene()
    page = {"origin": "http://evil.example"}
    for asked in (
        scene.request(call(1, "read"), verdict=UNSIGNED, headers=page),
        scene.request(method="OPTIONS", verdict=UNSIGNED, headers=page),
        scene.request(call(1, "read"), verdict=UNSIGNED, headers=page, principal=principal()),
        scene.request(call(1, "read"), verdict=UNSIGNED, headers=page, authority="evil.example:8000"),
    ):
        scene.response(asked, 421 if asked.index == 3 else 403)
    assert [found.severity for found in scene.of("protocol/foreign-origin")] == [Severity.MEDIUM] * 4


def test_ordinary_sessions_raise_none_of_it() -> None:
    story = Story()
    for at in range(3):
        story.open(f"s{at}")
        story.call(f"s{at}")
        story.exchange(b"", status=204, session=f"s{at}", method="DELETE", headers=AGENT)
    body = modern(call(1, "read"))
    story.exchange(body, result(1), headers=AGENT | modern_headers(body))
    assert set(story.found()) == NOBODYS


def test_a_signer_who_moves_is_low_and_each_stranger_is_somebody_else() -> None:
    scene = Scene()
    session = scene.session()
    opened = open_session(scene, session)
    session.binding = Binding(signer("alice"), Strength.EACH, opened.index)
    scene.request(call(1, "read"), session=session, peer="192.0.2.1:1")
    for peer in ("192.0.2.2:1", "192.0.2.3:1"):
        scene.request(call(1, "read"), session=session, peer=peer, verdict=UNSIGNED)
    moved, first, second = scene.of("session/shared")
    assert (moved.severity, first.severity) == (Severity.LOW, Severity.HIGH)
    assert moved.reason.startswith("The session came from loopback, now from 192.0.2.1.")
    assert (first.subject, first.who, second.who) == (
        second.subject,
        '"agent/1.0" at 192.0.2.2',
        '"agent/1.0" at 192.0.2.3',
    )


def test_a_session_for_a_key_that_the_log_does_not_show_is_low() -> None:
    story = Story()
    asked = story.request(ask(0, "initialize"), headers=AGENT, withheld=("x-api-key",))
    story.response(asked, session="s1")
    story.message(asked, result(0))
    (found,) = story.found()["session/anonymous"]
    assert found.severity is Severity.LOW
    assert found.reason.endswith(" It came with x-api-key, which may say who called and cannot be checked here.")


def test_events_that_are_no_json_rpc_are_told_low() -> None:
    story = Story()
    asked = story.request(call(1, "read"), headers=AGENT)
    story.response(asked, headers={"content-type": "text/event-stream"})
    story.message(asked, b"what nobody sees", stream=True)
    story.message(asked, b"/messages?id=1", event="endpoint")
    story.message(asked, result(1, text("ok")), stream=True)
    (found,) = story.found()["stream/hidden-channel"]
    assert (found.severity, found.subject, found.evidence) == (Severity.LOW, "other events at files", (2,))
    page = story.request(call(2, "read"), headers=AGENT)
    story.response(page, 502, headers={"content-type": "text/html"})
    story.message(page, b"<html>")
    assert len(story.found()["stream/hidden-channel"]) == 1
