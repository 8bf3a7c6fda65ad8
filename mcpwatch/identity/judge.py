"""The judge: one request in, one verdict out, from this process's own checks alone.

| axis | worst first |
|---|---|
| signature | invalid, unresolvable or unsupported, absent, valid |
| freshness | replayed, stale or from the future, undecidable, fresh |
| identity | no such identity, superseded, within grace, current |
| coverage | without the body, with it |

The word is the worst of them, in the order of the table in `words`. The key decides how a signature is checked;
what the signature says of its key can only rule keys out.
"""

from msgspec import Struct
from msgspec.structs import replace

from mcpwatch.identity import ed25519, verifier
from mcpwatch.identity.freshness import Calendar, freshness
from mcpwatch.identity.keys import KeyBook, identity_of, key_name
from mcpwatch.identity.multiple_signatures import strongest
from mcpwatch.identity.reading import Attempt, Reading
from mcpwatch.identity.replay import ReplayWindow
from mcpwatch.identity.request import SignedRequest
from mcpwatch.identity.resolution import HeldKey, KeyAnswer, Status
from mcpwatch.identity.schemes import present
from mcpwatch.identity.verdict_words import Axes, word
from mcpwatch.model.entries import NOTHING_CARRIED, SEVERAL, Request
from mcpwatch.model.identity import (
    Covered,
    Evidence,
    Freshness,
    KeyState,
    Resolution,
    SignatureState,
    Signer,
    Verdict,
    Word,
)

WINDOW_S = 300
FUTURE_S = 60
MAX_SIGNED = 65_536
"""Octets of signed text that are checked; bodies enter as digests and do not count."""

_UNSIGNED = Verdict(
    Word.UNSIGNED,
    SignatureState.ABSENT,
    Freshness.UNCHECKED,
    Evidence.ABSENT,
    reasons=("nothing in the request is signed",),
)
_PRINCIPAL_ONLY = replace(
    _UNSIGNED,
    evidence=Evidence.ASSERTED,
    reasons=("nothing in the request is signed; whose access token it came with is the gateway's word",),
)
_SEVERAL_TOKENS = replace(
    _PRINCIPAL_ONLY,
    reasons=("nothing in the request is signed, and Authorization comes more than once: whose it is nothing says",),
)
_NOT_CARRIED = Verdict(
    Word.NO_CHECK,
    SignatureState.UNSUPPORTED,
    Freshness.UNCHECKED,
    Evidence.ABSENT,
    reasons=("the header fields were too large for the feed: nothing says whether they held a signature",),
)
_VALID, _VERIFIED_HERE, _BODY = SignatureState.VALID, Evidence.VERIFIED, Covered.BODY
_FOUND = Status.FOUND
_FRESH = Freshness.FRESH
_EMBEDDED = Resolution.EMBEDDED
_CONFIGURED = (Resolution.PINNED, Resolution.JWKS)
_NOT_AMONG = {
    Resolution.DIRECTORY: "the directory does not hold the key that the signature names",
    Resolution.JWKS: "the JWKS does not hold the key that the signature names",
    Resolution.PINNED: "the key that the signature names is not the one that is pinned for its signer",
}
_KEY_NOTES = {
    KeyState.GRACE: "signed with a key that was rotated less than ten minutes before",
    KeyState.SUPERSEDED: "signed with a key that had been rotated more than ten minutes before",
}


class _Moment(Struct, frozen=True, gc=False):
    """Which request is judged."""

    index: int
    now: float
    source: str
    received: float
    """When it came here, by this machine's clock."""
    behind: float
    """Seconds by which the entry is dated back."""


