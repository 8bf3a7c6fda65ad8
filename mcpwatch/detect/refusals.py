"""What a denial is about, and what counts as let through."""

import re
from typing import Final

from mcpwatch.model.traffic import Call, CallState, Direction, Observation
from mcpwatch.traffic.claims import first_text
from mcpwatch.traffic.outcomes import is_denial

ACTING: Final = frozenset({"tools/call", "resources/read", "prompts/get"})
"""Methods that get something by its name."""

BROKEN_OFF: Final = frozenset({CallState.CANCELLED, CallState.TRUNCATED})
"""Ends without an answer."""
_DENIED = CallState.DENIED
_UNAUTHORIZED, _FORBIDDEN = 401, 403
_SAID = 300
_OF_CALLER = re.compile(
    r"\b(?:roles?|admin|authenticat|unauthori[sz]ed|privileg|scopes?|log(?:ged)?[ -]?in|sign(?:ed)?[ -]?in)"
)
_QUOTED = (('"', '"'), ("'", "'"), ("`", "`"), ("tool ", " "))
_PASSING = re.compile(
    r"\b(?:rate|quota|too many|throttl|try again|tempor|locked|approv|consent|declin|confirm|expired"
    r"|by (?:the )?user\b)"
)


def was_denied(call: Call) -> bool:
    """Whether the server did not let a client have what it named."""
    return call.state is _DENIED and call.direction is Direction.TO_SERVER and bool(call.target)


def is_of_caller(call: Call, has_token: bool) -> bool:
    """Whether a call was denied for who made it, and not for its arguments, a limit, a person's no or an old token."""
    said = call.error_text[:_SAID].lower()
    if _PASSING.search(said) or (call.status == _UNAUTHORIZED and has_token):
        return False
    return call.error_code is not None or call.status in (_UNAUTHORIZED, _FORBIDDEN) or names_caller(call)


def names_caller(call: Call) -> bool:
    """Whether a denial says what a caller has to be."""
    return _OF_CALLER.search(call.error_text[:_SAID].lower()) is not None


def names_target(call: Call) -> bool:
    """Whether a denial names what was asked for, so that other arguments would have been denied as well."""
    said, name = call.error_text[:_SAID], call.target
    return any(f"{before}{name}{after}" in said for before, after in _QUOTED)


def came_through(seen: Observation, call: Call) -> bool:
    """Whether the server did what it was asked: it answered, and with no denial in the result's text, or had begun to.

    A client that leaves the stream before the end has had all that came on it.
    """
    if call.state in BROKEN_OFF:
        return call.messages > 0
    if call.state is not CallState.DONE:
        return False
    said = next((first_text(message.result) for message in seen.messages if message.id == call.rpc_id), "")
    return not is_denial(said)
