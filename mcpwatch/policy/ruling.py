"""Whether a call keeps to its terms: what an enforcing gateway decides before, and the rules tell after."""

from msgspec import Struct

from mcpwatch.model.identity import Covered, Freshness, Verdict, Word
from mcpwatch.policy.members import Caller, Role
from mcpwatch.policy.terms import Signatures, Terms
from mcpwatch.text import ELLIPSIS

HANDSHAKE = frozenset({"initialize", "server/discover", "ping"})
"""Methods that start or keep up a connection and do nothing else."""
NOTIFICATIONS = "notifications/"
"""What their methods begin with: they ask for nothing."""
TOOL_CALL = "tools/call"

_SAID = 120
_BROKEN = {
    Word.UNSIGNED: "identity/unsigned-call",
    Word.BAD_SIG: "identity/bad-signature",
    Word.WRONG_KEY: "identity/wrong-key",
    Word.REPLAY: "identity/replayed",
    Word.STALE: "identity/stale",
    Word.UNKNOWN_KEY: "identity/unknown-identity",
    Word.OLD_KEY: "identity/superseded-key",
    Word.NO_CHECK: "identity/cannot-check",
}
"""The rule that tells of a signature which is not good; VERIFIED and PARTIAL are."""
_FUTURE = "identity/from-the-future"
_NOT_COVERED = "identity/body-not-covered"
_TOO_OLD = "identity/stale"
NOT_PERMITTED = "policy/not-permitted"
UNREADABLE = "policy/unreadable-call"
REPLAYABLE = "identity/weak-replay-protection"
REFUSALS = frozenset({*_BROKEN.values(), _FUTURE, _NOT_COVERED, NOT_PERMITTED, UNREADABLE, REPLAYABLE})
"""Ids of the rules that an enforcing gateway refuses by."""


class Facts(Struct, frozen=True):
    """What a request's signature proves."""

    word: Word = Word.UNSIGNED
    freshness: Freshness = Freshness.UNCHECKED
    coverage: tuple[Covered, ...] = ()
    age: float | None = None
    """Seconds from signing to the request; None where nothing signed says when."""
    has_session: bool = False
    """Whether the request has a session id that a signature could cover."""
    has_token: bool = False
    """Whether the request has an access token."""
    why: str = ""
    """What is wrong with the signature; may quote untrusted text."""

    @property
    def is_signed(self) -> bool:
        """Whether the signature is good, and of a request that was not sent before: what passes is done."""
        return self.word not in _BROKEN and not self.is_replayable

    @property
    def is_replayable(self) -> bool:
        """Whether it cannot be told if the request was sent before."""
        return self.freshness is Freshness.UNDECIDABLE


class Ruling(Struct, frozen=True):
    """Whether a call may reach the server."""

    allowed: bool = True
    reason: str = ""
    """Why not, as a phrase; may quote untrusted text."""
    rule: str = ""
    """Id of the rule that tells of it."""


ALLOWED = Ruling()


def asks(method: str | None) -> bool:
    """Whether a message asks something of the server.

    `method` is empty for what calls nothing: an answer, a GET, a DELETE. It is None where nobody can read it, which
    counts as a call.
    """
    return method is None or (bool(method) and method not in HANDSHAKE and not method.startswith(NOTIFICATIONS))


def facts_of(verdict: Verdict, time: float, *, has_session: bool = False, has_token: bool = False) -> Facts:
    """The facts on a request that came at `time`, seconds since the epoch."""
    return Facts(
        verdict.word,
        verdict.freshness,
        verdict.coverage,
        None if verdict.signed_at is None else time - verdict.signed_at,
        has_session,
        has_token,
        verdict.reasons[0] if verdict.reasons else "",
    )


def not_covered(terms: Terms, facts: Facts) -> tuple[Covered, ...]:
    """The parts that a signature has to cover here and does not."""
    covered = facts.coverage
    return tuple(
        part
        for part in terms.covers
        if part not in covered
        and (part is not Covered.SESSION or facts.has_session)
        and (part is not Covered.TOKEN or facts.has_token)
        and (part is not Covered.ARGUMENTS or Covered.BODY not in covered)
    )


def is_too_old(terms: Terms, facts: Facts) -> bool:
    """Whether a signature was made too long before the request; one that does not say when it was made, is."""
    return terms.max_age is not None and (facts.age is None or facts.age > terms.max_age)


def refused_signature(terms: Terms, facts: Facts) -> Ruling:
    """Whether the signature is what these terms require."""
    if terms.signatures is not Signatures.REQUIRED:
        return ALLOWED
    rule = _BROKEN.get(facts.word)
    if rule is not None:
        if facts.freshness is Freshness.FUTURE and facts.word is Word.STALE:
            rule = _FUTURE
        why = f": {cut(facts.why)}" if facts.why else ""
        return Ruling(False, f"a signature is required, and this request is {facts.word.value}{why}", rule)
    if facts.is_replayable:
        why = f": {cut(facts.why)}" if facts.why else ""
        return Ruling(False, f"a signature is required, and this one may have been used before{why}", REPLAYABLE)
    missing = not_covered(terms, facts)
    if missing:
        parts = ", ".join(part.value for part in missing)
        return Ruling(False, f"the signature has to cover what it leaves out: {parts}", _NOT_COVERED)
    if is_too_old(terms, facts):
        age = "does not say when it was made" if facts.age is None else f"is {facts.age:.0f} s old"
        return Ruling(False, f"the signature {age}; {terms.max_age:g} s are allowed", _TOO_OLD)
    return ALLOWED


def refused_caller(terms: Terms, caller: Caller, role: Role) -> Ruling:
    """Whether these terms let the caller do it; `role` is the caller's."""
    if terms.is_open:
        return ALLOWED
    members, why = terms.members, ""
    if members is not None and members.identities and not members.has_signer(caller.signer):
        why = "it is none of the identities that may" if caller.signer else "no signature proves an identity that may"
    elif members is not None and members.principals and not members.has_principal(caller.principal):
        why = "its access token is of none of the principals that may"
    elif terms.roles and role not in terms.roles:
        why = f"its role is {role.value}, and it takes {' or '.join(terms.roles)}"
    return Ruling(False, f"{cut(str(caller))} may not do this: {why}", NOT_PERMITTED) if why else ALLOWED


def cut(text: str) -> str:
    """Somebody else's words, bounded."""
    return text if len(text) <= _SAID else text[:_SAID] + ELLIPSIS
