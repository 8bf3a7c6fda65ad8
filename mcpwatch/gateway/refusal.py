"""Answers of the gateway's own: HTTP errors whose body is a JSON-RPC error that the agent's client understands."""

from http import HTTPStatus

import msgspec
from msgspec import Struct

from mcpwatch.gateway.headers import RawHeader
from mcpwatch.model.entries import Outcome

RPC_CODE = -32000
"""The JSON-RPC code of the gateway's own errors, of the range that is left to implementations."""


class Refusal(Exception):
    """The gateway answers in place of the server: with `status`, and `message` as the JSON-RPC error."""

    rule = ""
    """Id of the rule that the policy refuses it by; empty for other reasons."""

    def __init__(self, status: HTTPStatus, message: str, outcome: Outcome = "denied") -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.outcome = outcome

    @property
    def told(self) -> str:
        """What the agent is told."""
        return f"mcpwatch gateway: {self.message}"

    def answer(self, request_body: bytes | None) -> tuple[list[RawHeader], bytes]:
        """Header fields and body; the error carries the request's id where there is one to be read."""
        error = {"code": RPC_CODE, "message": self.told}
        headers, content = own_answer(
            msgspec.json.encode({"jsonrpc": "2.0", "id": _call_id(request_body), "error": error})
        )
        if self.status == HTTPStatus.SERVICE_UNAVAILABLE:
            headers.append((b"Retry-After", b"1"))
        return headers, content


def own_answer(content: bytes) -> tuple[list[RawHeader], bytes]:
    """Header fields and body of an answer in JSON."""
    return [(b"Content-Type", b"application/json"), (b"Content-Length", b"%d" % len(content))], content


class _Call(Struct):
    id: int | str | None = None


def _call_id(body: bytes | None) -> int | str | None:
    try:
        return msgspec.json.decode(body or b"", type=_Call).id
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
