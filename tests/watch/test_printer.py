"""The lines that tail prints: their shape, and that nothing in them acts on a terminal."""

import json
import unicodedata

import msgspec
import pytest
from build import Log
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs
from rpc import call
from verdicts import judged, principal, signer, verified
from watched import Stage

from mcpwatch.detect.rules import CATALOGUE
from mcpwatch.model.alerts import Acknowledgement, AlertEvent, EventKind, Severity, Silence
from mcpwatch.model.entries import Body
from mcpwatch.model.feed import Checkpoint, FeedState, FeedStatus, Gap
from mcpwatch.model.identity import Covered, OtherSignature, Receipt, ServerProof, Signer, Word
from mcpwatch.model.traffic import CallState
from mcpwatch.traffic.fold import Traffic
from mcpwatch.watch.json_lines import FeedLine, Line, entry_line
from mcpwatch.watch.printer import JsonPrinter, TextPrinter, encode
from mcpwatch.watch.state import State

HOSTILE = "\x1b]52;c;aGk=\x07\x9b31m\u202egnp.exe\u2066\x7f\ud800[/]\u200b"


def _feed(verified_size: int = 0) -> FeedStatus:
    point = Checkpoint("gateway.example/feed/1", verified_size, b"", b"", None)
    return FeedStatus(
        "", "http://127.0.0.1:1", FeedState.LIVE, origin=point.origin, verified_size=verified_size, checkpoint=point
    )


def test_an_entry_has_every_field_that_scripts_read() -> None:
    stage = Stage()
    request = stage.request("read", verdict=verified("alice"), session=stage.session("5e551047"))
    alert = stage.alert(0)
    stage.state.set_feed(_feed(1))
    line = json.loads(JsonPrinter().entry(request, stage.state))
    alice = signer("alice")
    assert line == {
        "type": "entry",
        "index": 0,
        "source": "",
        "time": "1970-01-12T13:46:40.000000Z",
        "kind": "request",
        "exchange": 0,
        "session": {
            "id": "5e551047",
            "kind": "session id",
            "strength": "nothing binds this session",
            "bound_to": "",
        },
        "server": "files",
        "method": "tools/call",
        "tool": "read",
        "direction": "to-server",
        "era": "legacy",
        "call": "0",
        "verdict": {
            "word": "VERIFIED",
            "signature": "valid",
            "freshness": "fresh",
            "coverage": ["method", "target", "body", "time", "nonce"],
            "identity": {
                "id": alice.id,
                "fingerprint": alice.fingerprint,
                "resolution": "did:key",
                "key_state": "current",
                "name": "",
            },
            "evidence": "verified here",
            "scheme": "rfc9421",
            "reasons": [],
            "body_by_digest": False,
            "waiting": False,
            "first_seen": None,
            "first_source": None,
            "profile": "",
            "uncovered": ["authority", "MCP method and name"],
            "body_as_checked": True,
            "others": [],
            "receipt": None,
        },
        "identity": alice.id,
        "evidence": "verified here",
        "outcome": "running",
        "status": None,
        "duration": None,
        "alerts": [alert.id],
        "note": "",
        "proven": True,
        "server_proof": None,
    }


def test_what_else_is_signed_is_told_with_its_signer() -> None:
    stage, bob = Stage(), signer("bob")
    verdict = structs.replace(
        verified("alice"),
        profile="web-bot-auth",
        others=(OtherSignature(Word.BAD_SIG, "aip", "second", bob, "it does not fit"),),
        receipt=Receipt("r2", "t1", "r1"),
    )
    request = stage.request("read", verdict=verdict)
    answer = stage.response(request)
    stage.state.prove(answer.index, "", ServerProof(Word.VERIFIED, "mcp-i", bob))
    told = json.loads(JsonPrinter().entry(request, stage.state))
    assert (told["verdict"]["profile"], told["verdict"]["word"]) == ("web-bot-auth", "VERIFIED")
    (other,) = told["verdict"]["others"]
    assert (other["word"], other["scheme"], other["label"], other["reason"]) == (
        "BAD SIG",
        "aip",
        "second",
        "it does not fit",
    )
    assert other["identity"]["id"] == bob.id
    assert told["verdict"]["receipt"] == {"id": "r2", "trace_id": "t1", "parent_id": "r1"}
    assert told["server_proof"] is None
    proof = json.loads(JsonPrinter().entry(answer, stage.state))["server_proof"]
    assert (proof["word"], proof["identity"]["id"], proof["waiting"]) == ("VERIFIED", bob.id, False)
    again = json.loads(JsonPrinter().verdict(answer, stage.state))
    assert (again["type"], again["verdict"], again["server_proof"]) == ("verdict", None, proof)
    assert TextPrinter().entry(answer, stage.state).endswith(f"(server VERIFIED {bob.fingerprint[:8]} …{bob.id[-6:]})")


