"""What a request asks of its server, and by which terms."""

from collections.abc import Sequence
from typing import NamedTuple

from mcpwatch.detect.phrases import cut, quote, upstream_of
from mcpwatch.model.identity import Verdict
from mcpwatch.model.traffic import Call, Observation, RpcMessage
from mcpwatch.policy.policy import Policy
from mcpwatch.policy.ruling import TOOL_CALL, Facts, asks, facts_of
from mcpwatch.policy.terms import Signatures, Terms

_STRICT = (Signatures.REQUIRED, Signatures.EXPECTED)
"""The terms under which a signature is missed, the strictest first."""


class Asked(NamedTuple):
    """One message that asks for something."""

    method: str
    """Empty where the body that holds it did not travel."""
    tool: str
    terms: Terms
    """What holds for it."""


def asked(seen: Observation, policy: Policy) -> list[Asked]:
    """What of a request is more than handshake and notifications, in its order."""
    upstream = upstream_of(seen)
    called = [message for message in seen.messages if message.method]
    found: list[Asked] = []
    for each in called or seen.opened:
        if asks(each.method):
            tool = _tool(each) if each.method == TOOL_CALL else ""
            found.append(Asked(each.method, tool, policy.terms(upstream, tool)))
    if called or seen.opened:
        return found
    body = seen.request.body if seen.request else None
    unread = body is not None and body.size > 0 and body.text is None and body.base64 is None
    return [Asked("", "", policy.terms(upstream))] if unread else []


def strictest(found: Sequence[Asked]) -> Asked | None:
    """The first that needs a signature, else the first that is expected to have one, else None."""
    for wanted in _STRICT:
        for one in found:
            if one.terms.signatures is wanted:
                return one
    return None


def in_words(one: Asked, seen: Observation) -> str:
    """A message in a sentence: its method with its target, or `A request` where its method did not travel."""
    if not one.method:
        return "A request"
    target = one.tool or next((call.target for call in seen.opened if call.method == one.method and call.target), "")
    return f"{cut(one.method)} {quote(target)}" if target else cut(one.method)


def facts(seen: Observation, verdict: Verdict) -> Facts:
    """What a request's signature proves, as the policy looks at it."""
    request = seen.request
    return facts_of(
        verdict,
        seen.time,
        has_session=request is not None and bool(request.session),
        has_token=request is not None and request.principal is not None,
    )


def _tool(asking: RpcMessage | Call) -> str:
    if isinstance(asking, Call):
        return asking.target
    params = asking.params
    name = params.get("name") if type(params) is dict else ""
    return name if type(name) is str else ""
