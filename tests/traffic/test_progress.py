"""What is seen of a call while it runs: progress, partial output, cancelling."""

import pytest
from build import Log
from folding import fold
from rpc import ask, call, error, modern, note, result, text

from mcpwatch.model.entries import Json
from mcpwatch.model.traffic import CallState


def progress(token: Json = None, **more: Json) -> dict[str, Json]:
    """A progress notification."""
    return note("notifications/progress", more if token is None else {"progressToken": token, **more})


def test_progress_finds_its_call_by_token() -> None:
    log = Log()
    asked = log.request(call(1, "slow", meta={"progressToken": "p"}), session="s1")
    step = log.message(asked, progress("p", progress=2, total=4, message="half"), stream=True)
    folded = fold(log)
    (one,) = folded.calls
    assert (one.progress, one.progress_total, one.progress_text, one.messages) == (2.0, 4.0, "half", 1)
    assert (one.state, folded.at(step).updated) == (CallState.RUNNING, (one,))


def test_progress_may_come_on_another_stream_of_the_session() -> None:
    log = Log()
    log.initialize("s1")
    log.request(call(1, "slow", meta={"progressToken": 7}), session="s1")
    stream = log.request(None, method="GET", session="s1")
    log.message(stream, progress(7, progress=1), stream=True)
    assert fold(log).calls[1].progress == 1.0


def test_the_same_token_in_two_exchanges_is_told_apart_by_the_exchange() -> None:
    log = Log()
    first = log.request(call(1, "a", meta={"progressToken": 1}), session="s1")
    second = log.request(call(1, "b", meta={"progressToken": 1}), session="s1")
    log.message(first, progress(1, progress=10), stream=True)
    log.message(second, progress(1, progress=20), stream=True)
    assert [one.progress for one in fold(log).calls] == [10.0, 20.0]


@pytest.mark.parametrize("token", [None, "unknown"])
def test_without_a_known_token_the_exchange_decides(token: str | None) -> None:
    log = Log()
    asked = log.request(call(1, "slow", meta={"progressToken": "p"}), session="s1")
    log.message(asked, progress(token, status="running", elapsedMs=5000), event="notification")
    (one,) = fold(log).calls
    assert (one.messages, one.progress, one.progress_text) == (1, None, "running")


def test_without_a_token_two_calls_of_one_exchange_are_not_guessed_between() -> None:
    log = Log()
    asked = log.request([ask(1, "a"), ask(2, "b")], session="s1")
    step = log.message(asked, progress(progress=1), stream=True)
    folded = fold(log)
    assert [one.messages for one in folded.calls] == [0, 0]
    assert folded.at(step).updated == ()


@pytest.mark.parametrize("value", ["half", True, None, [1], {"a": 1}, 10**400])
def test_progress_that_is_no_number_is_none(value: Json) -> None:
    log = Log()
    asked = log.request(call(1, "slow"), session="s1")
    log.message(asked, progress(progress=value, total=value), stream=True)
    (one,) = fold(log).calls
    assert (one.progress, one.progress_total) == (None, None)


def test_partial_output_counts_and_keeps_its_event_name() -> None:
    log = Log()
    asked = log.request(call(1, "spawn"), session="s1")
    part = log.message(asked, note("notifications/partial_output", {"text": "line"}), event="notification")
    folded = fold(log)
    assert folded.calls[0].messages == 1
    assert [(message.method, message.event) for message in folded.at(part).messages] == [
        ("notifications/partial_output", "notification")
    ]


def test_noise_on_a_stream_counts_too() -> None:
    log = Log()
    asked = log.request(call(1, "spawn"), session="s1")
    noise = log.message(asked, b"not json", event="odd")
    folded = fold(log)
    assert folded.calls[0].messages == 1
    assert folded.at(noise).messages[0].fault


def test_a_priming_event_is_no_message() -> None:
    log = Log()
    asked = log.request(call(1, "slow"), session="s1")
    primed = log.message(asked, b"", event_id="1")
    folded = fold(log)
    assert (folded.at(primed).messages, folded.calls[0].messages) == ((), 0)


