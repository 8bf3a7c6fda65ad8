"""The demo's network between agent and gateway."""

import httpx2

from mcpwatch.demo.agents.wire import Wire


def seen_by(requests: list[httpx2.Request]) -> httpx2.MockTransport:
    """A far end that answers 200 and keeps what came."""

    async def answer(request: httpx2.Request) -> httpx2.Response:
        await request.aread()
        requests.append(request)
        return httpx2.Response(200)

    return httpx2.MockTransport(answer)


async def post(wire: Wire, body: bytes) -> None:
    async with httpx2.AsyncClient(transport=wire) as client:
        await client.post("http://gateway.test/notes/mcp", content=body, headers={"x-signed": "yes"})


async def test_one_octet_changes_and_all_else_stays() -> None:
    came: list[httpx2.Request] = []
    await post(Wire(swap=(b"12.5", b"92.5"), onward=seen_by(came)), b'{"amount":12.5,"again":12.5}')
    assert came[0].content == b'{"amount":92.5,"again":12.5}'
    assert came[0].headers["x-signed"] == "yes"
    assert came[0].headers["content-length"] == str(len(came[0].content))


async def test_an_untouched_wire_passes_every_octet() -> None:
    came: list[httpx2.Request] = []
    await post(Wire(onward=seen_by(came)), b"\x00\xff" * 50)
    assert came[0].content == b"\x00\xff" * 50


async def test_headers_are_laid_over_matching_requests_only() -> None:
    came: list[httpx2.Request] = []
    wire = Wire(headers={"mcp-session-id": "stolen"}, where=b'"tools/call"', onward=seen_by(came))
    await post(wire, b'{"method":"initialize"}')
    await post(wire, b'{"method":"tools/call"}')
    assert [request.headers.get("mcp-session-id") for request in came] == [None, "stolen"]


async def test_it_remembers_what_went_out() -> None:
    wire = Wire(headers={"mcp-session-id": "s1"}, onward=seen_by([]))
    await post(wire, b'{"method":"tools/call","id":1}')
    await post(wire, b'{"method":"ping"}')
    assert wire.last_call().body == b'{"method":"tools/call","id":1}'
    assert wire.last_call().header("X-Signed") == "yes"
    assert wire.session() == "s1"
