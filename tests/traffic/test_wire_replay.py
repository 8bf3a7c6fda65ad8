"""Traffic captured between real clients and servers, folded."""

from collections import Counter

import pytest
import wire
from build import START, Log
from folding import Folded
from rpc import ask, modern
from shared import vectors
from verdicts import unsigned

from mcpwatch.model.traffic import CallState, Direction, Era, SessionKind, SessionState
from mcpwatch.traffic.fold import Traffic


def replay(name: str) -> Folded:
    """The capture whose name begins with these digits, folded."""
    path = next(iter(sorted(vectors("wire/mcp").glob(f"{name}_*.txt"))), None)
    if path is None:
        pytest.skip(f"shared/wire/mcp/{name}_*.txt is not present")
    traffic = Traffic()
    return Folded(traffic, [traffic.apply(entry, unsigned()) for entry in wire.entries(path)])


def outline(folded: Folded) -> list[tuple[str, str, str]]:
    """Method, target and state of each call."""
    return [(one.method, one.target, one.state.value) for one in folded.calls]


LEGACY_CALLS = [
    ("initialize", "", "done"),
    ("ping", "", "done"),
    ("tools/list", "", "done"),
    ("tools/call", "echo", "done"),
    ("tools/call", "region", "done"),
    ("tools/call", "slow", "done"),
    ("tools/call", "boom", "tool error"),
    ("tools/call", "nope", "tool error"),
]
LEGACY_END = [
    ("resources/read", "demo://counter", "done"),
    ("prompts/get", "hello", "done"),
    ("tools/call", "touch", "done"),
    ("tools/call", "slow", "cancelled"),
]
MODERN_CALLS = [
    ("server/discover", "", "done"),
    *LEGACY_CALLS[2:],
    ("tools/call", "greet", "input required"),
    ("tools/call", "greet", "done"),
    ("tools/call", "llm", "input required"),
    ("tools/call", "llm", "done"),
    *LEGACY_END[:2],
    ("subscriptions/listen", "", "cancelled"),
    *LEGACY_END[2:],
]


@pytest.mark.parametrize(("name", "progress"), [("03", 3), ("04", 3), ("05", 0)])
def test_modern_client_and_server(name: str, progress: int) -> None:
    folded = replay(name)
    assert outline(folded) == MODERN_CALLS
    assert {one.era for one in folded.calls} == {Era.MODERN}
    (session,) = folded.sessions
    assert (session.kind, session.era, session.protocol) == (SessionKind.ANONYMOUS, Era.MODERN, "2026-07-28")
    assert (session.client_name, session.server_name) == ("peer-client 9.9", "py-modern")
    assert (session.requests, session.call_count, session.errors) == (16, 16, 2)
    slow = folded.calls[4]
    assert (slow.messages, slow.progress) == (progress, float(progress) or None)
    listen = folded.calls[13]
    assert (listen.rpc_id, listen.messages) == ("listen-1", 3)
    repeats = [one.parents[0].kind.value for one in folded.calls if one.target in ("greet", "llm")]
    assert repeats == ["inferred", "protocol", "inferred", "protocol"]
    assert folded.calls[8].parents[0].parent == folded.calls[7].id
    assert len(folded.traffic.tools) == 7
    assert session.listed_tools == {name for _, name in folded.traffic.tools}


def test_legacy_client_with_a_stateful_server() -> None:
    folded = replay("06")
    assert outline(folded) == [
        *LEGACY_CALLS,
        ("tools/call", "greet", "done"),
        ("elicitation/create", "", "done"),
        ("tools/call", "llm", "done"),
        ("sampling/createMessage", "", "done"),
        *LEGACY_END,
    ]
    (session,) = folded.sessions
    assert (session.kind, session.state, session.era) == (SessionKind.LEGACY, SessionState.ENDED, Era.LEGACY)
    assert (session.client_name, session.protocol) == ("peer-client 9.9", "2025-11-25")
    assert (session.requests, session.call_count, session.errors) == (20, 16, 2)
    asking = [one for one in folded.calls if one.direction is Direction.TO_CLIENT]
    assert [(one.rpc_id, one.parents[0].kind.value) for one in asking] == [(1, "protocol"), (2, "protocol")]
    assert folded.calls[-1].error_text == "caller cancelled"
    assert folded.calls[5].progress_text == "step 3"


@pytest.mark.parametrize(("name", "kind"), [("07", SessionKind.ANONYMOUS), ("08", SessionKind.LEGACY)])
def test_legacy_client_with_a_server_that_cannot_ask_back(name: str, kind: SessionKind) -> None:
    folded = replay(name)
    assert outline(folded) == [
        *LEGACY_CALLS,
        ("tools/call", "greet", "error"),
        ("tools/call", "llm", "error"),
        *LEGACY_END,
    ]
    (session,) = folded.sessions
    assert (session.kind, session.era, session.errors) == (kind, Era.LEGACY, 4)
    refused = folded.calls[8]
    assert refused.error_code == -32600
    assert refused.error_text.startswith("Cannot send 'elicitation/create'")


