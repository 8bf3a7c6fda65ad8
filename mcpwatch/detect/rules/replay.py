"""Did the very same signed request come before, and could it come again?"""

from collections.abc import Iterable
from typing import ClassVar

from msgspec import Struct

from mcpwatch.detect.phrases import cut, named, session_label, signer_subject, subject_of, upstream_of
from mcpwatch.detect.recent import Recent
from mcpwatch.detect.rule import SIGNED, Rule
from mcpwatch.model.alerts import Finding, RuleInfo, Severity
from mcpwatch.model.identity import Covered, Freshness, SignatureState, Verdict, Word
from mcpwatch.model.traffic import Observation, SessionKind

_VALID = SignatureState.VALID
NSA = "NSA CSI U/OO/6030316-26"
_PLACES = 20_000
_KEPT = (Freshness.REPLAYED, Freshness.STALE)


class First(Struct, frozen=True, gc=False):
    """Where a replayed request came first."""

    upstream: str
    session: str
    """By the protocol's id; empty where there is none, since a derived session is one by its signer."""
    label: str
    """The session in a sentence."""


class ReplayRule(Rule):
    """Base of the two replay rules: remembers where signed requests came first."""

    kinds = ("request",)
    words = SIGNED
    rejudges = True
    elsewhere: ClassVar[bool]
    """Whether the rule is for replays of what came first in another place."""

    def __init__(self) -> None:
        self._places: Recent[tuple[str, int], First] = Recent(_PLACES)

    def observe(self, seen: Observation) -> Iterable[Finding]:
        verdict = seen.verdict
        if verdict is None or not (verdict.signature is _VALID or is_replay(verdict)):
            return
        session = seen.session if seen.session and seen.session.kind is SessionKind.LEGACY else None
        here = First(upstream_of(seen), session.key if session else "", session_label(session) if session else "")
        if not is_replay(verdict):
            self._places.put((seen.source, seen.index), here)
            return
        there, again = self._elsewhere(seen, verdict, here)
        if bool(there) is not self.elsewhere:
            return
        index = verdict.first_seen
        evidence = (seen.index,) if index is None or verdict.first_source is not None else (index, seen.index)
        first = f" ({there})" if there else ""
        came = "An earlier request" if index is None else f"Request {index}"
        subject = f"{subject_of(seen)}: {signer_subject(verdict.signer)}{first}"
        reason = f"{came} in the name of {named(verdict.signer)}{first} was sent again{again}."
        yield self.finding(seen, subject, reason, *evidence)

    def _elsewhere(self, seen: Observation, verdict: Verdict, here: First) -> tuple[str, str]:
        """The other feed, server or session that the request came first in, empty where it is the same or unknown;
        and where it came again, as the end of a sentence."""
        again = f" in session {here.label}" if here.label else ""
        if verdict.first_source is not None:
            return f"on {cut(verdict.first_source)}", f"{again} on {cut(seen.source)}" if seen.source else again
        first = None if verdict.first_seen is None else self._places.get((seen.source, verdict.first_seen))
        if first is None:
            return "", again
        if first.upstream != here.upstream:
            session = f"session {first.label} " if first.label else ""
            return f"{session}at {cut(first.upstream)}", f"{again} at {cut(here.upstream)}"
        differ = first.session and here.session and first.session != here.session
        return f"session {first.label}" if differ else "", again


class Replayed(ReplayRule):
    info = RuleInfo(
        id="identity/replayed",
        title="Replayed request",
        severity=Severity.CRITICAL,
        meaning="The very same signed request came again. Somebody recorded it, or a client repeats without signing.",
        action="Compare the senders of both requests. If the client repeats, let it sign each attempt anew.",
        references=(NSA,),
    )
    elsewhere = False


class CrossSessionReplay(ReplayRule):
    info = RuleInfo(
        id="identity/cross-session-replay",
        title="Replayed elsewhere",
        severity=Severity.CRITICAL,
        meaning="A signed request came again in another session or at another server. Its signature covers neither.",
        action="Find out who could read the first request. Let agents sign the session id and the authority too.",
        references=(NSA,),
    )
    elsewhere = True


def is_replay(verdict: Verdict) -> bool:
    """Whether these signed bytes came before, whatever else is wrong."""
    return verdict.word is Word.REPLAY or verdict.freshness is Freshness.REPLAYED


def proves(verdict: Verdict) -> bool:
    """Whether a signature proves its signer: whoever kept a request has its signature, not its key."""
    return verdict.signature is _VALID and verdict.freshness not in _KEPT


class WeakReplayProtection(Rule):
    """One alert for each signer and scheme: it is how the agent signs, wherever it calls."""

    info = RuleInfo(
        id="identity/weak-replay-protection",
        title="Weak replay protection",
        severity=Severity.MEDIUM,
        meaning="The signature is valid and covers no nonce. A server cannot tell a second sending from the first.",
        action="Let the agent sign a nonce of its own with each request, and its time.",
        references=(NSA,),
    )
    kinds = ("request",)
    words = SIGNED
    rejudges = True

    def observe(self, seen: Observation) -> Iterable[Finding]:
        verdict = seen.verdict
        if (
            verdict is None
            or verdict.signature is not _VALID
            or Covered.NONCE in verdict.coverage
            or verdict.signer is None
        ):
            return
        timed = Covered.TIME in verdict.coverage
        again = "no nonce: until it is stale" if timed else "neither a nonce nor a time: at any time"
        reason = (
            f"The valid {cut(verdict.scheme)} signature by {named(verdict.signer)} covers {again}, "
            "whoever has it can send the request again."
        )
        yield self.finding(seen, f"{signer_subject(verdict.signer)} with {verdict.scheme}", reason)
