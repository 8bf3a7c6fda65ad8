"""Calls: one for each request, and which answer is whose."""

import pytest
from build import PEER, Log
from folding import fold
from rpc import ask, call, error, modern, note, result, text, tool
from verdicts import unsigned, verified

from mcpwatch.model.entries import Body
from mcpwatch.model.traffic import Call, CallState, Direction, Era, SessionKind
from mcpwatch.traffic.fold import Traffic


def test_a_call_is_opened_with_all_that_is_known_of_it() -> None:
    log = Log()
    log.initialize("s1")
    asked = log.request(call(7, "read", path="a"), session="s1")
    opened = fold(log).at(asked).opened
    assert len(opened) == 1
    one = opened[0]
    assert (one.id, one.index, one.exchange, one.upstream) == (str(asked.index), asked.index, asked.index, "files")
    assert (one.rpc_id, one.method, one.target, one.era) == (7, "tools/call", "read", Era.LEGACY)
    assert (one.direction, one.state, one.ended) == (Direction.TO_SERVER, CallState.RUNNING, None)
    assert one.session.startswith("files/")


def test_where_there_are_several_feeds_the_feed_is_in_the_id() -> None:
    log = Log(source="edge")
    asked = log.request([ask(1, "ping"), ask(2, "ping")])
    opened = Traffic("edge").apply(asked).opened
    assert [one.id for one in opened] == ["edge:0.0", "edge:0.1"]
    assert opened[0].source == "edge"


@pytest.mark.parametrize(
    ("method", "params", "target"),
    [
        ("tools/call", {"name": "x"}, "x"),
        ("prompts/get", {"name": "p"}, "p"),
        ("resources/read", {"uri": "file:///a"}, "file:///a"),
        ("tasks/get", {"taskId": "t"}, "t"),
        ("tools/list", {"name": "x"}, ""),
        ("tools/call", {"name": 7}, ""),
        ("tools/call", ["x"], ""),
        ("tools/call", None, ""),
    ],
)
def test_the_target_is_what_the_call_acts_on(method: str, params: object, target: str) -> None:
    log = Log()
    log.request(ask(1, method, params), session="s1")
    assert fold(log).calls[0].target == target


def test_an_answer_ends_its_call() -> None:
    log = Log()
    asked, head, answer, end = log.exchange(call(1, "x"), result(1, text("hello")), session="s1")
    folded = fold(log)
    (one,) = folded.calls
    assert (one.state, one.status, one.last_index) == (CallState.DONE, 200, end.index)
    assert one.ended == pytest.approx(folded.at(answer).time)
    assert one.entries == [asked.index, head.index, answer.index, end.index]
    assert folded.at(answer).updated == (one,)
    assert folded.at(end).updated == ()


def test_messages_of_an_unknown_exchange_are_shown_and_change_nothing() -> None:
    log = Log(first=100)
    log.response(3)
    shown = log.message(3, result(1, text("hello")))
    log.end(3)
    folded = fold(log)
    assert folded.calls == []
    assert [message.result for message in folded.at(shown).messages] == [text("hello")]
    assert [seen.exchange for seen in folded.seen] == [None, None, None]


def test_every_request_of_a_batch_is_a_call() -> None:
    log = Log()
    answers = [result(2), error(1, -32000, "boom"), result(9)]
    log.exchange([ask(1, "a"), note("b"), ask(2, "c"), ask(3, "d")], answers, session="s1")
    folded = fold(log)
    assert [one.id for one in folded.calls] == ["0.0", "0.2", "0.3"]
    assert folded.states == ["error", "done", "truncated"]


def test_the_same_id_in_two_exchanges_is_told_apart_by_the_exchange() -> None:
    log = Log()
    first = log.request(call(1, "slow"), session="s1")
    second = log.request(call(1, "quick"), session="s1")
    log.message(second, result(1, text("quick")))
    folded = fold(log)
    assert [(one.target, one.state.value) for one in folded.calls] == [("slow", "running"), ("quick", "done")]
    log.message(first, result(1, text("slow")))
    assert fold(log).states == ["done", "done"]


def test_ids_one_and_text_one_are_two() -> None:
    log = Log()
    asked = log.request([ask(1, "a"), ask("1", "b")], session="s1")
    log.message(asked, result("1"))
    assert fold(log).states == ["running", "done"]


