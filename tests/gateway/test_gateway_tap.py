"""The entries of an exchange: what was sent, in the order it was sent, whatever it was."""

import hashlib
import sqlite3
from pathlib import Path

import pytest
from rig import Talk, answer, connect, every, fetch, gateway, get, journal, logged, ok, only, post, scripted

from mcpwatch.gateway import journal as journal_module
from mcpwatch.gateway import shown_request, tap
from mcpwatch.gateway.log import Log
from mcpwatch.gateway.principal import KeyedHash
from mcpwatch.model.entries import Body, End, GatewayStopped, Message, Principal, Request, Response

CALL = b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","arguments":{"password":"x"}}}'
RESULT = b'{"jsonrpc":"2.0","id":1,"result":{"content":[]}}'


def body(data: bytes, text: str | None = None, masked: int = 0) -> Body:
    return Body(size=len(data), sha256=hashlib.sha256(data).hexdigest(), text=text or data.decode(), masked=masked)


async def test_an_exchange_is_four_entries(tmp_path: Path) -> None:
    fields = (
        b"MCP-Protocol-Version: 2025-11-25",
        b"Mcp-Session-Id: abc",
        b"Authorization: Bearer opaque",
        b"X-Aip-Signature: sig",
        b"X-Unlisted: x",
    )
    reply = ok(RESULT, b"application/json", b"Mcp-Session-Id: abc", b"X-Unlisted: x", b"Retry-After: 1")
    async with scripted(answer(reply)) as server, gateway(tmp_path, f"files={server.url}") as running:
        talk = await connect(running.listen_address)
        await talk.send(post(CALL, *fields, target=b"/mcp?a=1&token=x"))
        await talk.reply()
        host, port = talk.writer.get_extra_info("sockname")
        talk.writer.close()
        hashed = running.log.store.hash_key
    _, request, response, message, end, _ = journal(tmp_path)
    assert isinstance(request, Request)
    assert isinstance(response, Response)
    assert isinstance(end, End)
    keyed = KeyedHash(hashed)
    assert request == Request(
        upstream="files",
        method="POST",
        scheme="http",
        authority="127.0.0.1",
        target="/mcp?a=1&token=***",
        peer=f"{host}:{port}",
        headers=(
            ("content-type", "application/json"),
            ("mcp-protocol-version", "2025-11-25"),
            ("x-aip-signature", "sig"),
        ),
        body=body(CALL, CALL.decode().replace('"x"', '"***"'), 1),
        session=keyed(b"abc"),
        withheld=("authorization", "@query"),
        principal=Principal(scheme="bearer", token_hash=keyed(b"opaque")),
    )
    assert response == Response(
        exchange=1,
        status=200,
        headers=(("content-type", "application/json"), ("retry-after", "1")),
        session=request.session,
    )
    assert message == Message(exchange=1, body=body(RESULT))
    assert end == End(exchange=1, outcome="complete", duration_us=end.duration_us, sent=len(RESULT))


async def test_answers_that_are_too_much_together_pass_whole_and_leave_their_digest(tmp_path: Path) -> None:
    async with (
        scripted(answer(ok(RESULT), ok(b"{}"))) as server,
        gateway(tmp_path, server.url, max_captured=len(RESULT) - 1) as running,
    ):
        first = await fetch(running.listen_address, post(CALL))
        second = await fetch(running.listen_address, post(CALL))
    assert (first.body, second.body) == (RESULT, b"{}")
    large, small = every(tmp_path, Message)
    digest = hashlib.sha256(RESULT).hexdigest()
    assert large.body == Body(size=len(RESULT), sha256=digest, truncated=True)
    assert small.body.text == "{}"
    assert [(end.outcome, end.sent, end.reason) for end in every(tmp_path, End)] == [
        (
            "complete",
            len(RESULT),
            "of the answer only size and digest were logged: "
            "too many octets of answers were held for the log at a time",
        ),
        ("complete", 2, ""),
    ]


