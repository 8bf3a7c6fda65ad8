"""The reverse proxy: every exchange on to its server and back, and into the log."""

import asyncio
from http import HTTPStatus
from typing import Protocol

from mcpwatch.gateway.answer import AgentGone, Answer
from mcpwatch.gateway.arrival import Arrival
from mcpwatch.gateway.budget import Budget, Share
from mcpwatch.gateway.guard import Guard
from mcpwatch.gateway.options import GatewayOptions
from mcpwatch.gateway.refusal import Refusal
from mcpwatch.gateway.relay import End, Witness, forwarded, relay, reply
from mcpwatch.gateway.serving import Serving
from mcpwatch.gateway.tally import Calls
from mcpwatch.gateway.tap import Exchange, Tap
from mcpwatch.gateway.upstream import Router, Upstream


class Gate(Protocol):
    """Decides on requests before their servers see them."""

    async def admit(self, arrival: Arrival, upstream: str, target: str, exchange: Exchange) -> Witness:
        """Let a request pass as `target`, and say who is told of its answer besides `exchange`, its log.

        Raises Refusal.
        """
        ...


class Proxy(Serving):
    """Handles the requests of the gateway's listener."""

    def __init__(
        self,
        options: GatewayOptions,
        router: Router,
        guard: Guard,
        tap: Tap,
        gate: Gate | None = None,
        calls: Calls | None = None,
    ) -> None:
        """`calls` are counted as they come and go."""
        super().__init__()
        self._calls = calls or Calls()
        self._gate = gate
        self._options = options
        self._router = router
        self._guard = guard
        self._tap = tap
        self._received = Budget(options.max_received)

    async def serve(self, arrival: Arrival, answer: Answer) -> None:
        self._calls.begun += 1
        self._calls.in_flight += 1
        try:
            with self._received.share() as share:
                await self._serve(arrival, answer, share)
        finally:
            self._calls.in_flight -= 1

    def unreadable(self, peer: str, refusal: Refusal) -> None:
        exchange = self._tap.begin_unreadable(peer)
        self._calls.refused[refusal.status] += 1
        headers, content = refusal.answer(None)
        exchange.response(refusal.status, headers)
        exchange.chunk(content)
        exchange.end(refusal.outcome, len(content), refusal.message)

    async def _serve(self, arrival: Arrival, answer: Answer, share: Share) -> None:
        refusal: Refusal | None = None
        route = self._router.find(arrival.path)
        try:
            await self._receive(arrival, share)
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
            end = ("error", "the gateway was stopped") if self.stopping else ("client-closed", "")
            raise
        finally:
            exchange.end(end[0], answer.sent, end[1])

    async def _receive(self, arrival: Arrival, share: Share) -> None:
        """Take a request in whole; raises Refusal where it may not go on."""
        if len(self.running) > self._options.max_exchanges:
            raise Refusal(HTTPStatus.SERVICE_UNAVAILABLE, "too many exchanges at a time")
        if self._tap.log.trouble and self._options.when_unwritable == "block":
            raise Refusal(HTTPStatus.SERVICE_UNAVAILABLE, "the log cannot be written, so no call is let through")
        await arrival.read_body(self._options.max_body, self._options.body_seconds, share)
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
            witness: Witness = exchange
            if self._gate is not None:
                upstream, target = route
                witness = await self._gate.admit(arrival, upstream.info.name, target, exchange)
            return await relay(arrival, answer, *route, forwarded(arrival), witness)
        except Refusal as refused:
            exchange.rule = refused.rule
            self._calls.refused[refused.status] += 1
            await _refuse(arrival, answer, exchange, refused)
            return refused.outcome, refused.message


async def _refuse(arrival: Arrival, answer: Answer, exchange: Exchange, refusal: Refusal) -> None:
    headers, content = refusal.answer(arrival.body)
    await reply(arrival, answer, refusal.status, headers, content)
    exchange.response(refusal.status, headers)
    exchange.chunk(b"" if arrival.method == "HEAD" else content)