@pytest.mark.parametrize(
    ("body", "as_checked"),
    [
        (Body(2, "0" * 64, text="{}"), True),
        (Body(2, "0" * 64, text="{}", masked=1), False),
        (Body(2, "0" * 64), False),
        (Body(9_000_000, "0" * 64, truncated=True), False),
    ],
)
def test_a_signed_body_that_is_not_carried_as_it_was_checked_is_told_apart(body: Body, as_checked: bool) -> None:
    log = Log()
    entry = log.request(body, principal=principal())
    signed = Traffic().apply(entry, verified("alice"))
    state = State()
    line = entry_line(state.apply(entry, signed), state)
    assert line.verdict is not None and line.verdict.body_as_checked is as_checked
    assert "access token" in line.verdict.uncovered
    unsaid = structs.replace(signed, verdict=verified("alice", Covered.METHOD))
    told = entry_line(state.apply(entry, unsaid), state).verdict
    assert told is not None and told.body_as_checked and "body" in told.uncovered


def test_a_request_without_a_session_id_leaves_none_uncovered() -> None:
    log, state = Log(), State()
    told = []
    for session in ("s1", ""):
        entry = log.request(call(1, "read"), session=session)
        line = entry_line(state.apply(entry, Traffic().apply(entry, verified("alice"))), state)
        assert line.verdict is not None
        told.append(line.verdict.uncovered)
    assert told == [("authority", "session id", "MCP method and name"), ("authority", "MCP method and name")]


def test_a_call_whose_end_may_have_been_missed_is_not_said_to_run() -> None:
    stage = Stage()
    request = stage.request("read")
    assert entry_line(request, stage.state).outcome == "running"
    assert request.call is not None
    request.call.is_doubtful = True
    line = entry_line(request, stage.state)
    assert (line.outcome, line.duration) == ("end not seen", None)
    stage.answer(request)
    request.call.is_doubtful = False
    assert entry_line(request, stage.state).outcome == "ok"


def test_an_entry_past_the_last_checkpoint_is_not_called_proven() -> None:
    stage = Stage()
    rows = [stage.request() for _ in range(2)]
    assert not entry_line(rows[0], stage.state).proven
    stage.state.set_feed(_feed(1))
    assert [entry_line(row, stage.state).proven for row in rows] == [True, False]


def test_an_alert_has_every_field_that_scripts_read() -> None:
    stage = Stage()
    stage.request()
    alert = stage.alert(0)
    now = stage.now
    alert.acknowledgement = Acknowledgement("ann@desk", "known", now, 0, Severity.HIGH, now + 60)
    alert.silence = Silence("5" * 12, "identity/*", "*", "ann@desk", "a test", now, now + 60)
    alert.history = [AlertEvent(EventKind.ACKNOWLEDGED, "ann@desk", "known", now, 0, key="print", until=now + 60)]
    line = json.loads(JsonPrinter().alert(alert))
    assert line == {
        "type": "alert",
        "id": "identity/bad-signature",
        "source": "",
        "rule": "identity/bad-signature",
        "title": "identity/bad-signature",
        "severity": "high",
        "subject": "subject",
        "count": 1,
        "evidence": [0],
        "last_index": 0,
        "reason": "because",
        "state": "firing",
        "first_time": "1970-01-12T13:46:40.001000Z",
        "last_time": "1970-01-12T13:46:40.001000Z",
        "sessions": [],
        "acknowledgement": {
            "author": "ann@desk",
            "note": "known",
            "time": "1970-01-12T13:46:40.001000Z",
            "last_index": 0,
            "expires": "1970-01-12T13:47:40.001000Z",
        },
        "silence": {
            "rule": "identity/*",
            "subject": "*",
            "author": "ann@desk",
            "reason": "a test",
            "time": "1970-01-12T13:46:40.001000Z",
            "until": "1970-01-12T13:47:40.001000Z",
        },
        "references": list(CATALOGUE["identity/bad-signature"].references),
        "history": [
            {
                "kind": "acknowledged",
                "author": "ann@desk",
                "note": "known",
                "time": "1970-01-12T13:46:40.001000Z",
                "last_index": 0,
                "key": "print",
                "operator": None,
                "fault": "",
            }
        ],
    }


