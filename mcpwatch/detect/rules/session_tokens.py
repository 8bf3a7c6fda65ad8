"""Do sessions rest on tokens that hold?"""

from collections.abc import Iterable, Iterator

from mcpwatch.detect.phrases import cut, named, quote, subject_of, upstream_of
from mcpwatch.detect.recent import Recent
from mcpwatch.detect.rule import ANY_CALL, Rule
from mcpwatch.model.alerts import Finding, RuleInfo, Setting, Severity
from mcpwatch.model.entries import Principal
from mcpwatch.model.identity import SignatureState, Signer
from mcpwatch.model.traffic import (
    Binding,
    Call,
    CallState,
    Direction,
    Observation,
    Session,
    SessionKey,
    SessionKind,
)
from mcpwatch.policy.members import is_unsigned
from mcpwatch.policy.ruling import TOOL_CALL
from mcpwatch.traffic.records import good_signer

_LEGACY = SessionKind.LEGACY
_ABSENT = SignatureState.ABSENT
_SESSIONS = 10_000
_OWNERS = 8
"""Remembered of one session."""

ANSWERED = frozenset({CallState.DONE, CallState.TOOL_ERROR, CallState.INPUT_REQUIRED})
"""What a server makes only of a call that it took."""
_OPEN_TO_ALL = frozenset({"ping", "server/discover"})
"""Methods that servers answer without looking at the token."""


def taken(seen: Observation) -> Iterator[Call]:
    """The client's calls of this exchange that the server took and that end with this entry."""
    for call in seen.updated:
        if (
            call.state in ANSWERED
            and call.direction is Direction.TO_SERVER
            and call.method not in _OPEN_TO_ALL
            and seen.exchange is not None
            and call.exchange == seen.exchange.index
        ):
            yield call


class UnsignedToken(Rule):
    """A token that was only sent proves nothing against the server; one that was answered does."""

    info = RuleInfo(
        id="session/unsigned-token",
        title="Unsigned token accepted",
        severity=Severity.CRITICAL,
        meaning="A server answered a request whose token says alg none: nobody signed it, so anybody can write one "
        "in any name.",
        action="Take the server out of use until it refuses such tokens. Look at what was done in that name.",
        references=("OWASP MCP07",),
    )
    kinds = ("message", "end")
    methods = ANY_CALL

    def observe(self, seen: Observation) -> Iterable[Finding]:
        principal = seen.exchange.principal if seen.exchange is not None and seen.updated else None
        return self._taken(seen, principal) if principal is not None and is_unsigned(principal) else ()

    def _taken(self, seen: Observation, principal: Principal) -> Iterable[Finding]:
        who = f"in the name of {quote(principal.subject)}" if principal.subject else "in nobody's name"
        for call in taken(seen):
            reason = f"{_asked(call)} came with an unsigned token {who} and was answered."
            subject = f"{principal.subject or 'no subject'} at {upstream_of(seen)}"
            yield self.finding(seen, subject, reason, call.index, seen.index, call=call)


class OutlivesToken(Rule):
    """Of a request without a token, the newest that the session's owner came with counts."""

    info = RuleInfo(
        id="session/outlives-token",
        title="Outlives its token",
        severity=Severity.HIGH,
        meaning="A server goes on answering after the token of the session has expired. "
        "Whoever was locked out meanwhile still is in.",
        action="Let the server check the token's time at each request. End the session.",
        references=("OWASP MCP07",),
        settings=(Setting("leeway", 60, "seconds after its end that a token may still be taken"),),
    )
    kinds = ("message", "end")
    methods = ANY_CALL

    def observe(self, seen: Observation) -> Iterable[Finding]:
        exchange, session = seen.exchange, seen.session
        if exchange is None or not seen.updated:
            return ()
        principal = exchange.principal
        own = principal is not None
        if principal is None and session is not None and session.kind is _LEGACY:
            principal = session.principal
        if principal is None or principal.expires is None or exchange.started <= principal.expires:
            return ()
        late = exchange.started - principal.expires
        return self._late(seen, late, own=own) if late > self.setting("leeway") else ()

    def _late(self, seen: Observation, late: float, *, own: bool) -> Iterable[Finding]:
        for call in taken(seen):
            whose = "its token" if own else "the token that the session came with"
            reason = f"{_asked(call)} was answered, and {whose} had expired {late:.0f} s before."
            yield self.finding(seen, subject_of(seen), reason, call.index, seen.index, call=call)


class Unbound(Rule):
    """A session that nobody ever stood behind is `session/anonymous`; one whose token is gone, `token-subject-changed`.

    What is left is a session that was a signer's own, and whose id alone is now enough. A token that no signed request
    of the session brought is the caller's own, and may be made up.
    """

    info = RuleInfo(
        id="session/unbound",
        title="Binding not enforced",
        severity=Severity.HIGH,
        meaning="A tool call without a signature and without the owner's token was answered in a signer's session. "
        "The session's id alone is enough to act in it.",
        action="Let the server hold each request against the signer that it opened the session for.",
        references=("OWASP MCP07", "MCP security best practices: session hijacking"),
    )
    kinds = ("request", "message", "end")
    methods = ANY_CALL

    def __init__(self) -> None:
        self._owners: Recent[SessionKey, dict[tuple[str, str], bool]] = Recent(_SESSIONS)
        """Session -> the owners of tokens that signed requests came with."""

    def observe(self, seen: Observation) -> Iterable[Finding]:
        exchange, session = seen.exchange, seen.session
        if exchange is None or session is None or session.kind is not _LEGACY:
            return ()
        principal, verdict = exchange.principal, exchange.verdict
        is_unsigned = verdict.signature is _ABSENT
        if principal is not None and not is_unsigned and (verdict.waiting or good_signer(verdict) is not None):
            self._learn(seen, session, principal)
        signer = session.binding.signer
        if not seen.updated or not is_unsigned or signer is None or self._is_known(seen, session, principal):
            return ()
        return self._taken(seen, session.binding, signer, principal)

    def _taken(
        self, seen: Observation, binding: Binding, signer: Signer, principal: Principal | None
    ) -> Iterable[Finding]:
        without = "neither signature nor token" if principal is None else "no signature and a token of its own"
        for call in taken(seen):
            if call.method == TOOL_CALL:
                since = binding.since
                reason = (
                    f"{_asked(call)} came with {without} and was answered, "
                    f"though the session is bound to {named(signer)}."
                )
                evidence = (call.index, seen.index) if since is None else (since, call.index, seen.index)
                yield self.finding(seen, subject_of(seen), reason, *evidence, call=call)

    def _learn(self, seen: Observation, session: Session, principal: Principal) -> None:
        place, owner = (seen.source, session.key), _owner(principal)
        owners = self._owners.get(place) or self._owners.put(place, {})
        if owner not in owners and len(owners) < _OWNERS:
            owners[owner] = True

    def _is_known(self, seen: Observation, session: Session, principal: Principal | None) -> bool:
        """Whether a signed request of the session came with a token of the same owner."""
        return principal is not None and _owner(principal) in (self._owners.get((seen.source, session.key)) or ())


def _owner(principal: Principal) -> tuple[str, str]:
    """Whose a token is; of an opaque one its scheme is all that stays when it is renewed."""
    if principal.issuer or principal.subject:
        return principal.issuer, principal.subject
    return "", principal.scheme


def _asked(call: Call) -> str:
    return f"{cut(call.method)} {quote(call.target)}" if call.target else cut(call.method)
