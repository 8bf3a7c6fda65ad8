"""The signing proxy: every request on to the server with a signature, every answer back as it streams."""

from http import HTTPStatus

from mcpwatch.gateway.answer import AgentGone, Answer
from mcpwatch.gateway.arrival import Arrival
from mcpwatch.gateway.budget import Budget, Share
from mcpwatch.gateway.guard import Guard
from mcpwatch.gateway.headers import RawHeader
from mcpwatch.gateway.refusal import Refusal
from mcpwatch.gateway.relay import forwarded, relay, reply
from mcpwatch.gateway.serving import Serving
from mcpwatch.gateway.upstream import Router, Upstream
from mcpwatch.signing.options import SigningOptions
from mcpwatch.signing.outgoing import CannotSign, Outgoing


class SigningProxy(Serving):
    """Handles the requests of the signing proxy's listener."""

    def __init__(self, options: SigningOptions, router: Router) -> None:
        super().__init__()
        self._options = options
        self._router = router
        self._guard = Guard(options.allowed_hosts, options.allowed_origins)
        self._received = Budget(options.max_received)

    async def serve(self, arrival: Arrival, answer: Answer) -> None:
        with self._received.share() as share:
            await self._serve(arrival, answer, share)

    async def _serve(self, arrival: Arrival, answer: Answer, share: Share) -> None:
        try:
            try:
                if len(self.running) > self._options.max_exchanges:
                    raise Refusal(HTTPStatus.SERVICE_UNAVAILABLE, "too many exchanges at a time")
                arrival.admit(self._guard)
                await arrival.read_body(self._options.max_body, share=share)
                await self._pass_on(arrival, answer)
            except Refusal as refused:
                await _refuse(arrival, answer, refused)
        except AgentGone:
            answer.close_after()

    async def _pass_on(self, arrival: Arrival, answer: Answer) -> None:
        route = self._router.find(arrival.path)
        assert route is not None  # noqa: S101 (one upstream alone gets every target)
        upstream, target = route
        await relay(arrival, answer, upstream, target, self._signed(arrival, upstream, target))

    def _signed(self, arrival: Arrival, upstream: Upstream, target: str) -> list[RawHeader]:
        """The request's header fields, and those that sign it; raises Refusal."""
        headers = forwarded(arrival)
        request = Outgoing(arrival.method, upstream.origin, target, tuple(headers), arrival.body or b"")
        try:
            signing = self._options.scheme.sign(self._options.agent, request)
        except CannotSign as error:
            raise Refusal(HTTPStatus.BAD_REQUEST, str(error)) from None
        mine = {name.lower().encode() for name in signing}
        kept = [field for field in headers if field[0].lower() not in mine]
        return kept + [(name.encode(), value.encode("iso-8859-1")) for name, value in signing.items()]


async def _refuse(arrival: Arrival, answer: Answer, refusal: Refusal) -> None:
    content = f"mcpwatch sign: {refusal.message}\n".encode()
    headers = [(b"Content-Type", b"text/plain; charset=utf-8"), (b"Content-Length", b"%d" % len(content))]
    await reply(arrival, answer, refusal.status, headers, content)
