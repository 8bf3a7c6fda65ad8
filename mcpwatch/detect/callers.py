"""Who calls, as far as it is proven, and as what."""

from mcpwatch.model.traffic import Observation
from mcpwatch.policy.policy import Caller, Policy, Role
from mcpwatch.traffic.records import good_signer

NOBODY = Caller()


def caller(seen: Observation) -> Caller:
    """The signer and the principal behind an entry; of an answer, those of its request."""
    exchange = seen.exchange
    if exchange is None:
        return NOBODY
    return Caller(good_signer(seen.verdict or exchange.verdict), exchange.principal)


def role(seen: Observation, policy: Policy) -> Role:
    """What the caller may be: what the policy says, and without it a guest where nobody is proven, else a user."""
    return policy.role(caller(seen))
