"""What resolvers said about identities: kept for a while, asked for again in the background, bounded."""

from collections import OrderedDict
from collections.abc import Callable
from itertools import islice

from msgspec.structs import replace

from mcpwatch.bounded import keep
from mcpwatch.identity import verifier
from mcpwatch.identity.resolution import NOT_YET, HeldKey, KeyAnswer, Resolved, ResolvedKey, Status, held
from mcpwatch.model.identity import KeyState, Resolution

POSITIVE_S = 300.0
NEGATIVE_S = 60.0
LONGEST_S = 960.0
"""Longest time between two questions about an identity that nobody could be asked for."""
LEAST_S = 1.0
"""Shortest time between two questions, whatever an answer asks for."""
MAX_KEYS = 64
"""Keys of one identity that are kept: the first, which are the newest; and as many that do not count."""
MAX_PAST = 8
"""Keys that are remembered of an identity that is gone."""
MAX_HELD = 50_000
"""Keys of all known identities together, with those that do not count."""
MAX_NAME = 512
"""Characters of a key's name: no request gives a longer one."""

_SETS = (Resolution.JWKS, Resolution.DIRECTORY)
"""Whose keys have a kid, and do not count before their `nbf`; a registry's start is when it was told of the key."""
_KINDS = ("did:aip:", "did:web:", "https://", "http://", "")
"""Beginnings of identities whose keys wait apart: names made up for one of them crowd no other one out."""
_WAITING = KeyAnswer(Status.WAITING, reason="the key is being fetched")


class _Known:
    """A resolver's keys for one identity."""

    __slots__ = (
        *(
            "answer",
            "as_of",
            "asked",
            "doubted",
            "due",
            "has_starts",
            "is_failing",
            "is_settled",
            "names",
            "resolved",
            "used",
            "weight",
        ),
    )

    def __init__(self, id: str, resolved: Resolved, now: float, as_of: float) -> None:
        self.as_of = as_of
        """When the question was put that this answers, seconds since the epoch."""
        self.asked = now
        """When an answer last came, or none, by the resolving side's clock."""
        self.due = now + POSITIVE_S
        self.used = False
        self.doubted = False
        self.is_failing = False
        self.resolved = resolved
        keys = resolved.keys
        kids = [key.name if resolved.resolution in _SETS else "" for key in keys]
        found = (held(id, key.key, resolved.resolution, kid=kid) for key, kid in zip(keys, kids, strict=True))
        self.answer = KeyAnswer(Status.FOUND, tuple(found))
        self.weight = len(keys) + len(resolved.refused)
        self.has_starts = resolved.resolution in _SETS and any(key.valid_from is not None for key in keys)
        self.is_settled = not self.has_starts and all(key.valid_until is None for key in keys)
        self.names = any(key.name for key in keys) or bool(resolved.refused)

    def at(self, now: float, fragment: str) -> KeyAnswer:
        """The answer for a request of the time `now`, about the one key that `fragment` names where keys have names."""
        answer = self.answer
        if self.is_settled and not (self.names and fragment):
            return answer
        keys = self.resolved.keys
        pairs = list(zip(answer.keys, keys, strict=True))
        if self.names and fragment:
            pairs = [(item, key) for item, key in pairs if fragment in (key.name, item.signer.fingerprint)]
            if not pairs:
                reason = dict(self.resolved.refused).get(fragment, "it has no key of the name that the signature gives")
                return KeyAnswer(Status.UNKNOWN, (), reason)
        if self.has_starts:
            pairs = [(item, key) for item, key in pairs if not key.is_early(now)]
            if not pairs:
                return KeyAnswer(Status.UNKNOWN, (), NOT_YET)
        return KeyAnswer(answer.status, tuple(_dated(item, key.state(now)) for item, key in pairs), answer.reason)


def _dated(item: HeldKey, state: KeyState) -> HeldKey:
    return item if state is item.signer.key_state else replace(item, signer=replace(item.signer, key_state=state))