@pytest.mark.parametrize(("asked_as", "answered_as"), [(7, "7"), ("7", 7), (7, " 7"), (7, "07")])
def test_an_id_that_comes_back_as_text_is_the_same_to_the_official_clients(
    asked_as: str | int, answered_as: str | int
) -> None:
    log = Log()
    log.initialize("s1")
    log.exchange(ask(asked_as, "tools/list"), result(answered_as, {"tools": [tool("read")]}), session="s1")
    cut = log.request(call(asked_as, "cut off"), session="s1")
    log.response(cut)
    log.message(cut, b"", event_id="5")
    log.end(cut)
    stream = log.request(None, method="GET", session="s1")
    log.message(stream, result(answered_as), event_id="6")
    folded = fold(log)
    assert folded.states == ["done", "done", "done"]
    assert list(folded.traffic.tools) == [("files", "read")]


@pytest.mark.parametrize("other", ["x", "", "7" * 5_000])
def test_other_text_is_no_spelling_of_a_number(other: str) -> None:
    log = Log()
    log.exchange(ask(7, "ping"), result(other), outcome="client-closed")
    assert fold(log).states == ["truncated"]


def test_the_answer_to_a_post_may_come_on_a_later_get() -> None:
    log = Log()
    log.initialize("s1")
    asked = log.request(call(7, "slow"), session="s1")
    log.response(asked, session="s1")
    log.message(asked, b"", event_id="1438")
    log.end(asked)
    resumed = log.request(None, method="GET", headers={"last-event-id": "1438"}, session="s1")
    log.response(resumed, session="s1")
    log.message(resumed, b"", event_id="1439")
    assert fold(log).calls[1].state is CallState.RUNNING
    answer = log.message(resumed, result(7, text("late")), event_id="1440")
    folded = fold(log)
    assert folded.calls[1].state is CallState.DONE
    assert folded.at(answer).updated == (folded.calls[1],)
    assert answer.index in folded.calls[1].entries


def cut_off(log: Log) -> None:
    """A session with a call whose stream broke off and may be resumed."""
    log.initialize("s1")
    asked = log.request(call(7, "slow"), session="s1")
    log.response(asked)
    log.message(asked, b"", event_id="1")
    log.end(asked)


def test_a_call_that_nobody_resumes_ends_however_busy_its_session_is() -> None:
    log = Log()
    cut_off(log)
    for number in range(10):
        log.wait(60)
        log.exchange(ask(100 + number, "ping"), result(100 + number), session="s1")
    assert fold(log).calls[1].state is CallState.TRUNCATED


def test_a_call_whose_stream_was_resumed_is_waited_for_however_long_it_is_silent() -> None:
    log = Log()
    cut_off(log)
    resumed = log.request(None, method="GET", headers={"last-event-id": "1"}, session="s1")
    log.response(resumed)
    folded = fold(log)
    assert folded.traffic.tick(log.now + 3_600) == ()
    log.wait(3_600)
    answer = log.message(resumed, result(7, text("done")), event_id="2")
    folded.traffic.apply(answer)
    assert folded.calls[1].state is CallState.DONE
    log.end(resumed)


def test_an_id_alone_never_decides() -> None:
    log = Log()
    log.initialize("s1")
    log.initialize("s2")
    log.request(call(7, "x"), session="s1")
    other = log.request(None, method="GET", session="s2")
    stray = log.message(other, result(7, text("not yours")))
    folded = fold(log)
    assert folded.calls[-1].state is CallState.RUNNING
    assert folded.at(stray).updated == ()


def test_a_stray_answer_goes_to_the_call_whose_stream_is_gone() -> None:
    log = Log()
    log.initialize("s1")
    log.request(call(1, "still streaming"), session="s1")
    cut = log.request(call(1, "cut off"), session="s1")
    log.response(cut)
    log.message(cut, b"", event_id="5")
    log.end(cut)
    stream = log.request(None, method="GET", session="s1")
    log.message(stream, result(1), event_id="6")
    assert [(one.target, one.state.value) for one in fold(log).calls[1:]] == [
        ("still streaming", "running"),
        ("cut off", "done"),
    ]


