"""Who calls, as far as it is proven, and as what."""

from mcpwatch.model.traffic import Observation
from mcpwatch.policy.policy import Caller, Policy, Role
from mcpwatch.traffic.records import good_signer


def caller(seen: Observation) -> Caller:
    """The signer and the principal behind an entry; of an answer, those of its request."""
    verdict = seen.verdict or (seen.exchange.verdict if seen.exchange is not None else None)
    signer = good_signer(verdict) if verdict is not None else None
    if seen.request is not None:
        principal = seen.request.principal
    else:
        principal = seen.session.principal if seen.session is not None else None
    return Caller(signer, principal)


def role(seen: Observation, policy: Policy) -> Role:
    """What the caller may be: what the policy says, and without it a guest where nobody is proven, else a user."""
    return policy.role(caller(seen))