def test_a_feed_and_a_newer_verdict_have_lines_of_their_own() -> None:
    stage = Stage()
    row = stage.request(verdict=verified("alice"))
    status = structs.replace(_feed(3), gaps=(Gap(1, 2, "retention"),), next_index=9)
    assert json.loads(JsonPrinter().feed(status)) == {
        "type": "feed",
        "source": "",
        "address": "http://127.0.0.1:1",
        "state": "LIVE",
        "detail": "",
        "origin": "gateway.example/feed/1",
        "next_index": 9,
        "verified_size": 3,
        "gaps": [[1, 2]],
    }
    newer = json.loads(JsonPrinter().verdict(row, stage.state))
    assert (newer["type"], newer["index"], newer["verdict"]["word"]) == ("verdict", 0, "VERIFIED")


def test_every_line_reads_back_into_its_struct() -> None:
    stage = Stage()
    request = stage.request(verdict=judged(Word.BAD_SIG, "mallory"))
    rows = [request, stage.response(request), stage.answer(request), stage.end(request), stage.gateway()]
    lines = [JsonPrinter().entry(row, stage.state) for row in rows] + [JsonPrinter().alert(stage.alert(0))]
    for line in lines:
        assert encode(msgspec.json.decode(line, type=Line)) == line


@given(st.text(st.characters(), max_size=30) | st.just(HOSTILE))
def test_json_keeps_text_exact_and_harmless(text: str) -> None:
    line = encode(FeedLine(text, "", "LIVE", text, "", 0, 0, ()))
    assert not any(unicodedata.category(char) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp") for char in line)
    assert json.loads(line)["detail"] == text


def test_no_line_carries_what_a_terminal_would_act_on() -> None:
    stage = Stage(source=HOSTILE)
    forged = structs.replace(judged(Word.BAD_SIG), signer=Signer(HOSTILE), reasons=(HOSTILE,))
    row = stage.request(HOSTILE, session=stage.session(HOSTILE, client=HOSTILE), verdict=forged)
    note = stage.gateway(HOSTILE)
    alert = stage.alert(0, rule=HOSTILE)
    alert.subject = alert.reason = HOSTILE
    lines: list[str] = []
    for printer in (TextPrinter(several=True), TextPrinter(), JsonPrinter()):
        lines += [printer.entry(row, stage.state), printer.entry(note, stage.state), printer.alert(alert)]
        lines += [printer.verdict(row, stage.state), printer.feed(FeedStatus(HOSTILE, HOSTILE, detail=HOSTILE))]
    for line in lines:
        assert line.isprintable()


@pytest.mark.parametrize("width", [20, 200])
def test_text_lines_say_time_verdict_who_session_call_and_outcome(width: int) -> None:
    stage = Stage()
    session = stage.session("5e551047", client="x" * width)
    request = stage.request("read", session=session)
    line = TextPrinter().entry(request, stage.state)
    words = line.split()
    assert words[1] == "UNSIGNED"
    assert words[2].startswith("?xxx")
    assert line.index("5e551047") == 12 + 1 + 11 + 1 + 29 + 1
    assert words[-3:] == ["→", "tools/call", "read"]
    stage.answer(request, CallState.TOOL_ERROR)
    assert TextPrinter().entry(request, stage.state).endswith("read                     tool error")


def test_text_lines_of_alerts_name_their_evidence() -> None:
    stage = Stage()
    stage.request()
    line = TextPrinter().alert(stage.alert(0))
    assert line.endswith("! HIGH identity/bad-signature subject ×1: because [#0] identity/bad-signature")
