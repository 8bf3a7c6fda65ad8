"""Which signer a session belongs to: the first verified one, and how strongly.

A session is bound to a signer, that is to a key or to the name the key goes by; access tokens have no part in it,
so a refreshed token rebinds nothing. A valid signature by anybody else on a bound session is the wrong key.
"""

from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from mcpwatch.model.identity import Covered, Signer, Strength, Verdict, Word
from mcpwatch.model.traffic import Binding, SessionKind
from mcpwatch.traffic.records import Bound, Judged, TrackedSession, good_signer

MAX_HISTORY: Final = 256
"""Requests of one session that can be judged anew when a key arrives."""


_LEGACY = SessionKind.LEGACY
_SIGNER = SessionKind.SIGNER


class BoundVerdict(Struct, frozen=True, gc=False):
    """What a request is worth within its session."""

    verdict: Verdict
    rebound: Signer | None = None
    """Whom the session is bound to, where the request came from another."""


def bind(tracked: TrackedSession, index: int, verdict: Verdict, opening: bool) -> BoundVerdict | None:
    """Hold a request against its session's signer, and bind the session if it has none; None where nothing is amiss."""
    session = tracked.session
    if session.kind is not _LEGACY:
        if session.kind is _SIGNER and session.binding.signer is None:
            session.binding = Binding(good_signer(verdict), Strength.EACH, index)
        return None
    if verdict.waiting or tracked.history:
        _remember(tracked, Judged(index, verdict, opening))
    bound, outcome = _step(tracked.bound, index, verdict, opening)
    _set(tracked, bound)
    return outcome


def rebind(tracked: TrackedSession, index: int, verdict: Verdict, opening: bool) -> list[tuple[int, BoundVerdict]]:
    """Judge a request anew and, with it, every later one, as if its key had been there from the start.

    Returns each request that was looked at, by index, with what became of it.
    """
    judged = next((judged for judged in tracked.history if judged.index == index), None)
    if judged is None:
        if verdict.waiting or (tracked.history and index > tracked.history[-1].index):
            _remember(tracked, Judged(index, verdict, opening))
        bound, outcome = _step(tracked.bound, index, verdict, opening)
        _set(tracked, bound)
        return [(index, outcome or BoundVerdict(verdict))]
    judged.verdict = verdict
    bound = tracked.before
    revisions: list[tuple[int, BoundVerdict]] = []
    for judged in tracked.history:
        bound, outcome = _step(bound, judged.index, judged.verdict, judged.opening)
        revisions.append((judged.index, outcome or BoundVerdict(judged.verdict)))
    _set(tracked, bound)
    if not any(judged.verdict.waiting for judged in tracked.history):
        tracked.history.clear()
    return revisions


def unbind(tracked: TrackedSession, since: int) -> None:
    """Forget whom a session is bound to and what waits for a key in it, unless an earlier request bound it."""
    if tracked.session.kind is _LEGACY and (tracked.bound.signer is None or tracked.bound.since >= since):
        tracked.bound = tracked.before = Bound()
        tracked.session.binding = Binding()
        tracked.history.clear()


def same_signer(one: Signer, other: Signer) -> bool:
    """Whether two signers are one: the same name, or the same key under two names."""
    return one.id == other.id or (bool(one.fingerprint) and one.fingerprint == other.fingerprint)


def _remember(tracked: TrackedSession, judged: Judged) -> None:
    if not tracked.history:
        tracked.before = tracked.bound
    tracked.history.append(judged)
    if len(tracked.history) > MAX_HISTORY:
        oldest = tracked.history.pop(0)
        tracked.before, _ = _step(tracked.before, oldest.index, oldest.verdict, oldest.opening)


def _step(bound: Bound, index: int, verdict: Verdict, opening: bool) -> tuple[Bound, BoundVerdict | None]:
    signer = good_signer(verdict)
    if signer is None:
        if bound.signer is None or bound.others or verdict.waiting:
            return bound, None
        return replace(bound, others=True), None
    covered = Covered.SESSION in verdict.coverage
    uncovered = not covered and not opening
    if bound.signer is None:
        return Bound(signer, index, covered=covered, uncovered=uncovered), None
    if not same_signer(bound.signer, signer):
        return replace(bound, others=True), BoundVerdict(_wrong_key(verdict, signer, bound.signer), bound.signer)
    if covered > bound.covered or uncovered > bound.uncovered:
        bound = replace(bound, covered=bound.covered or covered, uncovered=bound.uncovered or uncovered)
    return bound, None


def _wrong_key(verdict: Verdict, signer: Signer, owner: Signer) -> Verdict:
    reason = f"this session is bound to {owner.id}, and {signer.id} signed the request"
    return replace(verdict, word=Word.WRONG_KEY, reasons=(reason, *verdict.reasons))


def _set(tracked: TrackedSession, bound: Bound) -> None:
    if bound is not tracked.bound:
        tracked.bound = bound
        tracked.session.binding = Binding(bound.signer, _strength(bound), bound.since) if bound.signer else Binding()


def _strength(bound: Bound) -> Strength:
    if bound.others:
        return Strength.FIRST
    return Strength.COVERED if bound.covered and not bound.uncovered else Strength.EACH
