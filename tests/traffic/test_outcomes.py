"""How calls end: HTTP status, JSON-RPC error and `isError`, and what counts as a denial."""

import pytest
from build import Log
from folding import fold
from rpc import ask, call, error, modern, result, text

from mcpwatch.model.entries import Json, Outcome
from mcpwatch.model.traffic import Call, CallState
from mcpwatch.traffic.calls import Calls
from mcpwatch.traffic.outcomes import is_denial
from mcpwatch.traffic.records import TrackedSession


@pytest.mark.parametrize(
    ("answer", "status", "state", "code", "said"),
    [
        (result(1), 200, "done", None, ""),
        (result(1, None), 200, "done", None, ""),
        (result(1, "odd"), 200, "done", None, ""),
        (result(1, {"isError": "yes"}), 200, "done", None, ""),
        (result(1, text("Unknown tool: x", is_error=True)), 200, "tool error", None, "Unknown tool: x"),
        (result(1, {"isError": True}), 200, "tool error", None, ""),
        (result(1, {"isError": True, "content": [1, {"text": 2}]}), 200, "tool error", None, ""),
        (result(1, text("Permission denied: /etc", is_error=True)), 200, "denied", None, "Permission denied: /etc"),
        (result(1, text("HTTP 403 Forbidden", is_error=True)), 200, "tool error", None, "HTTP 403 Forbidden"),
        (result(1, {"resultType": "input_required", "requestState": "s"}), 200, "input required", None, ""),
        (result(1, {"resultType": "task", "taskId": "t"}), 200, "done", None, ""),
        (error(1, -32603, "boom"), 200, "error", -32603, "boom"),
        (error(1, -32601, "Method not found"), 404, "error", -32601, "Method not found"),
        (error(1, -32001, "Request timed out"), 200, "error", -32001, "Request timed out"),
        (error(1, -32002, "Resource not found"), 200, "error", -32002, "Resource not found"),
        (error(1, -32001, "Forbidden: requires admin role"), 200, "denied", -32001, "Forbidden: requires admin role"),
        (error(1, -32000, "anything"), 403, "denied", -32000, "anything"),
        (error(1, -32002, "no session"), 401, "denied", -32002, "no session"),
        (error(1, -32800, "Request cancelled"), 200, "cancelled", -32800, "Request cancelled"),
        ({"id": 1, "error": {"code": "x", "message": 7}}, 200, "error", None, ""),
        ({"id": 1, "error": {"code": 10**40}}, 200, "error", None, ""),
        ({"id": 1, "error": {}}, 200, "error", None, ""),
    ],
)  # fmt: skip
def test_an_answer_says_how_its_call_ended(answer: Json, status: int, state: str, code: int | None, said: str) -> None:
    log = Log()
    log.exchange(call(1, "x"), answer, status=status, session="s1")
    (one,) = fold(log).calls
    assert (one.state.value, one.error_code, one.error_text, one.status) == (state, code, said, status)


@pytest.mark.parametrize(
    ("status", "body", "outcome", "state", "said"),
    [
        (404, b"Session not found", "complete", "HTTP error", "Session not found"),
        (500, b"", "complete", "HTTP error", ""),
        (502, b"", "error", "HTTP error", "why"),
        (401, b'{"error":"unauthorized"}', "complete", "denied", '{"error":"unauthorized"}'),
        (403, b"Invalid Origin header", "complete", "denied", "Invalid Origin header"),
        (200, b"", "denied", "denied", "why"),
        (200, b"", "complete", "truncated", ""),
        (200, b"", "upstream-closed", "truncated", "why"),
        (200, b"not json", "complete", "truncated", "not json"),
        (302, b"", "complete", "truncated", ""),
        (None, b"", "error", "truncated", "why"),
        (None, b"", "denied", "denied", "why"),
        (None, b"", "upstream-closed", "truncated", "why"),
    ],
)
def test_without_an_answer_the_exchange_says_it(
    status: int | None, body: bytes, outcome: Outcome, state: str, said: str
) -> None:
    log = Log()
    asked = log.request(call(1, "x"), session="s1")
    if status is not None:
        log.response(asked, status)
    if body:
        log.message(asked, body)
    end = log.end(asked, outcome, reason="" if outcome == "complete" else "why")
    folded = fold(log)
    (one,) = folded.calls
    assert (one.state.value, one.error_text, one.status) == (state, said, status)
    assert folded.at(end).updated == (one,)


def test_a_refusal_by_the_gateway_is_a_denial_whatever_it_answers() -> None:
    log = Log()
    log.exchange(call(1, "x"), error(1, -32000, "no policy lets you"), outcome="denied", session="s1")
    (one,) = fold(log).calls
    assert (one.state, one.error_code) == (CallState.DENIED, -32000)


@pytest.mark.parametrize(("outcome", "rule"), [("denied", "identity/unsigned-call"), ("complete", "")])
def test_by_which_rule_the_gateway_refused_it(outcome: Outcome, rule: str) -> None:
    log = Log()
    end = log.end(log.request(call(1, "x")), outcome, rule="identity/unsigned-call")
    exchange = fold(log).at(end).exchange
    assert exchange is not None
    assert exchange.rule == rule


def test_a_denial_inside_a_stream_with_status_200_is_seen() -> None:
    log = Log()
    said = 'Unauthorized: tool "spawn_process" requires an authenticated MCP session'
    log.exchange(call(1, "spawn_process"), error(1, -32001, said), stream=True, session="s1")
    assert fold(log).states == ["denied"]


