"""Sessions by id, as the legacy era has them."""

import pytest
from build import Log, session_hash
from folding import fold
from rpc import ask, call, error, result
from verdicts import principal

from mcpwatch.model.entries import Body
from mcpwatch.model.traffic import CallState, Era, SessionKind, SessionState

CLIENT = {"user-agent": "client/1"}


def test_an_answered_initialize_opens_a_session_that_it_belongs_to() -> None:
    log = Log()
    asked, head, answer, *_ = log.initialize("s1", client="agent", headers=CLIENT)
    folded = fold(log)
    (session,) = folded.sessions
    assert session.key == f"files/{session_hash('s1')[:12]}"
    assert (session.kind, session.era, session.state) == (SessionKind.LEGACY, Era.LEGACY, SessionState.OPEN)
    assert (session.client_name, session.server_name, session.protocol) == ("agent 1.0", "server 2.0", "2025-11-25")
    assert (session.peers, session.user_agent) == (["127.0.0.1"], "client/1")
    assert (session.requests, session.call_count, session.initialized_at) == (2, 1, head.index)
    assert session.started == folded.at(asked).time
    assert [call.session for call in session.calls] == [session.key]
    assert folded.at(asked).session is None
    assert folded.at(head).session is session
    assert folded.at(answer).session is session
    assert folded.traffic.exchanges[asked.index].session == session.key


@pytest.mark.parametrize("status", [400, 404, 406, 500])
def test_a_refused_initialize_opens_none_even_if_the_answer_has_an_id(status: int) -> None:
    log = Log()
    log.exchange(ask(0, "initialize"), error(None, -32600, "no"), status=status, opens="ghost")
    assert fold(log).sessions == []


def test_an_initialize_refused_inside_of_a_200_leaves_no_live_session() -> None:
    log = Log()
    log.exchange(ask(0, "initialize"), error(0, -32602, "version"), opens="s1")
    assert [session.state for session in fold(log).sessions] == [SessionState.ENDED]


def test_a_delete_ends_it_and_use_after_that_keeps_it_ended() -> None:
    log = Log()
    log.initialize("s1")
    head = log.exchange(None, method="DELETE", session="s1")[1]
    ended_at = fold(log).at(head).time
    late, *_ = log.exchange(call(2, "x"), result(2), session="s1")
    folded = fold(log)
    (session,) = folded.sessions
    assert (session.state, session.ended_at) == (SessionState.ENDED, ended_at)
    assert folded.at(late).session is session
    assert session.requests == 4


def test_a_refused_delete_ends_nothing() -> None:
    log = Log()
    log.initialize("s1")
    log.exchange(None, method="DELETE", session="s1", status=405)
    assert fold(log).sessions[0].state is SessionState.OPEN


def test_a_404_ends_it() -> None:
    log = Log()
    log.initialize("s1")
    log.exchange(call(2, "x"), error(None, -32600, "Session not found"), session="s1", status=404)
    log.exchange(call(3, "x"), error(None, -32600, "Session not found"), session="s1", status=404)
    assert fold(log).sessions[0].state is SessionState.ENDED


def test_a_404_for_an_unknown_method_ends_nothing() -> None:
    log = Log()
    log.initialize("s1")
    log.exchange(ask(2, "nope"), error(2, -32601, "Method not found"), session="s1", status=404)
    assert fold(log).sessions[0].state is SessionState.OPEN


def test_a_good_answer_after_a_404_proves_it_alive() -> None:
    """A server answers 404 to another's token on a good session id, too."""
    log = Log()
    log.initialize("s1")
    log.exchange(call(2, "x"), error(None, -32600, "Session not found"), session="s1", status=404, peer="10.9.9.9:1")
    asked = log.request(call(3, "x"), session="s1")
    assert fold(log).sessions[0].state is SessionState.ENDED
    log.response(asked, 200)
    assert fold(log).sessions[0].state is SessionState.OPEN


