"""How much of which call enters the log: what is said of its tool, and the strictest in doubt."""

import json
from pathlib import Path

import pytest
from rig import Talk, every, fetch, gateway, get, journal, ok, only, post, scripted

from mcpwatch.gateway.run import greeting
from mcpwatch.model.entries import Capture, GatewayStarted, Message, Request, ToolCapture

RULES = (ToolCapture("pay_*", "digest"), ToolCapture("search", "full", "shop"), ToolCapture("search", "masked", "mail"))
SAID = "a-word-of-the-body"


def call(tool: object, method: str = "tools/call") -> dict[str, object]:
    params = {"name": tool, "arguments": {"password": SAID}}
    return {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}


RESULT = {"jsonrpc": "2.0", "id": 1, "result": {"token": SAID}}
PAY, PAY_LOUD, SEARCH, OTHER = call("pay_bill"), call("PAY_BILL"), call("search"), call("read")
BODIES: dict[str, tuple[str, Capture]] = {
    "a-stricter-rule": (json.dumps(PAY), "digest"),
    "a-stricter-rule-in-another-spelling": (json.dumps(PAY_LOUD), "digest"),
    "a-looser-rule": (json.dumps(SEARCH), "full"),
    "a-looser-rule-in-another-spelling": (json.dumps(call("Search")), "masked"),
    "no-rule": (json.dumps(OTHER), "masked"),
    "what-is-no-call": (json.dumps(call("search", "tools/list")), "masked"),
    "a-method-that-may-bring-a-result": (json.dumps(call("search", "tasks/result")), "digest"),
    "an-answer-of-the-client": (json.dumps(RESULT), "digest"),
    "a-batch": (json.dumps([SEARCH, PAY]), "digest"),
    "a-batch-of-one-kind": (json.dumps([SEARCH, SEARCH]), "full"),
    "a-call-without-a-tool": (json.dumps(call(None)), "digest"),
    "a-tool-named-twice": (json.dumps(SEARCH).replace('"name"', '"name": "pay_bill", "name"', 1), "digest"),
    "no-json": (f"password={SAID}", "digest"),
}


@pytest.mark.parametrize("case", BODIES)
async def test_the_mode_of_a_call_and_of_its_answer(tmp_path: Path, case: str) -> None:
    text, expected = BODIES[case]
    stream = b"event: told\nid: 7\ndata: %b\n\n" % json.dumps(RESULT).encode()
    answers = [ok(json.dumps(RESULT).encode()), ok(stream, b"text/event-stream")]

    async def script(talk: Talk) -> None:
        await talk.send(answers.pop(0))

    async with scripted(script) as server, gateway(tmp_path, f"shop={server.url}", tool_captures=RULES) as running:
        for _ in range(2):
            await fetch(running.listen_address, post(text.encode(), target=b"/shop/mcp"))
    bodies = [each.body for each in every(tmp_path, Request)] + [each.body for each in every(tmp_path, Message)]
    assert len(bodies) == 4
    for body in bodies:
        assert body is not None
        modes = {"digest": body.text is None, "full": SAID in (body.text or ""), "masked": "***" in (body.text or "")}
        assert [mode for mode, holds in modes.items() if holds] == [expected]
    event = every(tmp_path, Message)[-1]
    assert (event.event, event.event_id) == (("", "") if expected == "digest" else ("told", "7"))


async def test_a_stream_that_may_bring_any_answer_has_the_strictest_mode_of_its_server(tmp_path: Path) -> None:
    stream = ok(b"data: %b\n\n" % json.dumps(RESULT).encode(), b"text/event-stream")

    async def script(talk: Talk) -> None:
        await talk.send(stream)

    rules = (ToolCapture("pay_*", "digest", "shop"), ToolCapture("search", "full"))
    async with (
        scripted(script) as server,
        gateway(tmp_path, f"shop={server.url}", f"mail={server.url}", tool_captures=rules) as running,
    ):
        await fetch(running.listen_address, get(target=b"/shop/mcp"))
        await fetch(running.listen_address, get(target=b"/mail/mcp"))
    shop, mail = every(tmp_path, Message)
    assert (shop.body.text, "***" in (mail.body.text or "")) == (None, True)
    assert SAID not in str(journal(tmp_path))


async def test_what_is_set_is_said(tmp_path: Path) -> None:
    async with gateway(tmp_path, "shop=http://127.0.0.1:9/mcp", tool_captures=RULES[:1]) as running:
        assert "capture masked, pay_*@*: digest" in greeting(running)[0]
    started = only(tmp_path, GatewayStarted)
    assert (started.capture, started.tools) == ("masked", RULES[:1])
