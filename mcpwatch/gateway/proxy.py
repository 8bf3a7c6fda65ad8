"""The reverse proxy: every exchange on to its server and back, octet for octet, as it streams."""

import asyncio
from http import HTTPStatus

import aiohttp
from aiohttp import web

from mcpwatch.gateway.answer import AgentGone, Answer
from mcpwatch.gateway.arrival import Arrival
from mcpwatch.gateway.guard import Guard
from mcpwatch.gateway.headers import end_to_end
from mcpwatch.gateway.options import GatewayOptions
from mcpwatch.gateway.refusal import Refusal
from mcpwatch.gateway.tap import Exchange, Tap
from mcpwatch.gateway.upstream import Lifeline, Router, Upstream
from mcpwatch.model.entries import Outcome

End = tuple[Outcome, str]
"""How an exchange ended, and why where that needs saying."""

_NOT_FORWARDED = frozenset({b"host", b"expect"})
"""Host becomes the server's; what an agent expects has been given by the time its body is here."""

_FAILURES = {
    aiohttp.ClientConnectorError: "cannot be reached",
    aiohttp.ServerDisconnectedError: "closed the connection without an answer",
    aiohttp.ClientResponseError: "does not answer in HTTP",
}


class Proxy:
    """Handles the requests of the gateway's listener."""

    def __init__(self, options: GatewayOptions, router: Router, guard: Guard, tap: Tap) -> None:
        self._options = options
        self._router = router
        self._guard = guard
        self._tap = tap
        self._running: set[asyncio.Task[None]] = set()
        self._stopping = False

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Serve one request; the answer has been written when this returns."""
        answer = Answer(request)
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 (requests are served in tasks)
        self._running.add(task)
        try:
            await self._serve(Arrival(request), answer)
        finally:
            self._running.discard(task)
        return answer

    async def stop(self, grace: float) -> None:
        """Give exchanges `grace` seconds to end by themselves, then end them."""
        self._stopping = True
        if self._running:
            _, late = await asyncio.wait(self._running, timeout=grace)
            for task in late:
                task.cancel()
            if late:
                await asyncio.wait(late)

    async def _serve(self, arrival: Arrival, answer: Answer) -> None:
        refusal: Refusal | None = None
        route = self._router.find(arrival.path)
        try:
            await self._receive(arrival)
        except Refusal as refused:
            refusal = refused
        exchange = self._tap.begin(route[0].info.name if route else "", arrival)
        end: End = "error", "the gateway failed"
        try:
            end = await self._answer(arrival, answer, exchange, route, refusal)
        except AgentGone:
            end = "client-closed", ""
            answer.close_after()
        except asyncio.CancelledError:
            end = ("error", "the gateway was stopped") if self._stopping else ("client-closed", "")
            raise
        finally:
            exchange.end(end[0], answer.sent, end[1])

    async def _receive(self, arrival: Arrival) -> None:
        """Take a request in whole; raises Refusal where it may not go on."""
        if len(self._running) > self._options.max_exchanges:
            raise Refusal(HTTPStatus.SERVICE_UNAVAILABLE, "too many exchanges at a time")
        if self._tap.log.trouble and self._options.when_unwritable == "block":
            raise Refusal(HTTPStatus.SERVICE_UNAVAILABLE, "the log cannot be written, so no call is let through")
        await arrival.read_body(self._options.max_body)
        arrival.admit(self._guard)

    async def _answer(
        self,
        arrival: Arrival,
        answer: Answer,
        exchange: Exchange,
        route: tuple[Upstream, str] | None,
        refusal: Refusal | None,
    ) -> End:
        try:
            if refusal is not None:
                raise refusal
            if route is None:
                names = ", ".join(f"/{upstream.info.name}/" for upstream in self._router.upstreams)
                raise Refusal(HTTPStatus.NOT_FOUND, f"no server here; there are {names}")
            return await _forward(arrival, answer, exchange, *route)
        except Refusal as refused:
            await _refuse(arrival, answer, exchange, refused)
            return refused.outcome, refused.message


async def _forward(arrival: Arrival, answer: Answer, exchange: Exchange, upstream: Upstream, target: str) -> End:
    """Pass the request on and the answer back; raises Refusal when no answer came."""
    headers = end_to_end(arrival.headers, _NOT_FORWARDED)
    try:
        response = await upstream.send(arrival.method, target, headers, arrival.body)
    except ValueError:
        why = "the target and header fields have to be UTF-8 without control characters"
        raise Refusal(HTTPStatus.BAD_REQUEST, why) from None
    except TimeoutError:
        raise Refusal(HTTPStatus.GATEWAY_TIMEOUT, f"{upstream.info.name} does not answer", "error") from None
    except (aiohttp.ClientError, OSError) as error:
        what = next((what for kind, what in _FAILURES.items() if isinstance(error, kind)), "broke the connection off")
        raise Refusal(HTTPStatus.BAD_GATEWAY, f"{upstream.info.name} {what}", "error") from None
    try:
        if response.status < HTTPStatus.OK:
            why = f"{upstream.info.name} answers with {response.status}, which was not asked for"
            raise Refusal(HTTPStatus.BAD_GATEWAY, why, "error")
        lifeline = Lifeline(response)
        try:
            return await _relay(response, lifeline, answer, exchange)
        finally:
            lifeline.close()
    finally:
        response.close()


async def _relay(response: aiohttp.ClientResponse, lifeline: Lifeline, answer: Answer, exchange: Exchange) -> End:
    headers = end_to_end(response.raw_headers)
    reason = (response.reason or "").encode("utf-8", "surrogateescape")
    head = answer.head(response.status, reason, headers)
    content = response.content
    chunk = b"" if content.exception() else content.read_nowait()
    done = content.at_eof()
    await answer.pass_on(chunk, head, last=done and not lifeline.cut)
    exchange.response(response.status, headers)
    exchange.chunk(chunk)
    while not done:
        try:
            chunk = await content.readany()
        except (aiohttp.ClientError, OSError) as error:
            answer.abort()
            return "upstream-closed", f"the answer broke off ({type(error).__name__})"
        done = content.at_eof()
        await answer.pass_on(chunk, last=done and not lifeline.cut)
        exchange.chunk(chunk)
    if lifeline.cut:
        answer.abort()
        return "upstream-closed", "the connection broke before the end of the answer"
    return "complete", ""


async def _refuse(arrival: Arrival, answer: Answer, exchange: Exchange, refusal: Refusal) -> None:
    headers, content = refusal.answer(arrival.body)
    if not arrival.request.content.at_eof():
        answer.close_after()
    head = answer.head(refusal.status, refusal.status.phrase.encode(), headers)
    if arrival.method == "HEAD":
        content = b""
    await answer.pass_on(content, head, last=True)
    exchange.response(refusal.status, headers)
    exchange.chunk(content)
