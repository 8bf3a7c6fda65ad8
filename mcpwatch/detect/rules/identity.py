"""Who signed this, and does it hold?"""

from collections.abc import Iterable
from typing import ClassVar

from mcpwatch.detect.phrases import (
    cut,
    host,
    named,
    quote,
    sentence,
    signer_subject,
    subject_of,
    upstream_of,
)
from mcpwatch.detect.recent import Recent
from mcpwatch.detect.rule import Rule
from mcpwatch.detect.rules.replay import NSA, CrossSessionReplay, Replayed, is_replay
from mcpwatch.model.alerts import Finding, RuleInfo, Severity
from mcpwatch.model.identity import Verdict, Word
from mcpwatch.model.traffic import Observation

HANDSHAKE = frozenset({"initialize", "server/discover", "notifications/initialized", "ping"})
"""Methods that start or keep up a connection and do nothing else."""

_CALLERS = 2_000
_COUNTED = 1_000
"""Sessions counted of one caller."""


class UnsignedCall(Rule):
    """One alert for each caller and server, since a client may open a session for every run.

    What only starts or keeps up the connection does not count; a body that the log does not carry does.
    """

    info = RuleInfo(
        id="identity/unsigned-call",
        title="Unsigned call",
        severity=Severity.MEDIUM,
        meaning="An agent calls without a signature. Nothing proves which agent it is.",
        action="Let the agent sign its requests, or take note that this caller stays unproven.",
        references=("OWASP MCP07", NSA),
    )
    kinds = ("request",)

    def __init__(self) -> None:
        self._sessions: Recent[tuple[str, str], set[str]] = Recent(_CALLERS)

    def observe(self, seen: Observation) -> Iterable[Finding]:
        if seen.verdict is None or seen.verdict.word is not Word.UNSIGNED:
            return
        asked = _asked(seen)
        if asked:
            bound = seen.session.binding.signer if seen.session else None
            but = f", though the session is bound to {named(bound)}" if bound else ""
            caller = f"{signer_subject(bound)}, unsigned," if bound else _caller(seen)
            subject = f"{caller} at {upstream_of(seen)}"
            reason = f"{asked} came without a signature{but}{self._spread(seen, subject)}."
            yield self.finding(seen, subject, reason)

    def _spread(self, seen: Observation, subject: str) -> str:
        """In how many sessions the caller did so, once there are several."""
        if seen.session is None:
            return ""
        place = (seen.source, subject)
        known = self._sessions.get(place) or self._sessions.put(place, set())
        if len(known) < _COUNTED:
            known.add(seen.session.key)
        some = "at least " if len(known) == _COUNTED else ""
        return f"; {some}{len(known)} sessions so far" if len(known) > 1 else ""


class WordRule(Rule):
    """Base of the rules that say what a verdict's word says; one alert for each signer and upstream."""

    kinds = ("request",)
    rejudges = True
    word: ClassVar[Word]
    says: ClassVar[str]
    """How the reason begins; `{signer}` is the name the signature goes by."""

    def observe(self, seen: Observation) -> Iterable[Finding]:
        verdict = seen.verdict
        if verdict is None or verdict.word is not self.word or not self.applies(seen, verdict):
            return
        subject = f"{signer_subject(verdict.signer, verdict.scheme)} at {upstream_of(seen)}"
        reason = sentence(self.says.format(signer=named(verdict.signer)), verdict.reasons[0] if verdict.reasons else "")
        yield self.finding(seen, subject, reason)

    def applies(self, seen: Observation, verdict: Verdict) -> bool:
        """Whether the rule has a say where the word fits."""
        return True


class BadSignature(WordRule):
    info = RuleInfo(
        id="identity/bad-signature",
        title="Bad signature",
        severity=Severity.CRITICAL,
        meaning="The signature does not fit the request. It was changed on the way, or somebody else made it.",
        action="Do not trust the call. Compare what was signed with what arrived, and ask the agent's owner.",
    )
    word = Word.BAD_SIG
    says = "The signature in the name of {signer} does not fit the request"


