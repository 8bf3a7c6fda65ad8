"""One exchange on to its server and back, octet for octet, as it streams."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Protocol

import aiohttp

from mcpwatch.gateway.answer import Answer
from mcpwatch.gateway.arrival import Arrival
from mcpwatch.gateway.headers import RawHeader, end_to_end
from mcpwatch.gateway.refusal import Refusal
from mcpwatch.gateway.upstream import Dropped, Lifeline, Upstream
from mcpwatch.model.entries import Outcome

End = tuple[Outcome, str]
"""How an exchange ended, and why where that needs saying."""

_NOT_FORWARDED = frozenset({b"host", b"expect"})
"""Host becomes the server's; what an agent expects has been given by the time its body is here."""

_FAILURES = {
    aiohttp.ClientConnectorCertificateError: "has a certificate that does not hold",
    aiohttp.ClientConnectorDNSError: "has a name that cannot be resolved",
    aiohttp.ClientConnectorError: "cannot be reached",
    Dropped: "closed the connection without an answer",
    aiohttp.ClientResponseError: "does not answer in HTTP",
}
"""What a failure says of the server; the first kind that fits."""


class Witness(Protocol):
    """Is told of an answer as it passes."""

    def response(self, status: int, headers: Sequence[RawHeader]) -> None: ...

    def chunk(self, chunk: bytes) -> None: ...


def forwarded(arrival: Arrival) -> list[RawHeader]:
    """The header fields of a request that go on to the server."""
    return end_to_end(arrival.headers, _NOT_FORWARDED)


async def relay(
    arrival: Arrival,
    answer: Answer,
    upstream: Upstream,
    target: str,
    headers: Sequence[RawHeader],
    witness: Witness | None = None,
) -> End:
    """Pass a request on, with `headers`, and its answer back; raises Refusal when no answer came."""
    response = await _send(arrival, upstream, target, headers)
    try:
        if response.status < HTTPStatus.OK:
            why = f"{upstream.info.name} answers with {response.status}, which was not asked for"
            raise Refusal(HTTPStatus.BAD_GATEWAY, why, "error")
        lifeline = Lifeline(response)
        try:
            return await _pass_back(response, lifeline, answer, witness)
        finally:
            lifeline.close()
    finally:
        response.close()


async def _send(
    arrival: Arrival, upstream: Upstream, target: str, headers: Sequence[RawHeader]
) -> aiohttp.ClientResponse:
    """Send the request and wait for the head of the answer; raises Refusal."""
    try:
        return await upstream.send(arrival.method, target, headers, arrival.body)
    except TimeoutError:
        raise Refusal(HTTPStatus.GATEWAY_TIMEOUT, f"{upstream.info.name} does not answer", "error") from None
    except (aiohttp.ClientError, OSError, ValueError) as error:
        # A bad certificate is a ValueError too.
        if isinstance(error, ValueError) and not isinstance(error, aiohttp.ClientConnectionError):
            why = "the target and header fields have to be UTF-8 without control characters"
            raise Refusal(HTTPStatus.BAD_REQUEST, why) from None
        what = next((what for kind, what in _FAILURES.items() if isinstance(error, kind)), "broke the connection off")
        raise Refusal(HTTPStatus.BAD_GATEWAY, f"{upstream.info.name} {what}", "error") from None


async def _pass_back(
    response: aiohttp.ClientResponse, lifeline: Lifeline, answer: Answer, witness: Witness | None
) -> End:
    headers = end_to_end(response.raw_headers)
    reason = (response.reason or "").encode("utf-8", "surrogateescape")
    head = answer.head(response.status, reason, headers)
    content = response.content
    chunk = b"" if content.exception() else content.read_nowait()
    done = content.at_eof()
    await answer.pass_on(chunk, head, last=done and not lifeline.cut)
    if witness is not None:
        witness.response(response.status, headers)
        witness.chunk(chunk)
    while not done:
        try:
            chunk = await content.readany()
        except (aiohttp.ClientError, OSError) as error:
            answer.abort()
            return "upstream-closed", f"the answer broke off ({type(error).__name__})"
        done = content.at_eof()
        await answer.pass_on(chunk, last=done and not lifeline.cut)
        if witness is not None:
            witness.chunk(chunk)
    if lifeline.cut:
        answer.abort()
        return "upstream-closed", "the connection broke before the end of the answer"
    return "complete", ""


async def reply(arrival: Arrival, answer: Answer, status: HTTPStatus, headers: list[RawHeader], content: bytes) -> None:
    """Answer in place of the server; `headers` frame `content`."""
    if not arrival.request.content.at_eof():
        answer.close_after()
    head = answer.head(status, status.phrase.encode(), headers)
    await answer.pass_on(b"" if arrival.method == "HEAD" else content, head, last=True)