def test_a_cancelled_notification_cancels() -> None:
    log = Log()
    log.initialize("s1")
    asked = log.request(call(14, "slow"), session="s1")
    stop = log.request(note("notifications/cancelled", {"requestId": 14, "reason": "caller cancelled"}), session="s1")
    late = log.message(asked, error(14, -32800, "Request cancelled"), stream=True)
    log.end(asked)
    folded = fold(log)
    one = folded.calls[1]
    assert (one.state, one.error_text, one.ended) == (CallState.CANCELLED, "caller cancelled", folded.at(stop).time)
    assert folded.at(stop).updated == (one,)
    assert folded.at(stop).opened == ()
    assert late.index in one.entries


def test_cancelling_in_another_session_cancels_nothing() -> None:
    log = Log()
    log.request(call(14, "slow"), session="s1")
    log.request(note("notifications/cancelled", {"requestId": 14}), session="s2")
    assert fold(log).states == ["running"]


@pytest.mark.parametrize("params", [None, {}, {"requestId": 99}, {"requestId": [1]}, {"requestId": None}, [1]])
def test_cancelling_what_is_not_there_does_nothing(params: Json) -> None:
    log = Log()
    log.request(call(14, "slow"), session="s1")
    log.request(note("notifications/cancelled", params), session="s1")
    assert fold(log).states == ["running"]


def test_a_server_cancels_its_own_request() -> None:
    log = Log()
    log.initialize("s1")
    asked = log.request(call(1, "greet"), session="s1")
    log.message(asked, ask(1, "elicitation/create"), stream=True)
    log.message(asked, note("notifications/cancelled", {"requestId": 1}), stream=True)
    assert fold(log).states == ["done", "running", "cancelled"]


def test_in_the_modern_era_closing_the_stream_cancels() -> None:
    log = Log()
    asked = log.request(modern(call(15, "slow")))
    end = log.end(asked, "client-closed")
    folded = fold(log)
    assert folded.states == ["cancelled"]
    assert folded.at(end).updated == (folded.calls[0],)


def test_in_the_legacy_era_closing_the_stream_cancels_nothing() -> None:
    log = Log()
    log.initialize("s1")
    asked = log.request(call(15, "slow"), session="s1")
    log.end(asked, "client-closed")
    assert fold(log).states == ["done", "truncated"]


LISTEN = modern(ask("L1", "subscriptions/listen", {"notifications": {"toolsListChanged": True}}))
SUBSCRIPTION = {"_meta": {"io.modelcontextprotocol/subscriptionId": "L1"}}


@pytest.mark.parametrize(
    ("outcome", "status", "state"),
    [
        ("client-closed", 200, "cancelled"),
        ("complete", 200, "done"),
        ("upstream-closed", 200, "done"),
        ("complete", 404, "HTTP error"),
        ("denied", 200, "denied"),
    ],
)
def test_a_subscription_runs_until_its_stream_closes(outcome: str, status: int, state: str) -> None:
    log = Log()
    asked = log.request(LISTEN)
    log.response(asked, status)
    log.message(asked, note("notifications/subscriptions/acknowledged", SUBSCRIPTION), stream=True)
    log.wait(3600)
    log.message(asked, note("notifications/tools/list_changed", SUBSCRIPTION), stream=True)
    folded = fold(log)
    assert folded.states == ["running"]
    assert folded.calls[0].messages == 2
    log.end(asked, outcome)  # type: ignore[arg-type]
    assert fold(log).states == [state]


def test_frames_of_a_subscription_go_to_it_and_not_to_its_neighbour() -> None:
    log = Log()
    asked = log.request([modern(ask(1, "ping")), LISTEN])
    log.message(asked, note("notifications/tools/list_changed", SUBSCRIPTION), stream=True)
    assert [one.messages for one in fold(log).calls] == [0, 1]


def test_a_server_may_cancel_a_subscription() -> None:
    log = Log()
    asked = log.request(LISTEN)
    log.message(asked, note("notifications/cancelled", {"requestId": "L1"}), stream=True)
    assert fold(log).states == ["cancelled"]


def test_the_final_answer_after_progress_ends_the_call() -> None:
    log = Log()
    asked = log.request(modern(call(1, "slow"), progressToken=1))
    for step in (1, 2, 3):
        log.message(asked, progress(1, progress=step, total=3), event="message")
    log.message(asked, result(1, text("done 3")), event="message")
    log.end(asked)
    (one,) = fold(log).calls
    assert (one.state, one.messages, one.progress) == (CallState.DONE, 3, 3.0)