class Judge:
    """Gives verdicts. Asks nobody: a key that is not in the book makes the verdict wait."""

    def __init__(
        self, keys: KeyBook, replays: ReplayWindow, *, window_s: float = WINDOW_S, future_s: float = FUTURE_S
    ) -> None:
        self._keys = keys
        self._replays = replays
        self._window_s = window_s
        self._future_s = future_s
        self._calendar = Calendar(window_s)

    def judge(self, index: int, request: Request, now: float, source: str = "", received: float = 0.0) -> Verdict:
        """The verdict on the request that is entry `index` of the feed `source`, at `now` by the gateway's clock.

        `received` is when it came here, by this machine's clock: where no known key fits, the identity must have been
        asked for after that before the signature is called bad. All times are seconds since the epoch.
        Never raises. Judging an entry again, as when its key has come, is no replay of it.
        """
        signed = SignedRequest(request)
        readings: list[Reading] = []
        for scheme in present(signed):
            readings.extend(scheme.read(signed))
        if not readings:
            if NOTHING_CARRIED in request.withheld:
                return _NOT_CARRIED
            if request.principal is None:
                return _UNSIGNED
            return _SEVERAL_TOKENS if request.principal.scheme == SEVERAL else _PRINCIPAL_ONLY
        moment = _Moment(index, now, source, received, self._calendar.behind(source, index, now))
        if len(readings) == 1:
            return self._weigh(readings[0], moment)
        return strongest([(self._weigh(reading, moment), reading.label) for reading in readings])

    def _weigh(self, reading: Reading, moment: _Moment) -> Verdict:
        if reading.refusal is not None:
            return _unproven(reading, reading.refusal, reading.reason)
        first = reading.attempt
        if len(first.signed) > MAX_SIGNED:
            return _unproven(reading, SignatureState.UNSUPPORTED, f"more than {MAX_SIGNED} octets are signed")
        answer = self._keys.lookup(reading.key_id, moment.now, embedded=reading.embedded)
        if answer.status is not _FOUND:
            named = self._by_alias(reading, answer, moment.now)
            if named is None:
                return self._unresolved(reading, answer, moment)
            reading, answer = replace(reading, notes=(*reading.notes, _only_claimed(reading.key_id))), named
        keys = answer.keys
        if reading.thumbprint or reading.algorithm:
            keys = tuple(held for held in keys if not _misfit(reading, held))
            if not keys:
                return self._unfit(reading, answer, moment)
        for held in keys:
            if verifier.verify(held.key, first.signed, reading.signature):
                return self._held(reading, first, held, moment)
        for attempt in reading.retry():
            for held in keys if len(attempt.signed) <= MAX_SIGNED else ():
                if verifier.verify(held.key, attempt.signed, reading.signature):
                    return self._held(reading, attempt, held, moment)
        return self._mismatch(reading, answer, moment)

    def _by_alias(self, reading: Reading, answer: KeyAnswer, now: float) -> KeyAnswer | None:
        """The key as the operator knows it, where nobody could say yet whether it is the identity's."""
        if not reading.alias or answer.status is Status.UNKNOWN:
            return None
        named = self._keys.lookup(reading.alias, now)
        return named if named.keys and named.keys[0].signer.resolution in _CONFIGURED else None

    def _held(self, reading: Reading, attempt: Attempt, held: HeldKey, moment: _Moment) -> Verdict:
        """The verdict on a signature that verified."""
        if reading.fault:
            return _unproven(reading, SignatureState.INVALID, reading.fault, held.signer)
        fresh, why = freshness(reading.created, reading.expires, moment.now, self._window_s, self._future_s)
        reasons = [why] if why else []
        if moment.behind and fresh is _FRESH:
            fresh = Freshness.UNDECIDABLE
            reasons.append(
                f"the feed dates this entry {moment.behind:.0f} s before an earlier one: it may be an old one"
            )
        first, first_source = None, None
        since = None if reading.created is None else reading.created - self._future_s
        sighting = self._replays.see(
            held.key, attempt.signed, moment.index, moment.now, since=since, source=moment.source
        )
        if sighting.first is not None:
            fresh, first = Freshness.REPLAYED, sighting.first
            first_source = sighting.source if sighting.source != moment.source else None
            where = f" of {first_source}" if first_source is not None else ""
            reasons.insert(0, f"the same signed request came first as entry {first}{where}")
        elif not sighting.decidable and fresh is _FRESH:
            fresh = Freshness.UNDECIDABLE
            reasons.append("whether it came before cannot be told: the replay memory was too small for the traffic")
        state = held.signer.key_state
        if state is not KeyState.CURRENT:
            reasons.append(_KEY_NOTES[state])
        if held.signer.resolution is _EMBEDDED:
            reasons.append("the key came from the agent itself: nobody vouches for whose it is")
        if _BODY not in attempt.coverage:
            reasons.append("the body is not covered")
        reasons.extend(reading.notes)
        if attempt.note:
            reasons.append(attempt.note)
        return Verdict(
            word(Axes(_VALID, fresh, state, attempt.coverage)),
            _VALID,
            fresh,
            _VERIFIED_HERE,
            reading.scheme,
            attempt.coverage,
            reading.body_by_digest,
            held.signer,
            first,
            False,
            tuple(reasons),
            first_source,
            reading.profile,
            (),
            reading.receipt,
            reading.created,
        )

    def _mismatch(self, reading: Reading, answer: KeyAnswer, moment: _Moment) -> Verdict:
        """The verdict on a signature that none of the known keys made."""
        signer = answer.keys[0].signer
        if reading.on_mismatch:
            return _unproven(reading, SignatureState.UNSUPPORTED, reading.on_mismatch, signer)
        if self._doubted(reading, signer, moment):
            reason = "it does not verify with the key known so far; asking whether the key was rotated"
            verdict = _unproven(reading, SignatureState.UNRESOLVABLE, reason, signer)
            failing = [answer.reason] if answer.reason else []
            return replace(verdict, waiting=True, reasons=(*verdict.reasons, *failing))
        reason = f"the signature does not verify with the {signer.resolution.value} key of its signer"
        verdict = _unproven(reading, SignatureState.INVALID, reason, signer)
        derived = ed25519.MD5_DERIVED if ed25519.is_md5_of(signer.id, answer.keys[-1].key) else ""
        more = tuple(text for text in (derived, _listed_instead(reading, answer), answer.reason, reading.fault) if text)
        return replace(verdict, reasons=verdict.reasons + more) if more else verdict

    def _unfit(self, reading: Reading, answer: KeyAnswer, moment: _Moment) -> Verdict:
        """The verdict on a signature that says it was made with a key which is none of the identity's."""
        signer = answer.keys[0].signer
        reason = _misfit(reading, answer.keys[0])
        if self._doubted(reading, signer, moment):
            verdict = _unproven(reading, SignatureState.UNRESOLVABLE, f"{reason}; asking whether it is new", signer)
            return replace(verdict, waiting=True)
        if not reading.thumbprint or any(held.is_called(reading.thumbprint) for held in answer.keys):
            return _unproven(reading, SignatureState.INVALID, reason, signer)
        return self._unresolved(reading, KeyAnswer(Status.UNKNOWN, reason=reason), moment)

    def _unresolved(self, reading: Reading, answer: KeyAnswer, moment: _Moment) -> Verdict:
        """The verdict on a signature whose key is not there."""
        unknown, waiting = answer.status is Status.UNKNOWN, answer.status is Status.WAITING
        reason = answer.reason
        if unknown and self._keys.doubt(reading.key_id, moment.received):
            unknown, waiting, reason = False, True, f"{reason}; asking whether it is new"
        signer = Signer(identity_of(reading.key_id), key_state=answer.key_state)
        verdict = _unproven(reading, SignatureState.UNRESOLVABLE, reason, signer)
        axes = Axes(SignatureState.UNRESOLVABLE, Freshness.UNCHECKED, answer.key_state, (), unknown)
        return replace(verdict, word=word(axes), waiting=waiting)

    def _doubted(self, reading: Reading, signer: Signer, moment: _Moment) -> bool:
        """Whether somebody is asked again for the keys of a signer whom a signature does not fit.

        Not where it names its key by the thumbprint: that key cannot be rotated, only another one be named.
        """
        if signer.resolution is Resolution.PINNED or signer.fingerprint == key_name(reading.key_id):
            return False
        return self._keys.doubt(reading.key_id, moment.received)


