"""Do sessions rest on tokens that hold?"""

from collections.abc import Iterable, Iterator

from mcpwatch.detect.phrases import cut, named, quote, subject_of, upstream_of
from mcpwatch.detect.rule import Rule
from mcpwatch.model.alerts import Finding, RuleInfo, Setting, Severity
from mcpwatch.model.identity import SignatureState
from mcpwatch.model.traffic import Call, CallState, Direction, Observation, SessionKind
from mcpwatch.policy.members import UNSIGNED_TOKEN
from mcpwatch.policy.ruling import TOOL_CALL

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

    def observe(self, seen: Observation) -> Iterable[Finding]:
        principal = seen.exchange.principal if seen.exchange is not None and seen.updated else None
        if principal is None or not principal.algorithm or principal.algorithm.casefold() != UNSIGNED_TOKEN:
            return
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

    def observe(self, seen: Observation) -> Iterable[Finding]:
        exchange, session = seen.exchange, seen.session
        if exchange is None or not seen.updated:
            return
        principal = exchange.principal
        own = principal is not None
        if principal is None and session is not None and session.kind is SessionKind.LEGACY:
            principal = session.principal
        if principal is None or principal.expires is None or exchange.started <= principal.expires:
            return
        late = exchange.started - principal.expires
        if late <= self.setting("leeway"):
            return
        for call in taken(seen):
            whose = "its token" if own else "the token that the session came with"
            reason = f"{_asked(call)} was answered, and {whose} had expired {late:.0f} s before."
            yield self.finding(seen, subject_of(seen), reason, call.index, seen.index, call=call)


class Unbound(Rule):
    """A session that nobody ever stood behind is `session/anonymous`; one whose token is gone, `token-subject-changed`.

    What is left is a session that was a signer's own, and whose id alone is now enough.
    """

    info = RuleInfo(
        id="session/unbound",
        title="Binding not enforced",
        severity=Severity.HIGH,
        meaning="A tool call with neither signature nor token was answered in a session that belongs to a signer. "
        "The session's id alone is enough to act in it.",
        action="Let the server hold each request against the signer that it opened the session for.",
        references=("OWASP MCP07", "MCP security best practices: session hijacking"),
    )
    kinds = ("message", "end")

    def observe(self, seen: Observation) -> Iterable[Finding]:
        exchange, session = seen.exchange, seen.session
        if not seen.updated or exchange is None or exchange.principal is not None:
            return
        if exchange.verdict.signature is not SignatureState.ABSENT or session is None:
            return
        signer = session.binding.signer
        if signer is None or session.kind is not SessionKind.LEGACY:
            return
        for call in taken(seen):
            if call.method == TOOL_CALL:
                since = session.binding.since
                reason = (
                    f"{_asked(call)} came with neither signature nor token and was answered, "
                    f"though the session is bound to {named(signer)}."
                )
                evidence = (call.index, seen.index) if since is None else (since, call.index, seen.index)
                yield self.finding(seen, subject_of(seen), reason, *evidence, call=call)


def _asked(call: Call) -> str:
    return f"{cut(call.method)} {quote(call.target)}" if call.target else cut(call.method)
