"""Is it still the same signer, with the same key?"""

from collections.abc import Iterable

from mcpwatch.detect.phrases import named, signer_subject, subject_of
from mcpwatch.detect.recent import Recent
from mcpwatch.detect.rule import SIGNED, Rule
from mcpwatch.detect.rules.replay import is_replay, proves
from mcpwatch.model.alerts import Finding, RuleInfo, Severity
from mcpwatch.model.identity import Word
from mcpwatch.model.traffic import Observation, SessionKind

_SESSIONS = 10_000


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
    words = frozenset({Word.WRONG_KEY})
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


class KeyRotatedMidSession(Rule):
    """Once for each further key of a session that has an id; a session that ends with the old key is none."""

    info = RuleInfo(
        id="identity/key-rotated-mid-session",
        title="Key changed in session",
        severity=Severity.MEDIUM,
        meaning="A running session goes on with another key of the same signer. "
        "A rotation does this, and so does somebody who got hold of one of its keys.",
        action="Ask the agent's owner whether the key was rotated at that time.",
    )
    kinds = ("request",)
    words = SIGNED
    rejudges = True

    def __init__(self) -> None:
        self._told: Recent[tuple[str, str, str], bool] = Recent(_SESSIONS)

    def observe(self, seen: Observation) -> Iterable[Finding]:
        session, verdict = seen.session, seen.verdict
        if session is None or verdict is None or session.kind is not SessionKind.LEGACY:
            return
        bound, signer = session.binding.signer, verdict.signer
        if bound is None or signer is None or bound.fingerprint == signer.fingerprint or bound.id != signer.id:
            return
        place = (seen.source, session.key, signer.fingerprint)
        if not proves(verdict) or place in self._told:
            return
        self._told.put(place, True)
        reason = (
            f"The session began with key {bound.fingerprint} of {named(bound)} and goes on with its key "
            f"{signer.fingerprint} ({signer.key_state.value})."
        )
        since = session.binding.since
        evidence = (seen.index,) if since is None else (since, seen.index)
        yield self.finding(seen, f"{subject_of(seen)} by {signer.id}", reason, *evidence)
