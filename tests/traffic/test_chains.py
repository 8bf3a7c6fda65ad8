"""Which call led to which, and how we know."""

import pytest
from build import Log
from folding import Folded, fold
from rpc import ask, call, modern, note, result, text

from mcpwatch.model.traffic import Call, Edge, EdgeKind
from mcpwatch.traffic import chains
from mcpwatch.traffic.chains import join

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
OTHER_TRACE = "0af7651916cd43dd8448eb211c80319c"


def parent(trace: str, span: int) -> str:
    """A traceparent value."""
    return f"00-{trace}-{span:016x}-01"


def edges(folded: Folded) -> list[list[tuple[str, str]]]:
    """Kind and parent of each edge, call by call."""
    return [[(edge.kind.value, edge.parent) for edge in one.parents] for one in folded.calls]


def test_the_next_call_of_a_session_is_a_guess_and_says_so() -> None:
    log = Log()
    log.exchange(call(1, "a"), result(1), session="s1")
    log.wait(0.4)
    log.exchange(call(2, "b"), result(2), session="s1")
    folded = fold(log)
    assert edges(folded) == [[], [("inferred", "0")]]
    assert folded.calls[1].parents[0].why == "a guess: it began 0.4 s after the answer"


def test_guesses_need_an_answer_the_same_session_and_half_a_minute() -> None:
    log = Log()
    log.exchange(call(1, "a"), result(1), session="s1")
    log.exchange(call(1, "other session"), result(1), session="s2")
    log.exchange(ask(2, "ping"), result(2), session="s1")
    running = log.request(call(3, "b"), session="s1")
    log.exchange(call(4, "parallel"), result(4), session="s1")
    log.message(running, result(3))
    log.wait(31)
    log.exchange(call(5, "late"), result(5), session="s1")
    assert edges(fold(log)) == [[], [], [], [("inferred", "0")], [("inferred", "0")], []]


def test_a_trace_joins_calls_across_sessions_and_upstreams() -> None:
    log = Log()
    log.exchange(call(1, "a"), result(1), session="s1", headers={"traceparent": parent(TRACE, 1)})
    log.exchange(modern(call(1, "b"), traceparent=parent(TRACE, 2)), result(1), upstream="mail")
    log.exchange(call(2, "c"), result(2), session="s1", headers={"traceparent": parent(OTHER_TRACE, 1)})
    folded = fold(log)
    assert edges(folded) == [[], [("traced", "0")], [("inferred", "0")]]
    assert folded.calls[1].parents[0].why == f"the call before in trace {TRACE}"


def test_a_span_that_was_seen_is_the_parent_and_not_merely_the_call_before() -> None:
    log = Log()
    for id, span in ((1, 1), (2, 2), (3, 1)):
        log.exchange(modern(call(id, "x"), traceparent=parent(TRACE, span)), result(id))
    folded = fold(log)
    assert edges(folded)[2] == [("traced", "0")]
    assert folded.calls[2].parents[0].why == f"both carry span {1:016x}"


def test_what_the_body_says_of_the_trace_comes_before_the_header() -> None:
    log = Log()
    log.exchange(modern(call(1, "x"), traceparent=parent(TRACE, 1)), result(1))
    headers = {"traceparent": parent(OTHER_TRACE, 1)}
    log.exchange(modern(call(2, "x"), traceparent=parent(TRACE, 2)), result(2), headers=headers)
    assert edges(fold(log)) == [[], [("traced", "0")]]


@pytest.mark.parametrize(
    "value",
    [
        "",
        "nonsense",
        parent("0" * 32, 1),
        parent(TRACE, 0),
        parent(TRACE, 1).upper(),
        "ff" + parent(TRACE, 1)[2:],
        parent(TRACE, 1) + "x",
        7,
    ],
)
def test_a_trace_that_is_none_joins_nothing(value: object) -> None:
    log = Log()
    for id in (1, 2):
        log.exchange(modern(ask(id, "tools/list"), traceparent=value), result(id))
    assert edges(fold(log)) == [[], []]


def test_a_repeat_with_the_same_request_state_is_joined_by_protocol() -> None:
    log = Log()
    asking = result(1, {"resultType": "input_required", "requestState": "opaque", "inputRequests": {}})
    log.exchange(modern(call(1, "greet")), asking)
    again = modern(ask(2, "tools/call", {"name": "greet", "requestState": "opaque", "inputResponses": {}}))
    log.exchange(again, result(2, text("hi")))
    log.exchange(modern(ask(3, "tools/call", {"name": "greet", "requestState": "made up"})), result(3))
    assert edges(fold(log)) == [[], [("protocol", "0")], [("inferred", "4")]]