class WrongKey(Rule):
    """A replayed request says nothing about who sent it, so the replay rules speak of those."""

    info = RuleInfo(
        id="identity/wrong-key",
        title="Wrong key in session",
        severity=Severity.CRITICAL,
        meaning="A session that belongs to one signer got a request signed by another.",
        action="Treat the session id as stolen. End the session, and find out who holds the second key.",
    )
    kinds = ("request",)
    rejudges = True

    def observe(self, seen: Observation) -> Iterable[Finding]:
        bound, verdict = seen.rebound, seen.verdict
        if bound is None or verdict is None or is_replay(verdict):
            return
        reason = f"A request signed in the name of {named(verdict.signer)} came in a session bound to {named(bound)}."
        since = seen.session.binding.since if seen.session else None
        evidence = (seen.index,) if since is None else (since, seen.index)
        subject = f"{subject_of(seen)} by {signer_subject(verdict.signer)}"
        yield self.finding(seen, subject, reason, *evidence)


class Stale(WordRule):
    info = RuleInfo(
        id="identity/stale",
        title="Stale signature",
        severity=Severity.HIGH,
        meaning="The signature's time is outside the window. "
        "A recorded request looks like this, and so does a wrong clock.",
        action="Check the agent's clock. If it is right, somebody sends old requests.",
        references=(NSA,),
    )
    word = Word.STALE
    says = "The signature in the name of {signer} is not of this time"


class UnknownIdentity(WordRule):
    info = RuleInfo(
        id="identity/unknown-identity",
        title="Unknown identity",
        severity=Severity.HIGH,
        meaning="The signature names an identity that nobody knows, so it proves nothing.",
        action="If you know the agent, pin its key: mcpwatch keys add DID KEY. If not, ask who runs it.",
    )
    word = Word.UNKNOWN_KEY
    says = "No key is known for {signer}"


class CannotCheck(WordRule):
    info = RuleInfo(
        id="identity/cannot-check",
        title="Unchecked signature",
        severity=Severity.MEDIUM,
        meaning="There is a signature, but it could not be checked here. The call is not verified.",
        action="Read the reason: a registry may be down, or the scheme is not supported. "
        "A pinned key needs none: mcpwatch keys add DID KEY.",
    )
    word = Word.NO_CHECK
    says = "The signature in the name of {signer} could not be checked"

    def applies(self, seen: Observation, verdict: Verdict) -> bool:
        return not verdict.waiting


class BodyNotCovered(WordRule):
    info = RuleInfo(
        id="identity/body-not-covered",
        title="Body not covered",
        severity=Severity.MEDIUM,
        meaning="The signature is valid but leaves out the body. Anybody between could have changed the call.",
        action="Let the agent sign a digest of the body too.",
    )
    word = Word.PARTIAL
    says = "The valid signature by {signer} leaves out the body"

    def applies(self, seen: Observation, verdict: Verdict) -> bool:
        return bool(seen.messages)


def _asked(seen: Observation) -> str:
    """The first call that counts, with its target, or `A request` where its method did not travel; else empty."""
    methods = [message.method for message in seen.messages if message.method] or [call.method for call in seen.opened]
    if methods:
        method = next((method for method in methods if method not in HANDSHAKE), "")
        target = next((call.target for call in seen.opened if call.method == method and call.target), "")
        return f"{cut(method)} {quote(target)}" if target else cut(method)
    body = seen.request.body if seen.request else None
    unread = body is not None and body.size > 0 and body.text is None and body.base64 is None
    return "A request" if unread else ""


def _caller(seen: Observation) -> str:
    """Who calls, as far as anything says so: the token's subject, else the client's own name, else its address."""
    session = seen.session
    principal = seen.request.principal if seen.request else session.principal if session else None
    if principal and principal.subject:
        issuer = f" of {principal.issuer}" if principal.issuer else ""
        return f"@{principal.subject}{issuer}"
    if session and session.client_name:
        return session.client_name
    return host(seen.exchange.peer) if seen.exchange else "somebody"


IDENTITY: tuple[type[Rule], ...] = (
    UnsignedCall,
    BadSignature,
    WrongKey,
    Replayed,
    CrossSessionReplay,
    Stale,
    UnknownIdentity,
    CannotCheck,
    BodyNotCovered,
)