def _unproven(reading: Reading, state: SignatureState, reason: str, signer: Signer | None = None) -> Verdict:
    """A verdict that proves nothing; what the request says of its signer is a claim."""
    if signer is None and reading.key_id:
        signer = Signer(identity_of(reading.key_id))
    axes = Axes(state, Freshness.UNCHECKED, KeyState.UNKNOWN, ())
    evidence = Evidence.CLAIMED if signer is not None else Evidence.ABSENT
    return Verdict(
        word(axes),
        state,
        Freshness.UNCHECKED,
        evidence,
        reading.scheme,
        signer=signer,
        reasons=(reason, *reading.notes),
        profile=reading.profile,
    )


def _misfit(reading: Reading, held: HeldKey) -> str:
    """Why this is not the key that the signature says it was made with; empty when it may be."""
    if reading.thumbprint and not held.is_called(reading.thumbprint):
        return _NOT_AMONG.get(held.signer.resolution, "the identity does not hold the key that the signature names")
    kind = verifier.kind(held.key)
    if reading.algorithm and kind is not None and kind.algorithm != reading.algorithm:
        return f"the signature says that it is made with {reading.algorithm}, and the key is for {kind.algorithm}"
    return ""


def _listed_instead(reading: Reading, answer: KeyAnswer) -> str:
    """What there is to say where the signature names its key by a thumbprint that a JWKS gives to another key."""
    first = answer.keys[0]
    is_other = first.is_misnamed(key_name(reading.key_id))
    return f"the JWKS lists another key ({first.signer.fingerprint}) under this kid" if is_other else ""


def _only_claimed(key_id: str) -> str:
    return f"that the key is of {identity_of(key_id)} is only what the request says"