async def test_an_event_that_is_too_much_passes_whole(tmp_path: Path) -> None:
    async def script(talk: Talk) -> None:
        await talk.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\ndata: {}\n\n")
        await logged(running, Message)
        await talk.send(b"data: " + b"x" * 100)
        talk.writer.close()

    async with scripted(script) as server, gateway(tmp_path, server.url, max_captured=100) as running:
        reply = await fetch(running.listen_address, post(CALL))
    assert b"x" * 100 in reply.body
    assert only(tmp_path, Message).body.text == "{}"
    assert only(tmp_path, End).reason == (
        "events were not logged from here on: too many octets of answers were held for the log at a time"
    )


async def test_the_request_is_logged_before_it_is_passed_on(tmp_path: Path) -> None:
    async def script(talk: Talk) -> None:
        await logged(running, Request)
        await talk.send(ok(b"{}"))

    async with scripted(script) as server, gateway(tmp_path, server.url) as running:
        assert (await fetch(running.listen_address, post(CALL))).status == 200


async def test_a_digest_that_the_request_names_is_computed(tmp_path: Path) -> None:
    async with scripted(answer(ok(b"{}"))) as server, gateway(tmp_path, server.url, capture="digest") as running:
        await fetch(running.listen_address, post(CALL, b"Content-Digest: sha-512=:AA==:"))
        await fetch(running.listen_address, post(CALL, b"Content-Digest: sha-256=:AA==:"))
    first, second = every(tmp_path, Request)
    assert first.body is not None
    assert second.body is not None
    assert (first.body.sha512, second.body.sha512) == (hashlib.sha512(CALL).hexdigest(), None)
    assert (first.body.text, first.body.sha256) == (None, hashlib.sha256(CALL).hexdigest())


@pytest.mark.parametrize(
    ("stream", "events"),
    [
        (b"id: 1\ndata: \n\nid: 2\nevent: message\ndata: {}\n\n", [("message", "1", ""), ("message", "2", "{}")]),
        (b": ping\n\nretry: 5\n\nevent: x\n\n: ping\n\n", []),
        (b"event: hidden\rdata: a\rdata: b\r\r", [("hidden", "", "a\nb")]),
        (b"\xef\xbb\xbfdata: bom\r\n\r\ndata: unfinished", [("message", "", "bom")]),
        (b"", []),
    ],
)
async def test_events_become_messages_as_a_client_would_see_them(
    tmp_path: Path, stream: bytes, events: list[tuple[str, str, str]]
) -> None:
    async with (
        scripted(answer(ok(stream, b"text/event-stream; charset=utf-8"))) as server,
        gateway(tmp_path, server.url) as running,
    ):
        assert (await fetch(running.listen_address, get())).body == stream
    messages = every(tmp_path, Message)
    assert [(message.event, message.event_id, message.body.text) for message in messages] == events
    assert all(message.stream for message in messages)


async def test_an_event_past_the_limits_ends_the_looking_not_the_stream(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tap, "MAX_EVENT", 100)
    stream = b"data: 1\n\ndata: %b\n\ndata: 3\n\n" % (b"x" * 101)
    async with scripted(answer(ok(stream, b"text/event-stream"))) as server, gateway(tmp_path, server.url) as running:
        assert (await fetch(running.listen_address, get())).body == stream
    assert only(tmp_path, Message).body.text == "1"
    end = only(tmp_path, End)
    assert (end.outcome, end.sent) == ("complete", len(stream))
    assert "not logged from here on: a line is longer than 100 octets" in end.reason


@pytest.mark.parametrize("size", [600_000, 400_000])
async def test_a_body_too_large_for_an_entry_leaves_its_digest(tmp_path: Path, size: int) -> None:
    # Control characters take six octets each in JSON, so the smaller one is too large only once it is encoded.
    large = b"\x01" * size
    async with scripted(answer(ok(large, b"text/plain"))) as server, gateway(tmp_path, server.url) as running:
        assert (await fetch(running.listen_address, post(large))).body == large
    for data in (only(tmp_path, Request).body, only(tmp_path, Message).body):
        assert data is not None
        assert (data.truncated, data.text, data.size) == (True, None, size)
        assert data.sha256 == hashlib.sha256(large).hexdigest()


