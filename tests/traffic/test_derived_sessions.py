"""Sessions derived from who makes the requests."""

import pytest
from build import Log
from folding import fold
from rpc import MODERN, ask, call, error, modern, modern_headers, note, result, tool
from verdicts import judged, principal, unsigned, verified

from mcpwatch.model.entries import Json
from mcpwatch.model.identity import Word
from mcpwatch.model.traffic import Era, SessionKind, SessionState

CLIENT = {"user-agent": "client/1"}


def test_a_stateless_legacy_server_gives_one_derived_session() -> None:
    log = Log()
    later = {**CLIENT, "mcp-protocol-version": "2025-11-25"}
    for _ in range(2):
        log.exchange(
            ask(0, "initialize", {"clientInfo": {"name": "agent", "version": "1.0"}}),
            result(0, {"protocolVersion": "2025-11-25"}),
            headers=CLIENT,
        )
        log.exchange(
            note("notifications/initialized"), status=202, headers={**CLIENT, "mcp-protocol-version": "2025-11-25"}
        )
        log.exchange(call(1, "x"), result(1), headers=later)
    (session,) = fold(log).sessions
    assert (session.kind, session.era, session.requests) == (SessionKind.ANONYMOUS, Era.LEGACY, 6)
    assert (session.key, session.protocol) == ("files~127.0.0.1~agent-1.0", "2025-11-25")


def test_what_names_a_derived_session_goes_by_rank() -> None:
    log = Log()
    body = modern(call(1, "x"))
    signed = log.request(body, principal=principal("ann"))
    log.request(body, principal=principal("ann"))
    log.request(body, principal=principal("", issuer="", token="opaque"))
    log.request(body)
    folded = fold(log, {signed.index: verified("alice")})
    assert [(session.kind, session.requests) for session in folded.sessions] == [
        (SessionKind.SIGNER, 1),
        (SessionKind.PRINCIPAL, 1),
        (SessionKind.PRINCIPAL, 1),
        (SessionKind.ANONYMOUS, 1),
    ]
    keys = [session.key for session in folded.sessions]
    assert keys[0].startswith("files~did:key:z6Mk…")
    assert keys[1] == "files~ann@login.example"
    assert keys[2].startswith("files~token:")
    assert keys[3] == "files~127.0.0.1~agent-1.0"


@pytest.mark.parametrize("word", [Word.BAD_SIG, Word.REPLAY, Word.STALE, Word.UNKNOWN_KEY, Word.NO_CHECK, Word.OLD_KEY])
def test_a_signer_that_is_not_proven_names_no_session(word: Word) -> None:
    log = Log()
    log.request(modern(call(1, "x")))
    assert fold(log, judged(word, "alice")).sessions[0].kind is SessionKind.ANONYMOUS


@pytest.mark.parametrize(
    ("headers", "peer", "client", "upstream"),
    [
        ({"user-agent": "other"}, "10.0.0.1:7", "agent", "files"),
        (CLIENT, "10.0.0.2:1", "agent", "files"),
        (CLIENT, "10.0.0.1:1", "other", "files"),
        (CLIENT, "10.0.0.1:1", "agent", "mail"),
    ],
)
def test_anonymous_sessions_are_apart_by_address_agent_client_and_upstream(
    headers: dict[str, str], peer: str, client: str, upstream: str
) -> None:
    log = Log()
    log.request(modern(call(1, "x"), client="agent"), headers=CLIENT, peer="10.0.0.1:1")
    log.request(modern(call(1, "x"), client="agent"), headers=CLIENT, peer="10.0.0.1:65000")
    assert len(fold(log).sessions) == 1
    log.request(modern(call(1, "x"), client=client), headers=headers, peer=peer, upstream=upstream)
    keys = [session.key for session in fold(log).sessions]
    assert len(set(keys)) == 2


def test_a_request_that_does_not_say_its_client_is_put_down_to_the_last_that_did() -> None:
    log = Log()
    log.request(modern(call(1, "x"), client="agent"))
    log.request(modern(call(1, "x"), client=""))
    assert [session.requests for session in fold(log).sessions] == [2]


@pytest.mark.parametrize(
    ("agent", "client", "key"),
    [
        ("client/1 (linux)", {}, "files~127.0.0.1~client/1"),
        ("", {}, "files~127.0.0.1~anonymous"),
        ("client/1", {"name": "named"}, "files~127.0.0.1~named"),
        ("client/1", {"name": "named", "version": 7}, "files~127.0.0.1~named"),
        ("client/1", {"version": "7"}, "files~127.0.0.1~7"),
        ("client/1", "no object", "files~127.0.0.1~client/1"),
    ],
)
def test_an_anonymous_key_says_the_best_that_is_known(agent: str, client: Json, key: str) -> None:
    log = Log()
    body = modern(call(1, "x"), **{"io.modelcontextprotocol/clientInfo": client})
    log.request(body, headers={"user-agent": agent} if agent else {})
    assert [session.key for session in fold(log).sessions] == [key]


def test_two_owners_of_one_readable_key_are_told_apart() -> None:
    log = Log()
    log.request(modern(call(1, "x")), principal=principal("ann", issuer="https://login.example/a"))
    log.request(modern(call(1, "x")), principal=principal("ann", issuer="https://login.example/b"))
    assert [session.key for session in fold(log).sessions] == ["files~ann@login.example", "files~ann@login.example#2"]


