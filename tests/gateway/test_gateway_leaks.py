"""Session ids that are weak, or that stand where they do not belong: the log says so and does not repeat them."""

from pathlib import Path

import pytest
from rig import answer, every, fetch, gateway, get, journal, ok, only, post, scripted

from mcpwatch.model.entries import Message, Request, Response

ID = b"3b8c1f0e-77aa-4d15-9d52-0c9a6f1e2b44"
FIELD = b"Mcp-Session-Id: " + ID
INITIALIZE = b'{"jsonrpc":"2.0","id":0,"method":"initialize","params":{}}'
RESULT = b'{"jsonrpc":"2.0","id":0,"result":{}}'
TELLING = b'{"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"you are %b."}]}}' % ID
SENDING = b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"send","arguments":{"text":"%b"}}}' % ID


async def test_an_id_that_can_be_guessed_is_told_where_it_is_given_out(tmp_path: Path) -> None:
    weak = [b"Mcp-Session-Id: mcp-session-number-%d" % at for at in range(1, 7)]
    gone = b"HTTP/1.1 404 Not Found\r\nMcp-Session-Id: short\r\nContent-Length: 0\r\n\r\n"
    replies = [ok(RESULT, b"application/json", field) for field in weak]
    async with (
        scripted(answer(*replies[:5], replies[4], replies[5], gone)) as server,
        gateway(tmp_path, server.url) as running,
    ):
        for _ in range(5):
            await fetch(running.listen_address, post(INITIALIZE))
        await fetch(running.listen_address, post(RESULT, weak[4]))
        await fetch(running.listen_address, post(INITIALIZE))
        await fetch(running.listen_address, post(INITIALIZE))
    assert [head.session_form for head in every(tmp_path, Response)] == [
        "",
        "",
        "",
        "counter",
        "counter",
        "",
        "counter",
        "",
    ]
    assert b"session-number" not in leaves(tmp_path)


async def test_each_server_is_judged_by_its_own_ids(tmp_path: Path) -> None:
    same = answer(ok(RESULT, b"application/json", b"Mcp-Session-Id: the-same-for-everybody"))
    good = answer(*(ok(RESULT, b"application/json", b"Mcp-Session-Id: %032x" % (at * 7**37)) for at in range(1, 5)))
    async with (
        scripted(same) as one,
        scripted(good) as other,
        gateway(tmp_path, f"one={one.url}", f"other={other.url}") as running,
    ):
        for _ in range(4):
            await fetch(running.listen_address, post(INITIALIZE, target=b"/one/mcp"))
            await fetch(running.listen_address, post(INITIALIZE, target=b"/other/mcp"))
    assert [head.session_form for head in every(tmp_path, Response)] == [""] * 6 + ["fixed", ""]


async def test_an_id_in_arguments_answers_and_events_is_told_and_masked(tmp_path: Path) -> None:
    event = b"data: %b\n\ndata: {}\n\n" % TELLING
    async with (
        scripted(answer(ok(TELLING), ok(event, b"text/event-stream"), ok(RESULT))) as server,
        gateway(tmp_path, server.url) as running,
    ):
        assert ID in (await fetch(running.listen_address, post(SENDING, FIELD))).body
        assert ID in (await fetch(running.listen_address, get(FIELD))).body
        await fetch(running.listen_address, post(INITIALIZE, FIELD))
    assert [request.leaked for request in every(tmp_path, Request)] == [("body",), (), ()]
    assert [message.leaked for message in every(tmp_path, Message)] == [True, True, False, False]
    sent, told = every(tmp_path, Request)[0].body, every(tmp_path, Message)[1].body
    assert sent is not None and sent.text == SENDING.decode().replace(ID.decode(), "***")
    assert (sent.masked, sent.size) == (1, len(SENDING))
    assert told.text == TELLING.decode().replace(ID.decode(), "***")
    assert ID not in leaves(tmp_path)


