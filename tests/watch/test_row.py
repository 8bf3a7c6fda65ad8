"""What a row says of itself, raw and never more than is known."""

import pytest
from build import Log
from msgspec import structs
from rpc import call, modern_headers
from verdicts import judged, principal, verified
from watched import START, Stage

from mcpwatch.model.entries import Body, Request
from mcpwatch.model.identity import Evidence, Signer, Strength, Word
from mcpwatch.model.traffic import Binding, CallState, Direction, Observation, RpcMessage, SessionKind
from mcpwatch.traffic.fold import Traffic
from mcpwatch.watch.names import short_session
from mcpwatch.watch.outcome import outcome
from mcpwatch.watch.row import Row
from mcpwatch.watch.times import seconds


def test_a_verified_signer_comes_first_with_its_key() -> None:
    stage = Stage()
    session = stage.session()
    session.principal = principal("ann")
    who = stage.request(verdict=verified("alice"), session=session).who
    signer = verified("alice").signer
    assert signer is not None
    assert who.evidence is Evidence.VERIFIED
    assert who.text == f"{signer.fingerprint[:8]} …{signer.id[-6:]}"
    assert who.id == signer.id
    named = structs.replace(verified("alice"), signer=structs.replace(signer, name="ledger"))
    assert stage.request(verdict=named, session=session).who.text == f"ledger {signer.fingerprint[:8]}"


def test_without_a_valid_signature_the_principal_comes_before_any_claim() -> None:
    stage = Stage()
    session = stage.session(client="inspector 1.0")
    forged = judged(Word.BAD_SIG, "alice")
    assert stage.request(session=session).who[:2] == ("?inspector 1.0", Evidence.CLAIMED)
    assert stage.request(session=session, verdict=forged).who.text.startswith("?did:key")
    session.principal = principal("ann")
    assert stage.request(session=session, verdict=forged).who[:2] == ("@ann", Evidence.ASSERTED)
    assert stage.request().who == ("", Evidence.ABSENT, "")


def test_a_request_is_put_down_to_its_own_principal_not_to_the_sessions_first() -> None:
    log = Log()
    entry = log.request(principal=principal("ben"))
    assert entry.record is not None and isinstance(entry.record.data, Request)
    session = Stage().session()
    session.principal = principal("ann")
    seen = Observation(0, "", START, "request", session=session, request=entry.record.data)
    assert Row(0, 0, "", START, entry, seen).who[:2] == ("@ben", Evidence.ASSERTED)


def test_only_a_request_carries_a_verdicts_word() -> None:
    stage = Stage()
    request = stage.request(verdict=verified())
    rows = [stage.response(request), stage.answer(request), stage.end(request), stage.gateway()]
    assert request.word == "VERIFIED"
    assert [row.word for row in rows] == [""] * 4
    assert rows[0].who == request.who


def test_a_call_is_told_by_its_request_and_by_its_answer() -> None:
    stage = Stage()
    request = stage.request()
    assert request.is_running
    assert request.outcome(START + 3.2) == "running 3.2s"
    assert request.duration(START + 3.2) == pytest.approx(3.2)
    call = request.call
    assert call is not None
    call.progress, call.progress_total = 1, 4
    assert request.outcome(START + 0.012) == "running 12ms 25%"
    answer = stage.answer(request, CallState.TOOL_ERROR, seconds=0.25)
    assert [row.outcome(START + 9) for row in (request, answer)] == ["tool error", "tool error"]
    assert [row.duration(START + 9) for row in (request, answer)] == [pytest.approx(0.25)] * 2
    assert (answer.method, answer.tool, answer.arrow, answer.direction) == ("tools/call", "read", "←", "to-client")
    assert not request.is_running


@pytest.mark.parametrize(
    ("state", "change", "said"),
    [
        (CallState.DONE, {}, "ok"),
        (CallState.RPC_ERROR, {"error_code": -32601}, "-32601"),
        (CallState.RPC_ERROR, {}, "error"),
        (CallState.HTTP_ERROR, {"status": 502}, "HTTP 502"),
        (CallState.DENIED, {}, "denied"),
        (CallState.INPUT_REQUIRED, {}, "input required"),
        (CallState.CANCELLED, {}, "cancelled"),
        (CallState.TRUNCATED, {}, "truncated"),
    ],
)
def test_each_end_of_a_call_has_its_words(state: CallState, change: dict[str, int], said: str) -> None:
    stage = Stage()
    request = stage.request()
    assert request.call is not None
    request.call.state = state
    for name, value in change.items():
        setattr(request.call, name, value)
    assert request.outcome(START) == said


@pytest.mark.parametrize(
    ("message", "said"),
    [
        (RpcMessage(Direction.TO_CLIENT, 1, result={}), "ok"),
        (RpcMessage(Direction.TO_CLIENT, 1, result={"isError": True}), "tool error"),
        (RpcMessage(Direction.TO_CLIENT, 1, result={"resultType": "input_required"}), "input required"),
        (RpcMessage(Direction.TO_CLIENT, 1, error={"code": -32000, "message": "no"}), "-32000"),
        (RpcMessage(Direction.TO_CLIENT, 1, error="odd"), "error"),
        (RpcMessage(Direction.TO_CLIENT, None, "notifications/progress", {"progress": 3, "total": 4}), "75%"),
        (RpcMessage(Direction.TO_CLIENT, None, "notifications/progress", {"progress": 3}), "3"),
        (RpcMessage(Direction.TO_CLIENT, None, "notifications/progress", {"progress": 10**400, "total": 1}), ""),
        (RpcMessage(Direction.TO_CLIENT, None, "notifications/progress", {"progress": "x"}), ""),
        (RpcMessage(Direction.TO_CLIENT, None, "notifications/message", ["odd"]), ""),
        (RpcMessage(Direction.TO_CLIENT, fault="not JSON"), "not JSON-RPC"),
        (RpcMessage(Direction.TO_CLIENT, fault="only the digest travels", captured=False), "not captured"),
    ],
)
def test_a_message_says_what_it_brings(message: RpcMessage, said: str) -> None:
    assert outcome(Observation(0, "", 0.0, "message", messages=(message,)), None, 0.0) == said