class _Refused:
    """No key for one identity, and why."""

    __slots__ = ("answer", "due", "failures", "past", "used")

    def __init__(self, answer: KeyAnswer, due: float, used: bool, past: tuple[ResolvedKey, ...] = ()) -> None:
        self.failures = 0
        """How often nobody could be asked."""
        self.answer = answer
        self.due = due
        self.used = used
        self.past = past


class ResolverCache:
    """Answers by identity: known, refused, waiting, each bounded so that none pushes out another kind.

    Times are seconds of the resolving side's clock. An answer is due again after 300 s (60 s where there was none) if
    it was used meanwhile, and stays in use until the new one is there; a failure takes nothing away.
    """

    def __init__(self, limit: int) -> None:
        self.notify: Callable[[], object] | None = None
        """Called when there is something in `wanted`."""
        self._limit = limit
        self._crowded = KeyAnswer(
            Status.UNAVAILABLE, reason=f"more than {limit} identities of its kind are waiting for their keys"
        )
        self._known: OrderedDict[str, _Known] = OrderedDict()
        self._refused: OrderedDict[str, _Refused] = OrderedDict()
        self._waiting: dict[str, dict[str, float]] = {kind: {} for kind in _KINDS}
        self._held = 0
        self._now: float | None = None

    def get(self, id: str, now: float, fragment: str = "") -> KeyAnswer | None:
        """What is known about `id`; None when nobody was asked yet. `now` is the request's time."""
        known = self._known.get(id)
        if known is not None:
            known.used = True
            return known.at(now, fragment)
        refused = self._refused.get(id)
        if refused is not None:
            refused.used = True
            return refused.answer
        return _WAITING if id in self._waits(id) else None

    def want(self, id: str) -> KeyAnswer:
        """Ask for `id`."""
        waiting = self._waits(id)
        if len(waiting) >= self._limit:
            return self._crowded
        waiting[id] = float("-inf")
        self._tell()
        return _WAITING

    def doubt(self, id: str, since: float) -> bool:
        """Ask again about a known identity, no sooner than 60 s after the last time, unless it was asked for since.

        `since` is in seconds since the epoch. False when that is so, or nobody asks, or a JWKS is what is known: the
        configured ones are looked after by themselves.
        """
        known = self._known.get(id)
        if known is None or self._now is None or known.as_of > since or known.resolved.resolution is Resolution.JWKS:
            return False
        if not known.doubted:
            known.doubted = True
            known.due = min(known.due, known.asked + NEGATIVE_S)
            self._tell()
        return True

    def history(self, id: str) -> tuple[ResolvedKey, ...]:
        """All keys that were named for `id`, the current one first; also those of one that is gone."""
        known = self._known.get(id)
        if known is not None:
            return known.resolved.keys
        refused = self._refused.get(id)
        return refused.past if refused is not None else ()

    def wanted(self, now: float) -> list[str]:
        """The identities to ask for; each is named once in its period. Whoever takes them says what came of it."""
        self._now = now
        due: list[str] = []
        for waiting in self._waiting.values():
            ready = [id for id, since in list(waiting.items()) if now >= since]
            waiting.update(dict.fromkeys(ready, now + NEGATIVE_S))
            due += ready
        for id, refused in list(self._refused.items()):
            if refused.used and now >= refused.due:
                refused.due = now + NEGATIVE_S
                due.append(id)
        for id, known in list(self._known.items()):
            if now >= known.due and (known.used or known.doubted):
                known.due = now + NEGATIVE_S
                due.append(id)
        return due

    def learn(self, id: str, resolved: Resolved, now: float, as_of: float) -> None:
        """Take a definite answer to a question that was put at `as_of`; keys that may not be used are left out."""
        resolved = _bounded(resolved)
        keys = resolved.keys
        refused = self._refused.get(id)
        if keys:
            self._put(id, _Known(resolved.id or id, resolved, now, as_of))
            self._refused.pop(id, None)
            self._waits(id).pop(id, None)
            return
        before = self._drop(id)
        gone = before is not None or (refused is not None and refused.answer.key_state is KeyState.GONE)
        past = before.resolved.keys[:MAX_PAST] if before is not None else refused.past if refused is not None else ()
        reason = resolved.reason or "there is no such identity"
        if gone:
            reason = f"an identity that was known before is gone: {reason}"
        answer = KeyAnswer(Status.UNKNOWN, (), reason, KeyState.GONE if gone else KeyState.UNKNOWN)
        keep(self._refused, id, _Refused(answer, now + NEGATIVE_S, False, past), self._limit)
        self._waits(id).pop(id, None)

    def failed(self, id: str, reason: str, now: float, after_s: float | None = None) -> bool:
        """Note that nobody could be asked; whether that says anything that was not known.

        What is known stays. Who is not known waits on, and is asked for again after `after_s`, or after 60 s and then
        after ever longer, up to 16 minutes.
        """
        known = self._known.get(id)
        if known is not None:
            before, after = known.answer, f"its key could not be fetched again: {reason}"
            known.asked, known.is_failing = now, True
            known.due = now + max(after_s or 0.0, NEGATIVE_S if known.doubted else POSITIVE_S)
            known.answer = replace(before, reason=after)
            self._waits(id).pop(id, None)
            return before.reason != after
        refused = self._refused.get(id)
        failures = refused.failures if refused is not None else 0
        pause = min(NEGATIVE_S * 2**failures, LONGEST_S) if after_s is None else max(after_s, LEAST_S)
        if refused is not None and refused.answer.status is Status.UNKNOWN:
            refused.due, refused.failures = now + pause, failures + 1
            return False
        item = _Refused(KeyAnswer(Status.WAITING, (), reason), now + pause, True)
        item.failures = failures + 1
        keep(self._refused, id, item, self._limit)
        self._waits(id).pop(id, None)
        return refused is None or refused.answer.reason != reason

    def postponed(self, id: str, now: float, after_s: float) -> None:
        """Note that it is not this identity's turn yet; nothing else changes."""
        due = now + max(after_s, LEAST_S)
        known, refused = self._known.get(id), self._refused.get(id)
        if known is not None:
            known.due = due
        elif refused is not None:
            refused.due = due
        elif id in self._waits(id):
            self._waits(id)[id] = due

    def is_failing(self, id: str) -> bool:
        """Whether nobody could be asked for `id` the last time."""
        known, refused = self._known.get(id), self._refused.get(id)
        return known.is_failing if known is not None else refused is not None and refused.failures > 0

    def stale(self, concerned: Callable[[str], bool]) -> None:
        """Ask again, as soon as may be, for the identities whose answers are out of date."""
        items: list[tuple[str, _Known | _Refused]] = [*self._known.items(), *self._refused.items()]
        for id, item in items:
            if concerned(id):
                item.due, item.used = float("-inf"), True
        self._tell()

    def _waits(self, id: str) -> dict[str, float]:
        """Those that wait, of the kind of `id`, with when they are to be asked for."""
        return next(self._waiting[kind] for kind in _KINDS if id.startswith(kind))

    def _put(self, id: str, known: _Known) -> None:
        """Keep an answer as the newest, and let the oldest ones go where there are too many, or too many keys."""
        before = self._known.get(id)
        self._known[id] = known
        self._known.move_to_end(id)
        self._held += known.weight - (before.weight if before is not None else 0)
        while len(self._known) > self._limit or (self._held > MAX_HELD and len(self._known) > 1):
            self._held -= self._known.popitem(last=False)[1].weight

    def _drop(self, id: str) -> _Known | None:
        known = self._known.pop(id, None)
        self._held -= known.weight if known is not None else 0
        return known

    def _tell(self) -> None:
        if self.notify is not None:
            self.notify()


def _bounded(resolved: Resolved) -> Resolved:
    """The part of an answer that is kept: keys that may be used, and names that a request can give."""
    keys = (key for key in resolved.keys[:MAX_KEYS] if len(key.name) <= MAX_NAME and verifier.good_key(key.key))
    refused = ((name, reason) for name, reason in resolved.refused if len(name) <= MAX_NAME)
    return replace(resolved, keys=tuple(keys), refused=tuple(islice(refused, MAX_KEYS)))