async def test_an_id_in_the_answer_that_gives_it_out(tmp_path: Path) -> None:
    body = b'{"jsonrpc":"2.0","id":0,"result":{"session":{"mcpSessionId":"%b"}}}' % ID
    async with (
        scripted(answer(ok(body, b"application/json", FIELD))) as server,
        gateway(tmp_path, server.url) as running,
    ):
        await fetch(running.listen_address, post(INITIALIZE))
    message = only(tmp_path, Message)
    assert (message.leaked, message.body.masked) == (True, 1)
    assert ID not in leaves(tmp_path)


async def test_an_id_in_the_address(tmp_path: Path) -> None:
    async with scripted(answer(ok(RESULT))) as server, gateway(tmp_path, server.url) as running:
        await fetch(running.listen_address, post(INITIALIZE, FIELD, target=b"/mcp?s=%b&t=%b0" % (ID, ID)))
        await fetch(running.listen_address, post(INITIALIZE, FIELD, target=b"/mcp/%b" % ID))
        await fetch(running.listen_address, post(INITIALIZE, target=b"/mcp?s=%b" % ID))
    query, path, foreign = every(tmp_path, Request)
    assert (query.leaked, query.target, query.withheld) == (("target",), "/mcp?s=***&t=***0", ("@query",))
    assert (path.leaked, path.target, path.withheld) == (("target",), f"/mcp/{ID.decode()}", ())
    assert foreign.leaked == ()


@pytest.mark.parametrize(("capture", "told"), [("full", True), ("digest", False)])
async def test_what_is_captured_decides_what_is_seen_and_masked(tmp_path: Path, capture: str, told: bool) -> None:
    async with scripted(answer(ok(TELLING))) as server, gateway(tmp_path, server.url, capture=capture) as running:
        await fetch(running.listen_address, post(SENDING, FIELD, target=b"/mcp?s=%b" % ID))
    request, message = only(tmp_path, Request), only(tmp_path, Message)
    assert request.leaked == ("target", "body")
    assert (message.leaked, message.body.masked) == (told, 0)
    assert message.body.text == (TELLING.decode() if told else None)
    assert (ID in leaves(tmp_path)) is told


def leaves(state: Path) -> bytes:
    """All that the journal says, in one."""
    return repr(journal(state)).encode()


@pytest.mark.parametrize("version", [b"2025-11-25", b"2026-07-28"])
@pytest.mark.parametrize("capture", ["full", "masked", "digest"])
async def test_an_id_stands_in_the_log_only_where_a_signature_covers_it(
    tmp_path: Path, version: bytes, capture: str
) -> None:
    asked = (b"Mcp-Protocol-Version: " + version, FIELD)
    covering = (*asked, b'Signature-Input: s=("@method" "mcp-session-id");keyid="a"', b"Signature: s=:AA==:")
    sparing = (*asked, b'Signature-Input: s=("@method");keyid="a"', b"Signature: s=:AA==:")
    reply = ok(RESULT, b"application/json", FIELD)
    async with scripted(answer(reply)) as server, gateway(tmp_path, server.url, capture=capture) as running:
        await fetch(running.listen_address, post(INITIALIZE, *asked))
        await fetch(running.listen_address, post(INITIALIZE, *sparing))
        await fetch(running.listen_address, post(INITIALIZE, *covering))
    *bare, covered = every(tmp_path, Request)
    assert dict(covered.headers)["mcp-session-id"] == ID.decode()
    assert leaves(tmp_path).count(ID) == 1
    assert {each.session for each in (*bare, covered)} == {each.session for each in every(tmp_path, Response)}
    assert len(covered.session) == 32


async def test_an_id_in_other_fields_and_in_the_ids_of_events_is_masked(tmp_path: Path) -> None:
    stream = b"id: %b_7\ndata: {}\n\n" % ID
    fields = (FIELD, b"Last-Event-ID: %b_6" % ID, b"Tracestate: s=%b" % ID)
    async with (
        scripted(answer(ok(stream, b"text/event-stream", b"Allow: %b" % ID))) as server,
        gateway(tmp_path, server.url) as running,
    ):
        await fetch(running.listen_address, get(*fields))
    assert ID not in leaves(tmp_path)
    request = only(tmp_path, Request)
    assert (request.withheld, dict(request.headers)["tracestate"]) == (("last-event-id", "tracestate"), "s=***")
