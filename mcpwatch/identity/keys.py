"""The key book: which key belongs to an identity, from memory; what it does not know it asks for."""

from collections import OrderedDict
from collections.abc import Callable
from functools import lru_cache

from msgspec.structs import replace

from mcpwatch.bounded import keep
from mcpwatch.identity import ed25519, verifier
from mcpwatch.identity.answers import HeldKey, KeyAnswer, Resolved, Status, held
from mcpwatch.model.identity import KeyState, Resolution

POSITIVE_S = 300.0
NEGATIVE_S = 60.0
LIMIT = 10_000
"""Identities of each kind (known, refused, waiting) that are kept; pinned ones are kept always."""
_REMEDY = "pin it: mcpwatch keys add DID KEY"
MAX_ID = 512
MAX_KEYS = 8
"""Keys of one identity that are tried: the newest."""

_WAITING = KeyAnswer(Status.WAITING, reason="the key is being fetched")
_TOO_LONG = KeyAnswer(Status.UNAVAILABLE, reason=f"the identity's name is longer than {MAX_ID} characters")
_CROWDED = KeyAnswer(Status.UNAVAILABLE, reason=f"more than {LIMIT} identities are waiting for their keys")
_NO_DID_KEY = KeyAnswer(Status.UNAVAILABLE, reason="the did:key holds no Ed25519 key that may be used")
_NEVER = float("-inf")


class _Known:
    """A resolver's keys for one identity."""

    __slots__ = ("answer", "asked", "doubted", "keys", "used")

    def __init__(self, id: str, resolved: Resolved, now: float) -> None:
        self.asked = now
        self.used = False
        self.doubted = False
        self.keys = resolved.keys
        self.answer = KeyAnswer(Status.FOUND, tuple(held(id, key.key, resolved.resolution) for key in resolved.keys))

    def at(self, now: float) -> KeyAnswer:
        """The answer for a request of the time `now`."""
        answer = self.answer
        if len(self.keys) == 1:
            return answer
        dated = (_dated(item, key.state(now)) for item, key in zip(answer.keys, self.keys, strict=True))
        return KeyAnswer(answer.status, tuple(dated), answer.reason)


def _dated(item: HeldKey, state: KeyState) -> HeldKey:
    return item if state is item.signer.key_state else HeldKey(item.key, replace(item.signer, key_state=state))


class _Refused:
    """No key for one identity, and why."""

    __slots__ = ("answer", "asked", "used")

    def __init__(self, answer: KeyAnswer, now: float, used: bool) -> None:
        self.answer = answer
        self.asked = now
        self.used = used