def test_modern_client_of_another_maker() -> None:
    folded = replay("11")
    assert outline(folded) == [
        ("server/discover", "", "done"),
        ("tools/list", "", "done"),
        ("tools/call", "echo", "done"),
        ("tools/call", "slow", "done"),
    ]
    (session,) = folded.sessions
    assert (session.era, session.server_name) == (Era.MODERN, "ts-modern 2.4.0")
    assert folded.calls[3].progress == 4.0


def test_legacy_client_of_another_maker() -> None:
    folded = replay("13")
    assert [call.rpc_id for call in folded.calls] == [0, 1, 2, 3]
    assert {state for _, _, state in outline(folded)} == {"done"}
    (session,) = folded.sessions
    assert (session.kind, session.state, session.user_agent) == (SessionKind.LEGACY, SessionState.OPEN, "node")


def test_ids_that_begin_again_in_one_derived_session() -> None:
    folded = replay("15")
    assert Counter(call.rpc_id for call in folded.calls) == {"server-discover-probe-1": 2, 0: 2, 1: 2}
    assert {state for _, _, state in outline(folded)} == {"done"}
    assert [session.requests for session in folded.sessions] == [6]


def answers(name: str, marker: str) -> list[tuple[str, wire.Head, bytes]]:
    """The answers of a capture that holds only answers: title, head and body of each."""
    path = next(iter(sorted(vectors("wire/mcp").glob(f"{name}_*.txt"))), None)
    if path is None:
        pytest.skip(f"shared/wire/mcp/{name}_*.txt is not present")
    found: list[tuple[str, wire.Head, bytes]] = []
    for section in path.read_bytes().replace(b"\r\n", b"\n").split(b"\n" + marker.encode())[1:]:
        title, _, rest = section.partition(b"\n")
        start, _, body = rest.partition(b"\n\n")
        line, *fields = start.decode().split("\n")
        pairs = (one.partition(":") for one in fields)
        head = wire.Head(line, [(key.lower(), value.strip()) for key, _, value in pairs])
        found.append((title.decode(), head, body))
    return found


def events_of(body: bytes) -> list[tuple[str, str, str]]:
    """Data, name and id of each server-sent event."""
    found: list[tuple[str, str, str]] = []

    def emit(data: str, name: str, id: str) -> None:
        found.append((data, name, id))

    wire.Events(emit).feed(body.decode() + "\n\n")
    return found


def test_a_stream_closed_early_is_resumed_on_a_get() -> None:
    post, get, delete = answers("17", "--- ")
    log = Log(step=0.0)
    session = post[1].get("mcp-session-id")
    log.initialize(session)
    asked = log.request(ask(7, "tools/call", {"name": "test_reconnection"}), session=session)
    requests = [asked]
    states: list[CallState] = []
    traffic = Traffic()
    for entry in log.entries:
        traffic.apply(entry, unsigned())
    for place, (_, head, body) in enumerate((post, get, delete)):
        if place:
            method = ("GET", "DELETE")[place - 1]
            requests.append(log.request(None, method=method, session=session))
            traffic.apply(requests[-1], unsigned())
        asked = requests[-1]
        status = int(head.line.split(" ")[1])
        traffic.apply(log.response(asked, status, headers=tuple(head.headers), session=session))
        for data, name, id in events_of(body):
            traffic.apply(log.message(asked, data.encode(), stream=True, event=name, event_id=id))
        traffic.apply(log.end(asked))
        states.append(next(one.state for one in traffic.calls.values() if one.rpc_id == 7))
    assert states == [CallState.RUNNING, CallState.DONE, CallState.DONE]
    (one,) = traffic.sessions.values()
    assert one.state is SessionState.ENDED


def test_keep_alives_of_idle_streams_are_nothing() -> None:
    listening = answers("16", "--- ")[1]
    log = Log(start=START)
    asked = log.request(modern(ask("L1", "subscriptions/listen")))
    log.response(asked, 200, headers=tuple(listening[1].headers))
    ((data, name, _),) = events_of(listening[2])
    log.message(asked, data.encode(), event=name)
    traffic = Traffic()
    for entry in log.entries:
        traffic.apply(entry, unsigned())
    (one,) = traffic.calls.values()
    assert (one.state, one.messages) == (CallState.RUNNING, 1)


def test_refusals_open_no_session_though_they_carry_an_id() -> None:
    refused = [
        part for part in answers("09", "----- ") if part[1].get("mcp-session-id") and " 200 " not in part[1].line
    ]
    assert len(refused) == 4
    traffic, log = Traffic(), Log()
    for title, head, body in refused:
        entries = log.exchange(
            ask(0, "initialize"),
            body.strip(),
            status=int(head.line.split(" ")[1]),
            opens=head.get("mcp-session-id"),
        )
        for entry in entries:
            traffic.apply(entry, unsigned())
        assert traffic.sessions == {}, title
    # The capture cut one of the bodies short, so that answer is not JSON-RPC.
    states = Counter(one.state for one in traffic.calls.values())
    assert states == {CallState.RPC_ERROR: 3, CallState.HTTP_ERROR: 1}