@pytest.mark.parametrize(
    "said",
    [
        'Unauthorized: tool "x" requires an authenticated MCP session',
        'Unauthorized: tool "x" requires authentication',
        'Forbidden: tool "x" requires admin role',
        "Access denied - path outside allowed directories",
        "EACCES: permission denied, open '/etc/shadow'",
        "You are not authorized to call this",
        "not allowed to use admin tools",
        "insufficient_scope",
        "Insufficient permissions",
        "denied by policy",
        "authentication required",
    ],
)
def test_denials_are_told_by_their_words(said: str) -> None:
    assert is_denial(said)


@pytest.mark.parametrize(
    "said",
    [
        "Unknown tool: x",
        "Method not allowed",
        "Invalid arguments: role is not a string",
        "requires a path",
        "Proxy error in x: HTTP 401 Unauthorized",
        "got 403 Forbidden from the site",
        "Request timed out",
        "",
        "x" * 400 + " access denied",
    ],
)
def test_other_errors_are_no_denials(said: str) -> None:
    assert not is_denial(said)


def resumable() -> tuple[Log, int]:
    """A legacy session with a call whose stream closed early, by design, and the index of that end."""
    log = Log()
    log.initialize("s1")
    asked = log.request(call(7, "slow"), session="s1")
    log.response(asked)
    log.message(asked, b"", event_id="1438")
    return log, log.end(asked).index


def test_a_stream_closed_early_by_design_leaves_its_call_running() -> None:
    log, _ = resumable()
    assert fold(log).states == ["done", "running"]


def test_such_a_call_is_given_up_when_the_session_is_deleted() -> None:
    log, _ = resumable()
    head = log.exchange(None, method="DELETE", session="s1")[1]
    folded = fold(log)
    assert folded.states == ["done", "truncated"]
    assert folded.at(head).updated == (folded.calls[1],)
    assert folded.calls[1].error_text == "the session was deleted"


def test_such_a_call_is_given_up_after_five_idle_minutes() -> None:
    log, _ = resumable()
    folded = fold(log)
    ended_at = log.now
    assert folded.traffic.tick(ended_at + 299) == ()
    (given_up,) = folded.traffic.tick(ended_at + 301)
    assert (given_up.state, given_up.target) == (CallState.TRUNCATED, "slow")
    assert given_up.last_index == log.entries[-1].index
    asked, head, _, end = log.entries[-4:]
    assert given_up.entries == [asked.index, head.index, end.index]
    assert folded.traffic.tick(ended_at + 302) == ()


def test_such_a_call_is_given_up_by_the_next_request_after_five_idle_minutes() -> None:
    log, _ = resumable()
    log.wait(301)
    back = log.request(ask(8, "ping"), session="s1")
    folded = fold(log)
    assert [one.state.value for one in folded.at(back).updated] == ["truncated"]
    assert folded.states == ["done", "truncated", "running"]


def test_waiting_calls_are_not_looked_through_at_each_request(monkeypatch: pytest.MonkeyPatch) -> None:
    looked_at: list[str] = []
    look = Calls._detached_at

    def counted(calls: Calls, tracked: TrackedSession, waiting: Call) -> float:
        looked_at.append(waiting.id)
        return look(calls, tracked, waiting)

    monkeypatch.setattr(Calls, "_detached_at", counted)
    log = Log(step=0.0001)
    log.initialize("s1")
    for number in range(300):
        asked = log.request(call(number, "slow"), session="s1")
        log.response(asked, 202)
        log.end(asked)
    folded = fold(log)
    assert folded.states.count("running") == 300 and len(looked_at) < 300
    assert len(folded.traffic.tick(log.now + 301)) == 300


def test_without_event_ids_a_closed_stream_is_the_end() -> None:
    log = Log()
    log.initialize("s1")
    asked = log.request(call(7, "slow"), session="s1")
    log.response(asked)
    log.end(asked)
    assert fold(log).states == ["done", "truncated"]


def test_event_ids_resume_nothing_in_the_modern_era() -> None:
    log = Log()
    asked = log.request(modern(call(7, "slow")))
    log.response(asked)
    log.message(asked, b"", event_id="1")
    log.end(asked)
    assert fold(log).states == ["truncated"]


def test_a_question_of_the_server_outlives_its_stream() -> None:
    log = Log()
    log.initialize("s1")
    asked = log.request(call(1, "greet"), session="s1")
    log.message(asked, ask(5, "elicitation/create"), stream=True)
    log.end(asked, "upstream-closed")
    assert fold(log).states == ["done", "truncated", "running"]
    log.exchange(result(5), status=202, session="s1")
    assert fold(log).states == ["done", "truncated", "done"]


def test_the_gateway_starting_anew_ends_what_was_open() -> None:
    log = Log()
    log.request(call(1, "x"), session="s1")
    last = log.exchange(call(2, "x"), result(2), session="s2")[-1]
    log.wait(3_600)
    begun = log.started()
    folded = fold(log)
    assert folded.states == ["truncated", "done"]
    assert folded.calls[0].ended == folded.at(last).time
    assert folded.at(begun).updated == (folded.calls[0],)
    assert folded.at(begun).note == "gateway 0.1.0 started before files; capture masked"
    exchange = folded.traffic.exchanges[0]
    assert (exchange.outcome, exchange.ended) == ("error", folded.at(last).time)


def test_a_stop_ends_what_was_open_at_its_own_time() -> None:
    log = Log()
    log.request(call(1, "x"), session="s1")
    log.wait(60)
    stopped = log.stopped()
    folded = fold(log)
    assert folded.calls[0].ended == folded.at(stopped).time


def test_gateway_and_malformed_entries_are_told() -> None:
    log = Log(source="edge")
    log.malformed(fault="not JSON")
    log.stopped("asked to")
    folded = fold(log)
    assert [(seen.index, seen.source, seen.kind, seen.note) for seen in folded.seen] == [
        (0, "edge", "malformed", "not JSON"),
        (1, "edge", "gateway", "gateway stopped: asked to"),
    ]
