"""Who calls, as far as it is proven, and as what."""

from mcpwatch.model.identity import SignatureState, Word
from mcpwatch.model.traffic import Exchange, Observation
from mcpwatch.policy.policy import Caller, Policy, Role
from mcpwatch.traffic.records import good_signer

NOBODY = Caller()


def caller(seen: Observation) -> Caller:
    """The signer and the principal behind an entry; of an answer, those of its request."""
    return caller_behind(seen.exchange) if seen.exchange is not None else NOBODY


def caller_behind(exchange: Exchange) -> Caller:
    """The signer and the principal behind an exchange."""
    return Caller(good_signer(exchange.verdict), exchange.principal)


def role(seen: Observation, policy: Policy) -> Role:
    """What the caller may be: what the policy says, and without it a guest where nobody is proven, else a user."""
    return policy.role(caller(seen))


def is_unsettled(exchange: Exchange) -> bool:
    """Whether a signature may yet say who called: its key is still being looked up."""
    return exchange.verdict.waiting


def is_unchecked(exchange: Exchange) -> bool:
    """Whether there is a signature that nobody here can check."""
    return exchange.verdict.word is Word.NO_CHECK


def is_claimed(exchange: Exchange) -> bool:
    """Whether there is a signature, and it is not good: somebody claims to be who nothing proves."""
    verdict = exchange.verdict
    return verdict.signature is not SignatureState.ABSENT and good_signer(verdict) is None