def test_half_an_hour_of_silence_splits_a_derived_session() -> None:
    log = Log()
    first = modern(ask(1, "tools/list"))
    log.exchange(first, result(1, {"tools": [tool("read")]}))
    log.wait(1700)
    log.exchange(modern(call(2, "x")), result(2))
    assert len(fold(log).sessions) == 1
    log.wait(1801)
    log.exchange(modern(call(3, "x")), result(3))
    before, after = fold(log).sessions
    assert (before.key, after.key) == ("files~127.0.0.1~agent-1.0", "files~127.0.0.1~agent-1.0#2")
    assert (before.state, before.ended_at) == (SessionState.ENDED, before.last_seen)
    assert (after.state, after.listed_tools) == (SessionState.OPEN, {"read"})


def test_an_open_stream_keeps_a_derived_session_together() -> None:
    log = Log()
    listen = log.request(modern(ask("L", "subscriptions/listen")))
    log.response(listen)
    log.wait(4000)
    log.request(modern(call(3, "x")))
    assert len(fold(log).sessions) == 1


def test_silence_makes_idle_and_ends_what_is_derived() -> None:
    log = Log()
    log.initialize("s1")
    log.exchange(modern(call(1, "x")), result(1))
    folded = fold(log)
    legacy, derived = folded.sessions
    folded.traffic.tick(log.now + 299)
    assert (legacy.state, derived.state) == (SessionState.OPEN, SessionState.OPEN)
    folded.traffic.tick(log.now + 301)
    assert (legacy.state, derived.state) == (SessionState.IDLE, SessionState.IDLE)
    folded.traffic.tick(log.now + 1801)
    assert (legacy.state, derived.state) == (SessionState.IDLE, SessionState.ENDED)
    log.wait(1802)
    folded.traffic.apply(log.request(call(2, "x"), session="s1"), unsigned())
    assert legacy.state is SessionState.OPEN


def test_what_is_not_mcp_makes_no_session() -> None:
    log = Log()
    log.exchange(None, b"<html>", method="GET", status=404)
    log.exchange(b"garbage", b"go away", status=400)
    assert fold(log).sessions == []


def test_the_probe_of_the_official_client_is_part_of_the_session_it_leads_to() -> None:
    log = Log()
    probe = modern(ask(1, "server/discover"))
    log.exchange(probe, error(None, -32000, "Server not initialized"), status=400, headers=CLIENT)
    (derived,) = fold(log).sessions
    log.wait(0.5)
    _, head, *_ = log.initialize("s1", headers=CLIENT)
    folded = fold(log)
    (session,) = folded.sessions
    assert session.kind is SessionKind.LEGACY
    assert [call.method for call in session.calls] == ["server/discover", "initialize"]
    assert {call.session for call in session.calls} == {session.key}
    assert (session.requests, session.call_count, session.era) == (3, 2, Era.LEGACY)
    assert [gone.key for gone in folded.at(head).gone] == [derived.key]
    assert session.started == folded.seen[0].time


@pytest.mark.parametrize("difference", ["late", "peer", "agent", "client", "answered", "more", "signer"])
def test_other_discoveries_stay_what_they_are(difference: str) -> None:
    log = Log()
    body = modern(ask(1, "server/discover"), client="other" if difference == "client" else "agent")
    answered = difference == "answered"
    log.exchange(
        body,
        result(1, {"supportedVersions": [MODERN]}) if answered else error(None, -32000, "no"),
        status=200 if answered else 400,
        headers={"user-agent": "other"} if difference == "agent" else CLIENT,
        peer="10.9.9.9:1" if difference == "peer" else "127.0.0.1:1",
    )
    if difference == "more":
        log.exchange(modern(call(2, "x")), result(2), headers=CLIENT)
    log.wait(6 if difference == "late" else 1)
    log.initialize("s1", headers=CLIENT)
    folded = fold(log, {0: verified("alice")} if difference == "signer" else None)
    assert len(folded.sessions) == 2
    assert all(not seen.gone for seen in folded.seen)


def test_a_hostile_name_cannot_break_the_key() -> None:
    log = Log()
    log.request(modern(call(1, "x"), client="\x1b]0;evil\x07 \u202e" + "x" * 100_000))
    (session,) = fold(log).sessions
    assert session.key.isprintable()
    assert len(session.key) < 60


def test_a_modern_request_with_all_its_headers_is_placed_like_one_without() -> None:
    log = Log()
    body = modern(call(1, "x"))
    log.request(body, headers=modern_headers(call(1, "x")))
    log.request(body)
    (session,) = fold(log).sessions
    assert (session.requests, session.protocol) == (2, MODERN)


@pytest.mark.parametrize(("method", "target", "count"), [("", "", 0), ("POST", "/mcp", 1)])
def test_what_cannot_be_read_as_a_request_is_in_no_session(method: str, target: str, count: int) -> None:
    log = Log()
    asked = log.request(method=method, target=target)
    log.response(asked, 400)
    log.message(asked, error(None, -32600, "this is not a well-formed HTTP request"))
    log.end(asked, "denied", reason="this is not a well-formed HTTP request")
    folded = fold(log)
    assert len(folded.sessions) == count
    exchange = folded.traffic.exchanges[asked.index]
    assert (exchange.status, exchange.outcome, exchange.reason) == (
        400,
        "denied",
        "this is not a well-formed HTTP request",
    )