async def test_a_tap_that_fails_is_told_in_the_log_and_nowhere_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    append = Log.append

    def failing(self: Log, data: object) -> int:
        if isinstance(data, Message):
            raise ValueError("quotes s3cret traffic")
        return append(self, data)  # type: ignore[arg-type]

    monkeypatch.setattr(Log, "append", failing)
    async with scripted(answer(ok(RESULT))) as server, gateway(tmp_path, server.url) as running:
        reply = await fetch(running.listen_address, post(CALL))
        assert (reply.status, reply.body) == (200, RESULT)
    assert [type(data) for data in journal(tmp_path)[1:-1]] == [Request, Response, End]
    assert only(tmp_path, End).reason == "not all of this exchange was logged (ValueError)"


async def test_a_request_that_cannot_be_described_passes_and_is_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shown_request, "mask_shapes", lambda path: 1 / 0)
    async with scripted(answer(ok(RESULT))) as server, gateway(tmp_path, f"files={server.url}") as running:
        assert (await fetch(running.listen_address, post(CALL))).body == RESULT
    request = only(tmp_path, Request)
    assert (request.upstream, request.method, request.target, request.withheld) == ("files", "POST", "", ("*",))
    assert only(tmp_path, End).reason == "not all of this exchange was logged (ZeroDivisionError)"


async def test_an_exchange_that_the_journal_does_not_take_passes_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with scripted(answer(ok(RESULT))) as server, gateway(tmp_path, server.url) as running:
        with monkeypatch.context() as context:
            context.setattr(journal_module, "MAX_BACKLOG", -1)
            assert (await fetch(running.listen_address, post(CALL))).body == RESULT
    assert every(tmp_path, Request) == []
    assert "2 entries lost" in every(tmp_path, GatewayStopped)[0].reason


def failing(*_: object) -> None:
    """A disk that is full."""
    raise sqlite3.OperationalError("disk full")


@pytest.mark.parametrize(("policy", "status"), [("block", 503), ("pass", 200)])
async def test_what_happens_while_the_journal_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, policy: str, status: int
) -> None:
    async with scripted(answer(ok(RESULT))) as server, gateway(tmp_path, server.url, when_unwritable=policy) as running:
        assert (await fetch(running.listen_address, post(CALL))).status == 200
        journal = running.log.journal
        await journal.flush()
        with monkeypatch.context() as context:
            context.setattr(journal._store, "write", failing)
            journal._in_trouble("disk full")
            assert (await fetch(running.listen_address, post(CALL))).status == status


async def test_headers_too_large_for_an_entry_are_left_out(tmp_path: Path) -> None:
    fields = [b"Mcp-Name: " + b"\x80" * 30_000 for _ in range(9)]
    async with scripted(answer(ok(RESULT))) as server, gateway(tmp_path, server.url) as running:
        assert (await fetch(running.listen_address, get(*fields))).status == 431
    request = only(tmp_path, Request)
    assert (request.headers, request.withheld) == ((), ("*",))
    assert only(tmp_path, End).outcome == "denied"


async def test_an_answer_with_headers_too_large_for_an_entry_is_an_answer(tmp_path: Path) -> None:
    fields = [b"WWW-Authenticate: " + b'"' * 30_000 for _ in range(20)]
    async with scripted(answer(ok(RESULT, b"application/json", *fields))) as server, gateway(tmp_path, server.url) as g:
        assert (await fetch(g.listen_address, get())).body == RESULT
    response = only(tmp_path, Response)
    assert (response.status, response.headers) == (200, ())
    assert only(tmp_path, End).reason == ""


async def test_events_that_are_said_to_be_encoded_as_identity_are_seen(tmp_path: Path) -> None:
    stream = ok(b"data: 1\n\n", b"text/event-stream", b"Content-Encoding: identity")
    async with scripted(answer(stream)) as server, gateway(tmp_path, server.url) as running:
        await fetch(running.listen_address, get())
    assert only(tmp_path, Message).body.text == "1"


async def test_several_session_ids_are_neither_of_the_sessions(tmp_path: Path) -> None:
    one, two = b"Mcp-Session-Id: one", b"mcp-session-id: two"
    async with scripted(answer(ok(RESULT))) as server, gateway(tmp_path, server.url) as running:
        for fields in ((one,), (two,), (one, two), (b"Mcp-Session-Id: one, two",)):
            await fetch(running.listen_address, get(*fields))
    sessions = [request.session for request in every(tmp_path, Request)]
    assert len(set(sessions)) == 3
    assert sessions[2] == sessions[3]