def test_a_session_joined_late_is_one() -> None:
    log = Log()
    asked = log.request(call(5, "x"), session="s1", headers={"mcp-protocol-version": "2025-06-18"})
    folded = fold(log)
    (session,) = folded.sessions
    assert folded.at(asked).session is session
    assert (session.kind, session.initialized_at, session.protocol) == (SessionKind.LEGACY, None, "2025-06-18")
    log.response(asked, 200)
    log.message(asked, result(5))
    log.end(asked)
    assert len(fold(log).sessions) == 1


def test_an_id_that_the_server_does_not_know_is_no_session() -> None:
    log = Log()
    asked, head, *_ = log.exchange(call(5, "x"), error(None, -32600, "no"), session="guess", status=404)
    folded = fold(log)
    assert folded.sessions == []
    guessed = folded.at(asked).session
    assert guessed is not None
    assert folded.at(head).gone == (guessed,)
    assert (guessed.requests, guessed.call_count, guessed.calls) == (0, 0, [])
    assert (folded.calls[0].session, folded.calls[0].state) == ("", CallState.RPC_ERROR)


def test_a_4xx_on_a_session_that_was_accepted_before_changes_nothing() -> None:
    log = Log()
    log.exchange(call(5, "x"), result(5), session="s1")
    log.exchange(call(6, "x"), error(6, -32602, "no"), session="s1", status=400)
    (session,) = fold(log).sessions
    assert (session.requests, session.state) == (2, SessionState.OPEN)


def test_one_good_answer_among_refusals_is_enough() -> None:
    log = Log()
    first, second = log.request(call(1, "x"), session="s1"), log.request(call(2, "x"), session="s1")
    log.response(first, 400)
    assert [session.requests for session in fold(log).sessions] == [1]
    log.response(second, 200)
    assert [session.requests for session in fold(log).sessions] == [1]


def test_a_refreshed_token_is_kept_and_another_subject_is_not() -> None:
    log = Log()
    log.initialize("s1", principal=principal("ann", token="t1"))
    log.request(call(1, "x"), session="s1", principal=principal("ann", token="t2"))
    assert fold(log).sessions[0].principal == principal("ann", token="t2")
    log.request(call(1, "x"), session="s1", principal=principal("bob", token="t3"))
    assert fold(log).sessions[0].principal == principal("ann", token="t2")


def test_peers_are_kept_in_order_without_ports_and_bounded() -> None:
    log = Log()
    for number in range(20):
        log.request(call(number, "x"), session="s1", peer=f"10.0.0.{number}:{number}")
    log.request(call(99, "x"), session="s1", peer="[::1]:5000")
    peers = fold(log).sessions[0].peers
    assert peers == [f"10.0.0.{number}" for number in range(16)]


def test_where_bodies_do_not_travel_an_id_in_the_answer_opens_a_session() -> None:
    log = Log()
    asked = log.request(Body(70, "0" * 64))
    head = log.response(asked, 200, session="s1")
    log.end(asked)
    again = log.request(Body(70, "0" * 64), session="s1")
    log.response(again, 200, session="another")
    folded = fold(log)
    (session,) = folded.sessions
    assert (session.requests, session.initialized_at) == (2, head.index)
    assert folded.at(again).session is session


def test_an_id_in_the_answer_to_anything_else_opens_none() -> None:
    log = Log()
    log.exchange(call(1, "x"), result(1), opens="ghost")
    assert [session.kind for session in fold(log).sessions] == [SessionKind.ANONYMOUS]


def test_what_a_session_said_of_itself_first_stays() -> None:
    log = Log()
    log.initialize("s1", client="agent", headers=CLIENT)
    log.request(call(1, "x"), session="s1", headers={"user-agent": "other", "mcp-protocol-version": "2024-11-05"})
    (session,) = fold(log).sessions
    assert (session.user_agent, session.client_name, session.protocol) == ("client/1", "agent 1.0", "2025-11-25")


def test_errors_are_counted() -> None:
    log = Log()
    log.exchange(call(1, "x"), error(1, -32000, "boom"), session="s1")
    log.exchange(call(2, "x"), result(2), session="s1")
    log.exchange(call(3, "x"), session="s1")
    (session,) = fold(log).sessions
    assert (session.errors, session.call_count) == (2, 3)