class KeyBook:
    """Keys by identity: pinned by the operator, carried in a did:key, or learnt from a resolver.

    `lookup` takes the time of the request, by the gateway's clock, which decides only how a rotated key stands.
    Caches run on the resolving side's clock, passed to `wanted`, `learn` and `failed`: an answer is asked for again
    after 300 s (60 s where there was none) if it was used meanwhile, and stays in use until the new one is there.
    Judging may look things up in one thread while another takes `wanted` and puts the answers in.
    """

    def __init__(self, *, limit: int = LIMIT) -> None:
        self.resolvable: tuple[str, ...] = ()
        """Prefixes of the identities somebody resolves; set by the resolver."""
        self.notify: Callable[[], object] | None = None
        """Called when there is something in `wanted`."""
        self._limit = limit
        self._pins: dict[str, tuple[bytes, ...]] = {}
        self._pinned: dict[str, KeyAnswer] = {}
        self._names: dict[str, str] = {}
        self._known: OrderedDict[str, _Known] = OrderedDict()
        self._refused: OrderedDict[str, _Refused] = OrderedDict()
        self._waiting: OrderedDict[str, float] = OrderedDict()
        self._now: float | None = None

    def pin(self, id: str, key: bytes) -> None:
        """Hold `key` to be `id`'s, whatever others say; an identity may have several pinned keys.

        Raises ValueError when `key` is not an Ed25519 key that may be used.
        """
        if not verifier.good_key(key):
            raise ValueError("not an Ed25519 public key that may be used")
        if key not in self._pins.get(id, ()):
            self._pins[id] = (key, *self._pins.get(id, ()))
            self._index_pins()

    def unpin(self, id: str) -> None:
        """Forget the pinned keys of `id`."""
        if self._pins.pop(id, None):
            self._index_pins()

    @property
    def pinned(self) -> dict[str, tuple[bytes, ...]]:
        """The pinned keys by identity, the last one pinned first."""
        return dict(self._pins)

    def name(self, id: str, name: str) -> None:
        """Call the signer `id` so; an empty name takes its name away."""
        if name:
            self._names[id] = name
        else:
            self._names.pop(id, None)

    def lookup(self, id: str, now: float, *, embedded: bytes = b"") -> KeyAnswer:
        """The keys of `id`: a DID, a DID URL, a pinned name, or the RFC 7638 thumbprint of a pinned key.

        `embedded` is the key that the request itself carries, which `id` is then made of.
        """
        answer = self._find(id, now)
        if embedded and answer.status is not Status.FOUND:
            answer = KeyAnswer(Status.FOUND, (held(id, embedded, Resolution.EMBEDDED),))
        if not self._names or not answer.keys or (name := self._names.get(answer.keys[0].signer.id)) is None:
            return answer
        return replace(answer, keys=tuple(HeldKey(key.key, replace(key.signer, name=name)) for key in answer.keys))

    def _find(self, id: str, now: float) -> KeyAnswer:
        pinned = self._pinned.get(id)
        if pinned is not None:
            return pinned
        if len(id) > MAX_ID:
            return _TOO_LONG
        if "#" in id and (identity := identity_of(id)) != id:
            return self._find(identity, now)
        if id.startswith(ed25519.DID_KEY):
            return _did_key(id)
        known = self._known.get(id)
        if known is not None:
            known.used = True
            return known.at(now)
        return self._missing(id)

    def doubt(self, id: str) -> bool:
        """Ask again about a learnt identity, whose known keys a signature just failed with.

        True when an answer is on its way; False when the known keys are less than 60 s old, or nobody is asked.
        """
        known = self._known.get(identity_of(id))
        if known is None or self._now is None:
            return False
        if not known.doubted and self._now - known.asked < NEGATIVE_S:
            return False
        known.doubted = True
        self._tell()
        return True

    def wanted(self, now: float) -> list[str]:
        """The identities to resolve; each is named once in its period. Whoever takes them calls `learn` or `failed`."""
        self._now = now
        due = [id for id, asked in list(self._waiting.items()) if now - asked >= NEGATIVE_S]
        for id in due:
            self._waiting[id] = now
        for id, refused in list(self._refused.items()):
            if refused.used and now - refused.asked >= NEGATIVE_S:
                refused.asked = now
                due.append(id)
        for id, known in list(self._known.items()):
            age = now - known.asked
            if (age >= POSITIVE_S and known.used) or (age >= NEGATIVE_S and known.doubted):
                known.asked = now
                due.append(id)
        return due

    def learn(self, id: str, resolved: Resolved, now: float) -> None:
        """Take a resolver's definite answer; keys that may not be used are left out."""
        keys = tuple(key for key in resolved.keys[:MAX_KEYS] if verifier.good_key(key.key))
        refused = self._refused.get(id)
        if keys:
            keep(self._known, id, _Known(id, Resolved(resolved.resolution, keys), now), self._limit)
            self._refused.pop(id, None)
            self._waiting.pop(id, None)
            return
        before = self._known.pop(id, None)
        gone = before is not None or (refused is not None and refused.answer.key_state is KeyState.GONE)
        reason = resolved.reason or "there is no such identity"
        state = KeyState.GONE if gone else KeyState.UNKNOWN
        if gone:
            reason = f"an identity that was known before is gone: {reason}"
        keep(self._refused, id, _Refused(KeyAnswer(Status.UNKNOWN, (), reason, state), now, False), self._limit)
        self._waiting.pop(id, None)

    def failed(self, id: str, reason: str, now: float) -> None:
        """Note that nobody could be asked; what is known stays, and the identity is asked for again after 60 s."""
        known = self._known.get(id)
        if known is not None:
            known.asked = now
            known.doubted = False
            known.answer = replace(known.answer, reason=f"its key could not be fetched again: {reason}")
            self._waiting.pop(id, None)
            return
        keep(self._refused, id, _Refused(KeyAnswer(Status.UNAVAILABLE, (), reason), now, True), self._limit)
        self._waiting.pop(id, None)

    def _missing(self, id: str) -> KeyAnswer:
        refused = self._refused.get(id)
        if refused is not None:
            refused.used = True
            return refused.answer
        if id in self._waiting:
            return _WAITING
        if not id.startswith(self.resolvable):
            return KeyAnswer(Status.UNAVAILABLE, reason=_why_nobody(id))
        if len(self._waiting) >= self._limit:
            return _CROWDED
        self._waiting[id] = _NEVER
        self._tell()
        return _WAITING

    def _tell(self) -> None:
        if self.notify is not None:
            self.notify()

    def _index_pins(self) -> None:
        """Rebuild the table of answers; an identity's own name wins over a thumbprint that reads the same."""
        table: dict[str, KeyAnswer] = {}
        for id, keys in self._pins.items():
            for key in keys:
                table[verifier.fingerprint(key)] = KeyAnswer(Status.FOUND, (held(id, key, Resolution.PINNED),))
        for id, keys in self._pins.items():
            table[id] = KeyAnswer(Status.FOUND, tuple(held(id, key, Resolution.PINNED) for key in keys))
        self._pinned = table


def identity_of(key_id: str) -> str:
    """The identity that a key id names: a DID URL's DID, a URL without its fragment, or the id itself."""
    return key_id.partition("#")[0] if key_id.startswith(("did:", "https://", "http://")) else key_id


@lru_cache(maxsize=4096)
def _did_key(id: str) -> KeyAnswer:
    key = ed25519.key_of_did_key(id)
    return _NO_DID_KEY if key is None else KeyAnswer(Status.FOUND, (held(id, key, Resolution.DID_KEY),))


def _why_nobody(id: str) -> str:
    if id.startswith(ed25519.DID_AIP):
        return f"no registry is configured for did:aip, and no key is pinned for it; {_REMEDY}"
    if id.startswith("did:"):
        return f"nobody here resolves {':'.join(id.split(':')[:2])}, and no key is pinned for it; {_REMEDY}"
    return f"no key is pinned under this name; {_REMEDY}"
