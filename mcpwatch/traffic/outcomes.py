"""How a call ended: HTTP status, JSON-RPC error and `isError` are three outcomes and are kept apart.

A denial is told by what is said, never by a JSON-RPC code alone: servers use -32001 for denials and the official
SDK for its own time-out, and protocol 2026-07-28 retires -32002.
"""

import re
from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from mcpwatch.model.entries import Json, Outcome
from mcpwatch.model.traffic import CallState, Era, RpcMessage
from mcpwatch.traffic.claims import fields, first_text, text

REQUEST_CANCELLED: Final = -32800
"""The code servers answer a cancelled request with."""

UNKNOWN_METHOD: Final = -32601
"""On an HTTP 404 it says that the method is unknown and not the session (spec 2026-07-28, transports)."""

FAILED: Final = frozenset(
    {
        CallState.RPC_ERROR,
        CallState.TOOL_ERROR,
        CallState.HTTP_ERROR,
        CallState.DENIED,
        CallState.TRUNCATED,
    }
)
"""States that count as errors of a session."""

_TOOL_RESULTS = frozenset({"tools/call", "tasks/result"})
"""Methods whose results can say `isError`; in any other result clients do not look at it."""
_REFUSALS = frozenset({401, 403})
_MAX_CODE = 2**53 - 1
_SAID_WITHIN = 300
# A status before the word, as in "HTTP 403 Forbidden", tells of somebody else's answer that a tool passes on.
_DENIAL = re.compile(
    r"(?<!\d\d\d )\b(?:unauthori[sz]ed|forbidden)\b"
    r"|\b(?:access|permission|request|call)\s+(?:is\s+|was\s+|has been\s+)?denied\b|\bdenied by\b"
    r"|\bnot\s+(?:authori[sz]ed|permitted|allowed\s+to)\b|\bauthentication (?:is )?required\b"
    r"|\brequires?\b.{0,60}\b(?:role|authentication|authenticated|authori[sz]ation|permissions?|privileges?|scopes?)\b"
    r"|\binsufficient[\s_]+(?:scope|permissions?|privileges?|rights)\b",
    re.IGNORECASE | re.DOTALL,
)


class Ending(Struct, frozen=True, gc=False):
    """What became of a call."""

    state: CallState
    code: int | None = None
    text: str = ""


_DONE = Ending(CallState.DONE)


def is_denial(said: str) -> bool:
    """Whether an error's text says that the caller may not do this."""
    return _DENIAL.search(said[:_SAID_WITHIN]) is not None


def of_answer(method: str, message: RpcMessage, result: Mapping[str, Json], status: int | None) -> Ending:
    """What a JSON-RPC answer, come with HTTP `status`, makes of a call of `method`; `result` is the message's."""
    if message.error is not None:
        return _of_error(message, status)
    if result.get("isError") is True and method in _TOOL_RESULTS:
        said = first_text(result)
        return Ending(CallState.DENIED if is_denial(said) else CallState.TOOL_ERROR, text=said)
    if result.get("resultType") == "input_required":
        return Ending(CallState.INPUT_REQUIRED)
    return _DONE


def of_end(outcome: Outcome, reason: str, status: int | None, said: str, era: Era) -> Ending:
    """What the end of the exchange makes of a call that has no answer; `said` is a body that was not JSON-RPC."""
    said = said or reason
    if outcome == "denied" or status in _REFUSALS:
        return Ending(CallState.DENIED, text=said)
    if status is not None and status >= 400:
        return Ending(CallState.HTTP_ERROR, text=said)
    if outcome == "client-closed" and era is Era.MODERN:
        return Ending(CallState.CANCELLED, text=said)
    return Ending(CallState.TRUNCATED, text=said)


def _of_error(message: RpcMessage, status: int | None) -> Ending:
    error = fields(message.error)
    code, said = error.get("code"), text(error.get("message"))
    code = code if type(code) is int and abs(code) <= _MAX_CODE else None
    if status in _REFUSALS or is_denial(said):
        return Ending(CallState.DENIED, code, said)
    return Ending(CallState.CANCELLED if code == REQUEST_CANCELLED else CallState.RPC_ERROR, code, said)