@pytest.mark.parametrize("answer", [error(None, -32600, "bad"), {"jsonrpc": "2.0", "error": {"code": -32600}}])
def test_an_answer_without_id_is_for_the_only_open_call(answer: object) -> None:
    log = Log()
    log.exchange(call(1, "x"), answer, status=400, session="s1")
    assert fold(log).states == ["error"]


def test_an_answer_without_id_is_for_none_of_two() -> None:
    log = Log()
    asked = log.request([ask(1, "a"), ask(2, "b")], session="s1")
    log.message(asked, error(None, -32600, "bad"))
    assert fold(log).states == ["running", "running"]


def test_the_two_directions_have_ids_of_their_own() -> None:
    log = Log()
    log.initialize("s1")
    asked = log.request(call(1, "greet"), session="s1")
    question = log.message(asked, ask(1, "elicitation/create", {"message": "name?"}), stream=True)
    reply = log.exchange(result(1, {"action": "accept"}), status=202, session="s1")[0]
    folded = fold(log)
    greet, asking = folded.calls[1:]
    assert (greet.state, asking.state) == (CallState.RUNNING, CallState.DONE)
    assert (asking.direction, asking.exchange, asking.session) == (Direction.TO_CLIENT, asked.index, greet.session)
    assert folded.at(question).opened == (asking,)
    assert folded.at(reply).opened == ()
    assert folded.at(reply).updated == (asking,)
    assert asking.verdict.reasons == ("the server made this request, and servers do not sign",)
    log.message(asked, result(1, text("hi")), stream=True)
    assert fold(log).states == ["done", "done", "done"]


def test_what_a_client_notifies_of_opens_no_call_but_is_seen() -> None:
    log = Log()
    log.initialize("s1")
    told = log.exchange(note("notifications/roots/list_changed"), status=202, session="s1")[0]
    seen = fold(log).at(told)
    assert (seen.opened, [message.method for message in seen.messages]) == ((), ["notifications/roots/list_changed"])


def test_a_call_named_only_by_headers_is_still_a_call() -> None:
    def hashed(size: int) -> Body:
        return Body(size, "0" * 64)

    log = Log()
    asked = log.request(
        hashed(70),
        headers={"mcp-protocol-version": "2026-07-28", "mcp-method": "tools/call", "mcp-name": "echo"},
    )
    log.response(asked)
    log.message(asked, hashed(90))
    log.end(asked)
    (one,) = fold(log).calls
    assert (one.method, one.target, one.rpc_id, one.state) == ("tools/call", "echo", None, CallState.DONE)
    assert one.error_text == "the log does not carry the answer"


@pytest.mark.parametrize("method", ["", "notifications/initialized"])
def test_headers_that_name_no_request_open_no_call(method: str) -> None:
    log = Log()
    log.request(Body(70, "0" * 64), headers={"mcp-protocol-version": "2026-07-28", "mcp-method": method})
    assert fold(log).calls == []


def test_whether_an_answer_streams_is_told_by_its_type() -> None:
    log = Log()
    kinds = [{"content-type": "Text/Event-Stream; charset=utf-8"}, {"content-type": "application/json"}]
    for headers in [*kinds, {"x-other": "text/event-stream"}]:
        log.response(log.request(ask(1, "ping"), session="s1"), headers=headers)
    assert [exchange.stream for exchange in fold(log).traffic.exchanges.values()] == [True, False, False]


def test_what_a_server_asks_in_a_batch_has_ids_of_its_own() -> None:
    log = Log()
    asked = log.request(call(1, "x"), session="s1")
    both = log.message(asked, [ask(1, "roots/list"), ask(2, "ping")], stream=True)
    one = log.message(asked, ask(3, "ping"), stream=True)
    opened = [call.id for seen in (fold(log).at(both), fold(log).at(one)) for call in seen.opened]
    assert opened == ["1.0", "1.1", "2"]


def test_a_stray_answer_to_several_goes_to_the_oldest() -> None:
    log = Log()
    log.initialize("s1")
    for name in ("first", "second"):
        log.request(call(1, name), session="s1")
    log.message(log.request(None, method="GET", session="s1"), result(1), stream=True)
    assert [(one.target, one.state.value) for one in fold(log).calls[1:]] == [("first", "done"), ("second", "running")]