def test_an_exchange_without_a_call_tells_its_http_side() -> None:
    stage = Stage()
    request = stage.request()
    exchange = request.seen.exchange
    assert exchange is not None
    request.seen = structs.replace(request.seen, opened=(), messages=())
    assert (request.method, request.tool, request.outcome(START), request.duration(START)) == ("POST", "", "open", None)
    head = stage.response(request, 202)
    assert (request.outcome(START), head.outcome(START)) == ("HTTP 202", "HTTP 202")
    end = stage.end(request)
    assert (request.outcome(START), end.outcome(START)) == ("HTTP 202", "complete")
    assert request.duration(START) == end.duration(START) == pytest.approx(end.time - request.time)
    exchange.outcome = "client-closed"
    assert request.outcome(START) == "client-closed"


@pytest.mark.parametrize(
    ("headers", "method", "tool"),
    [({}, "POST", ""), (modern_headers(call(1, "read")), "tools/call", "read")],
)
@pytest.mark.parametrize("status", [200, 401])
def test_where_only_digests_travel_the_row_says_so(
    headers: dict[str, str], method: str, tool: str, status: int
) -> None:
    log, traffic = Log(), Traffic()
    asked = log.request(Body(70, "00" * 32), headers=headers)
    log.response(asked, status)
    log.message(asked, Body(70, "00" * 32))
    log.end(asked)
    rows = [Row(entry.index, entry.index, "", 0.0, entry, traffic.apply(entry)) for entry in log.entries]
    expected = "not captured" if status == 200 else "denied" if tool else "HTTP 401"
    assert (rows[0].method, rows[0].tool, rows[0].outcome(START)) == (method, tool, expected)
    assert (rows[2].method, rows[2].outcome(START)) == (method, "not captured")


@pytest.mark.parametrize(
    ("state", "outcome", "quiet"),
    [
        (CallState.DONE, "complete", True),
        (CallState.DONE, "client-closed", True),
        (CallState.TOOL_ERROR, "client-closed", True),
        (CallState.RUNNING, "client-closed", False),
        (CallState.CANCELLED, "client-closed", False),
        (CallState.TRUNCATED, "upstream-closed", False),
        (CallState.DONE, "upstream-closed", False),
    ],
)
def test_an_end_is_quiet_when_the_answer_was_there(state: CallState, outcome: str, quiet: bool) -> None:
    stage = Stage()
    request = stage.request()
    assert request.call is not None
    request.call.state = state
    assert stage.end(request, outcome).plumbing is quiet


def test_the_end_of_an_exchange_without_calls_is_shown_when_somebody_hung_up() -> None:
    stage = Stage()
    request = stage.request()
    assert request.seen.exchange is not None
    request.seen.exchange.calls.clear()
    assert not stage.end(request, "client-closed").plumbing


@pytest.mark.parametrize(
    ("key", "kind", "short"),
    [
        ("notes/4fe345b2e8ac", SessionKind.LEGACY, "4fe345b2"),
        ("orders~did:key:z6Mk…6bmFf8cn", SessionKind.SIGNER, "~bmFf8cn"),
        ("orders~ann@login.example", SessionKind.PRINCIPAL, "~ann@log"),
        ("orders~127.0.0.1~courier-1.0#2", SessionKind.ANONYMOUS, "~couri#2"),
        ("orders~http://127.0.0.1:4200", SessionKind.SIGNER, "~127.0.0"),
        ("orders~https://agen…/keys.json", SessionKind.SIGNER, "~ys.json"),
        ("orders~ann.bell@com…mple.com", SessionKind.PRINCIPAL, "~ann.bel"),
        ("orders~10.0.0.1~smithery-mcp…-mcp-0.1", SessionKind.ANONYMOUS, "~smither"),
        ("plain", SessionKind.LEGACY, "plain"),
    ],
)
def test_sessions_have_short_names(key: str, kind: SessionKind, short: str) -> None:
    session = Stage().session(key)
    session.kind = kind
    assert short_session(session) == short


def test_a_signers_session_goes_by_its_name_or_its_keys_head() -> None:
    session = Stage().session("orders~https://agen…nown/ucp#2")
    session.kind = SessionKind.SIGNER
    session.binding = Binding(Signer("https://agent.example/.well-known/ucp", "m1sI0XSEabc"), Strength.EACH)
    assert short_session(session) == "~m1sI0#2"
    session.binding = Binding(Signer("https://agent.example/.well-known/ucp", "m1sI0XSEabc", name="shop"))
    assert short_session(session) == "~shop#2"


def test_a_batch_says_how_many_more_it_holds() -> None:
    stage = Stage()
    request = stage.request()
    request.seen = structs.replace(request.seen, messages=request.seen.messages * 3)
    assert request.method == "tools/call +2"


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (-1, "0µs"),
        (0.0000005, "0µs"),
        (0.00085, "850µs"),
        (0.012, "12ms"),
        (0.9999, "1.0s"),
        (3.21, "3.2s"),
        (59.97, "1m00s"),
        (250, "4m10s"),
        (7_500, "2h05m"),
        (273_600, "3d04h"),
        (1e300, ">999d"),
        (float("inf"), ">999d"),
    ],
)
def test_spans_of_time_are_short(value: float, said: str) -> None:
    assert seconds(value) == said and len(said) <= 6
