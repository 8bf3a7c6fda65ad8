"""Who signed this, and does it hold?"""

from collections.abc import Iterable
from typing import ClassVar, NamedTuple

from mcpwatch.detect.phrases import cut, named, sentence, short, subject_of, upstream_of
from mcpwatch.detect.recent import Recent
from mcpwatch.detect.rule import Rule
from mcpwatch.model.alerts import Finding, RuleInfo, Severity
from mcpwatch.model.identity import Freshness, SignatureState, Verdict, Word
from mcpwatch.model.traffic import Observation, SessionKind

HANDSHAKE = frozenset({"initialize", "server/discover", "notifications/initialized", "ping"})
"""Methods that start or keep up a connection and do nothing else."""

_NSA = "NSA CSI U/OO/6030316-26"
_PLACES = 20_000


class UnsignedCall(Rule):
    """One alert a session.

    What only starts or keeps up the connection does not count; a body that the log does not carry does.
    """

    info = RuleInfo(
        id="identity/unsigned-call",
        title="Unsigned call",
        severity=Severity.MEDIUM,
        meaning="An agent calls without a signature. Nothing proves which agent it is.",
        action="Let the agent sign its requests, or take note that this session stays unproven.",
        references=("OWASP MCP07", _NSA),
    )
    kinds = ("request",)

    def observe(self, seen: Observation) -> Iterable[Finding]:
        if seen.verdict is None or seen.verdict.word is not Word.UNSIGNED:
            return
        asked = _asked(seen)
        if asked:
            bound = seen.session.binding.signer if seen.session else None
            but = f", though the session is bound to {named(bound)}" if bound else ""
            yield self.finding(seen, subject_of(seen), f"{cut(asked)} came without a signature{but}.")


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
        signer = _signer_id(verdict, verdict.scheme)
        subject = f"{signer} at {upstream_of(seen)}"
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
        title="Session used with another key",
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
        reason = f"Signer {named(verdict.signer)}, but the session is bound to {named(bound)}."
        since = seen.session.binding.since if seen.session else None
        evidence = (seen.index,) if since is None else (since, seen.index)
        subject = f"{subject_of(seen)} by {_signer_id(verdict)}"
        yield self.finding(seen, subject, reason, *evidence)


class First(NamedTuple):
    """Where a replayed request came first."""

    upstream: str
    session: str
    """By the protocol's id; empty where there is none, since a derived session is one by its signer."""


class ReplayRule(Rule):
    """Base of the two replay rules: remembers where signed requests came first."""

    kinds = ("request",)
    rejudges = True
    elsewhere: ClassVar[bool]
    """Whether the rule is for replays of what came first in another place."""

    def __init__(self) -> None:
        self._places: Recent[tuple[str, int], First] = Recent(_PLACES)

    def observe(self, seen: Observation) -> Iterable[Finding]:
        verdict = seen.verdict
        if verdict is None:
            return
        session = seen.session if seen.session and seen.session.kind is SessionKind.LEGACY else None
        here = First(upstream_of(seen), session.key if session else "")
        if not is_replay(verdict):
            if verdict.signature is SignatureState.VALID:
                self._places.put((seen.source, seen.index), here)
            return
        where = self._elsewhere(seen, verdict, here)
        if bool(where) is not self.elsewhere:
            return
        first = verdict.first_seen
        before = "before" if first is None else f"first as entry {first}"
        evidence = (seen.index,) if first is None or verdict.first_source is not None else (first, seen.index)
        subject = f"{_signer_id(verdict)} in {subject_of(seen)}{where}"
        reason = f"What {named(verdict.signer)} signed came {before}{where} and came again."
        yield self.finding(seen, subject, reason, *evidence)

    def _elsewhere(self, seen: Observation, verdict: Verdict, here: First) -> str:
        """The other feed, upstream or session that the request came first in; empty where it is the same or unknown."""
        if verdict.first_source is not None:
            return f" on {cut(verdict.first_source)}"
        first = None if verdict.first_seen is None else self._places.get((seen.source, verdict.first_seen))
        if first is None:
            return ""
        if first.upstream != here.upstream:
            return f" at {cut(first.upstream)}"
        differ = first.session and here.session and first.session != here.session
        return f" in session {short(first.session)}" if differ else ""