def test_an_answer_too_large_for_the_log_still_ends_its_call() -> None:
    log = Log()
    log.exchange(call(1, "x"), Body(9_000_000, "0" * 64, truncated=True), session="s1")
    (one,) = fold(log).calls
    assert (one.state, one.error_text) == (CallState.DONE, "the log does not carry the answer")


def test_an_answer_of_the_old_sse_transport_comes_on_the_stream_that_was_opened_first() -> None:
    log = Log()
    stream = log.request(None, method="GET", target="/sse")
    log.response(stream)
    log.message(stream, b"/messages?session_id=1", event="endpoint")
    log.exchange(ask(0, "initialize", {"clientInfo": {"name": "old", "version": "1"}}), status=202)
    log.message(stream, result(0, {"protocolVersion": "2024-11-05"}), event="message")
    log.exchange(call(1, "x"), status=202)
    assert fold(log).states == ["done", "running"]
    log.message(stream, result(1, text("hello")), event="message")
    folded = fold(log)
    assert folded.states == ["done", "done"]
    assert [(session.kind, session.requests) for session in folded.sessions] == [(SessionKind.ANONYMOUS, 3)]


def test_entries_of_a_call_are_bounded() -> None:
    log = Log()
    asked = log.request(call(1, "x"), session="s1")
    for step in range(1_200):
        log.message(asked, note("notifications/progress", {"progress": step}), stream=True)
    (one,) = fold(log).calls
    assert (len(one.entries), one.messages, one.last_index) == (1_000, 1_200, 1_200)


def test_a_second_answer_changes_nothing() -> None:
    log = Log()
    asked = log.request(call(1, "x"), session="s1")
    log.message(asked, result(1, text("first")))
    again = log.message(asked, error(1, -32000, "second"))
    folded = fold(log)
    assert folded.states == ["done"]
    assert folded.at(again).updated == ()
    assert folded.calls[0].entries[-1] == again.index


def test_calls_of_two_peers_without_any_session_are_apart() -> None:
    log = Log()
    mine = log.request(modern(call(1, "x")), peer="10.0.0.1:1")
    log.request(modern(call(1, "y")), peer="10.0.0.2:1")
    log.message(mine, result(1))
    assert fold(log).states == ["done", "running"]


def test_a_verdict_is_that_of_the_request() -> None:
    log = Log()
    asked = log.request(modern(call(1, "x")), peer=PEER)
    folded = fold(log, {asked.index: verified("alice")})
    opened: Call = folded.calls[0]
    assert opened.verdict == verified("alice")


def test_calls_that_run_when_entries_are_passed_over_are_in_doubt_until_more_is_heard_of_them() -> None:
    log = Log()
    log.exchange(call(1, "over"), result(1), session="s1")
    lost, ends, goes_on = (log.request(call(id, "x"), session="s1") for id in (2, 3, 4))
    traffic = fold(log).traffic
    over, *running = traffic.calls.values()
    assert traffic.overlook() == tuple(running)
    after = log.request(call(5, "x"), session="s1")
    more = [log.message(ends, result(3)), log.end(ends), log.response(goes_on)]
    for entry in (after, *more):
        traffic.apply(entry, unsigned())
    states = {index: (one.state, one.is_doubtful) for index, one in traffic.calls.items()}
    assert states == {
        str(over.index): (CallState.DONE, False),
        str(lost.index): (CallState.RUNNING, True),
        str(ends.index): (CallState.DONE, False),
        str(goes_on.index): (CallState.RUNNING, False),
        str(after.index): (CallState.RUNNING, False),
    }


def test_a_tool_that_is_called_without_an_id_is_called_all_the_same() -> None:
    log = Log()
    log.initialize("s1")
    params = {"name": "delete", "arguments": {"path": "a"}}
    answered = log.request(note("tools/call", params), session="s1")
    log.response(answered)
    log.message(answered, result(None, text("done")))
    log.end(answered)
    taken = log.request(note("tools/call", params), session="s1")
    log.response(taken, 202)
    log.end(taken)
    folded = fold(log)
    (one,) = folded.at(answered).opened
    assert (one.target, one.rpc_id, one.state) == ("delete", None, CallState.DONE)
    assert [one.target for one in folded.at(taken).opened] == ["delete"]