def test_input_without_state_goes_to_the_call_that_asked_for_it() -> None:
    log = Log()
    log.exchange(modern(call(1, "greet")), result(1, {"resultType": "input_required", "inputRequests": {}}))
    log.exchange(modern(ask(2, "tools/call", {"name": "greet", "inputResponses": {}})), result(2))
    log.exchange(modern(ask(3, "tools/call", {"name": "greet", "inputResponses": {}})), result(3))
    assert edges(fold(log)) == [[], [("protocol", "0")], [("inferred", "4")]]


@pytest.mark.parametrize("begun", [{"resultType": "task", "taskId": "t1"}, {"task": {"taskId": "t1"}}])
def test_calls_about_a_task_are_joined_to_the_call_that_began_it(begun: dict[str, object]) -> None:
    log = Log()
    log.exchange(modern(call(1, "long")), result(1, begun))
    log.exchange(modern(ask(2, "tasks/get", {"taskId": "t1"})), result(2, {"taskId": "t1"}))
    log.exchange(modern(ask(3, "tasks/cancel", {"taskId": "t1"})), result(3))
    related = {"io.modelcontextprotocol/related-task": {"taskId": "t1"}}
    log.exchange(modern(call(4, "x", meta=related)), result(4))
    log.exchange(modern(ask(5, "tasks/get", {"taskId": "t2"})), result(5))
    assert edges(fold(log)) == [[], [("protocol", "0")], [("protocol", "0")], [("protocol", "0")], []]


def test_a_call_that_names_its_subscription_is_joined_to_it() -> None:
    log = Log()
    log.request(modern(ask("L", "subscriptions/listen")))
    log.request(modern(ask(2, "resources/read", {"uri": "a"}), **{"io.modelcontextprotocol/subscriptionId": "L"}))
    assert edges(fold(log)) == [[], [("protocol", "0")]]


def test_what_the_server_asks_while_it_works_is_joined_to_that_call() -> None:
    log = Log()
    log.initialize("s1")
    asked = log.request(call(1, "greet"), session="s1")
    log.message(asked, ask(0, "sampling/createMessage"), stream=True)
    stream = log.request(None, method="GET", session="s1")
    log.message(stream, ask(1, "roots/list"), stream=True)
    assert edges(fold(log))[1:] == [[], [("protocol", str(asked.index))], []]


def test_a_stronger_edge_leaves_no_room_for_a_guess() -> None:
    log = Log()
    log.exchange(modern(call(1, "a"), traceparent=parent(TRACE, 1)), result(1))
    log.exchange(modern(call(2, "b"), traceparent=parent(TRACE, 2)), result(2))
    assert edges(fold(log)) == [[], [("traced", "0")]]


def one() -> Call:
    """Any call."""
    log = Log(first=9)
    log.request(call(1, "x"))
    return fold(log).calls[0]


def test_the_strongest_edge_to_a_parent_wins() -> None:
    child = one()
    guess, signed = Edge(EdgeKind.INFERRED, "1", "guess"), Edge(EdgeKind.SIGNED, "1", "receipt")
    traced, other = Edge(EdgeKind.TRACED, "1", "span"), Edge(EdgeKind.TRACED, "2", "span")
    assert [join(child, edge) for edge in (guess, traced, guess, other, signed, traced)] == [
        True,
        True,
        False,
        True,
        True,
        False,
    ]
    assert child.parents == (signed, other)


def test_no_call_is_its_own_parent() -> None:
    child = one()
    assert not join(child, Edge(EdgeKind.SIGNED, child.id, "self"))
    assert child.parents == ()


def test_a_parent_is_always_older() -> None:
    log = Log()
    for id in range(1, 6):
        log.exchange(
            [call(id, "a", meta={"traceparent": parent(TRACE, id % 2 + 1)}), call(id + 10, "b")],
            [result(id), result(id + 10)],
            session="s1",
        )
        log.exchange(note("notifications/x"), status=202, session="s1")
    folded = fold(log)
    order = {call.id: place for place, call in enumerate(folded.calls)}
    found = [(order[edge.parent], order[one.id]) for one in folded.calls for edge in one.parents]
    assert found
    assert all(older < younger for older, younger in found)


def test_every_pause_has_its_words() -> None:
    log = Log(step=0.0)
    log.exchange(call(1, "a"), result(1), session="s1")
    log.wait(chains.SOON_S)
    log.request(call(2, "b"), session="s1")
    assert fold(log).calls[1].parents[0].why == "a guess: it began 30.0 s after the answer"