class Replayed(ReplayRule):
    info = RuleInfo(
        id="identity/replayed",
        title="Replayed request",
        severity=Severity.CRITICAL,
        meaning="The very same signed request came again. Somebody recorded it, or a client repeats without signing.",
        action="Compare the senders of both requests. If the client repeats, let it sign each attempt anew.",
        references=(_NSA,),
    )
    elsewhere = False


class CrossSessionReplay(ReplayRule):
    info = RuleInfo(
        id="identity/cross-session-replay",
        title="Request replayed elsewhere",
        severity=Severity.CRITICAL,
        meaning="A signed request came again in another session or at another server. Its signature covers neither.",
        action="Find out who could read the first request. Let agents sign the session id and the authority too.",
    )
    elsewhere = True


class Stale(WordRule):
    info = RuleInfo(
        id="identity/stale",
        title="Stale signature",
        severity=Severity.HIGH,
        meaning="The signature's time is outside the window. "
        "A recorded request looks like this, and so does a wrong clock.",
        action="Check the agent's clock. If it is right, somebody sends old requests.",
        references=(_NSA,),
    )
    word = Word.STALE
    says = "The signature by {signer} is not of this time"


class UnknownIdentity(WordRule):
    info = RuleInfo(
        id="identity/unknown-identity",
        title="Unknown identity",
        severity=Severity.HIGH,
        meaning="The signature names an identity that nobody knows, so it proves nothing.",
        action="If you know the agent, pin its key with: mcpwatch keys add. If not, ask who runs it.",
    )
    word = Word.UNKNOWN_KEY
    says = "No key is known for {signer}"


class CannotCheck(WordRule):
    info = RuleInfo(
        id="identity/cannot-check",
        title="Signature could not be checked",
        severity=Severity.MEDIUM,
        meaning="There is a signature, but it could not be checked here. The call is not verified.",
        action="Read the reason: a registry may be down, or the scheme is not supported. "
        "A pinned key needs no registry.",
    )
    word = Word.NO_CHECK
    says = "The signature by {signer} could not be checked"

    def applies(self, seen: Observation, verdict: Verdict) -> bool:
        return not verdict.waiting


class BodyNotCovered(WordRule):
    info = RuleInfo(
        id="identity/body-not-covered",
        title="Signature does not cover the body",
        severity=Severity.MEDIUM,
        meaning="The signature is valid but leaves out the body. Anybody between could have changed the call.",
        action="Let the agent sign a digest of the body too.",
    )
    word = Word.PARTIAL
    says = "The valid signature by {signer} leaves out the body"

    def applies(self, seen: Observation, verdict: Verdict) -> bool:
        return bool(seen.messages)


def _asked(seen: Observation) -> str:
    """The first method that counts as a call, or `A request` where the method did not travel; else empty."""
    methods = [message.method for message in seen.messages if message.method] or [call.method for call in seen.opened]
    if methods:
        return next((method for method in methods if method not in HANDSHAKE), "")
    body = seen.request.body if seen.request else None
    unread = body is not None and body.size > 0 and body.text is None and body.base64 is None
    return "A request" if unread else ""


def _signer_id(verdict: Verdict, otherwise: str = "") -> str:
    """The signer a finding is about, in full."""
    return verdict.signer.id if verdict.signer else otherwise or "unnamed key"


def is_replay(verdict: Verdict) -> bool:
    """Whether these signed bytes came before, whatever else is wrong."""
    return verdict.word is Word.REPLAY or verdict.freshness is Freshness.REPLAYED


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
