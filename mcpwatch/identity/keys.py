"""The key book: which key belongs to an identity, from memory; what it does not know it asks for."""

from collections import OrderedDict
from collections.abc import Callable
from functools import lru_cache

from msgspec.structs import replace

from mcpwatch.bounded import keep
from mcpwatch.identity import ed25519, verifier
from mcpwatch.identity.multikey import decode_multikey
from mcpwatch.identity.resolution import ANOTHERS, KeyAnswer, Resolved, ResolvedKey, Status, held
from mcpwatch.identity.resolver_cache import ResolverCache
from mcpwatch.model.identity import Resolution, Signer

LIMIT = 10_000
"""Identities of each kind (known, refused, waiting, embedded) that are kept; pinned ones are kept always."""
MAX_ID = 512
BARE = ""
"""The prefix, in `resolvable`, of names that say nothing of who is to be asked: thumbprints and kids."""
KEY = "key:"
"""Before the thumbprint of a key that has no other name."""
_REMEDY = "pin it: mcpwatch keys add DID KEY"
_PLACES = ("did:", "https://", "http://")

_TOO_LONG = KeyAnswer(Status.UNAVAILABLE, reason=f"the identity's name is longer than {MAX_ID} characters")
_NO_DID_KEY = KeyAnswer(Status.UNAVAILABLE, reason="the did:key holds no Ed25519 or P-256 key that may be used")
_BAD_EMBEDDED = KeyAnswer(Status.UNAVAILABLE, reason="the key that the request carries is none that may be used")
_OTHER_EMBEDDED = KeyAnswer(Status.UNAVAILABLE, reason="the key that the request carries is not the one it names")


class KeyBook:
    """Keys by identity: pinned by the operator, carried in a did:key or a request, or learnt from a resolver.

    `lookup` takes the time of the request, by the gateway's clock, which decides only how a rotated key stands.
    What is learnt is kept as `ResolverCache` says, by the resolving side's clock, passed to `wanted`, `learn` and
    `failed`. Judging may look things up in one thread while another takes `wanted` and puts the answers in.
    """

    def __init__(self, *, limit: int = LIMIT) -> None:
        self.resolvable: tuple[str, ...] = ()
        """Prefixes of the identities somebody resolves; set by the resolver."""
        self.listed: Callable[[str], ResolvedKey | None] = lambda thumbprint: None
        """The key of a thumbprint in the configured JWKS; set by their resolver."""
        self._limit = limit
        self._pins: dict[str, tuple[bytes, ...]] = {}
        self._kids: dict[tuple[str, str], bytes] = {}
        self._by_kid: dict[str, KeyAnswer] = {}
        self._pinned: dict[str, KeyAnswer] = {}
        self._names: dict[str, str] = {}
        self._called: dict[str, str] = {}
        self._resolved = ResolverCache(limit)
        self._embedded: OrderedDict[str, KeyAnswer] = OrderedDict()

    @property
    def notify(self) -> Callable[[], object] | None:
        """Called when there is something in `wanted`."""
        return self._resolved.notify

    @notify.setter
    def notify(self, call: Callable[[], object] | None) -> None:
        self._resolved.notify = call

    def pin(self, id: str, key: bytes, kid: str = "") -> None:
        """Hold `key` to be `id`'s, whatever others say; an identity may have several pinned keys.

        Signatures may call it by `kid` too, unless that is pinned itself or is the thumbprint of a known key.
        Raises ValueError when `key` is not a public key that may be used.
        """
        if not verifier.good_key(key):
            raise ValueError("not an Ed25519 or P-256 public key that may be used")
        if key not in self._pins.get(id, ()):
            self._pins[id] = (key, *self._pins.get(id, ()))
            self._index_pins()
        if kid:
            self._kids[id, kid] = key
            self._index_pins()

    def unpin(self, id: str) -> None:
        """Forget the pinned keys of `id`."""
        if self._pins.pop(id, None):
            self._kids = {named: key for named, key in self._kids.items() if named[0] != id}
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
        self._called = {called.casefold(): one for one, called in self._names.items()}

    def name_of(self, id: str) -> str:
        """What the operator calls `id`, whether it was seen or not; empty for nothing."""
        return self._names.get(id, "")

    def called(self, name: str, now: float) -> tuple[Signer, ...]:
        """Whom the operator calls so, in whatever case, with each key that is known of it; empty where none is."""
        id = self._called.get(name.casefold())
        return () if id is None else self.signers(id, now)

    def signers(self, id: str, now: float) -> tuple[Signer, ...]:
        """`id` with each key that is known of it."""
        return tuple(key.signer for key in self.lookup(id, now).keys)

    def lookup(self, id: str, now: float, embedded: bytes = b"") -> KeyAnswer:
        """The keys of `id`: a DID, a DID URL, a URL, a pinned name, a kid, or a thumbprint, bare or as `key:…`.

        `embedded` is the key that the request itself carries. It counts only for an `id` that is made of it, and is
        remembered, so that later requests may name it by its thumbprint alone.
        """
        answer = self._find(id, now, embedded)
        if not self._names or not answer.keys or (name := self._names.get(answer.keys[0].signer.id)) is None:
            return answer
        return replace(answer, keys=tuple(replace(key, signer=replace(key.signer, name=name)) for key in answer.keys))

    def history(self, id: str) -> tuple[ResolvedKey, ...]:
        """All keys known of `id`, the current one first, with since when and until when where somebody said so."""
        pins = self._pinned.get(id) or self._pinned.get(identity_of(id))
        if pins is not None:
            return tuple(ResolvedKey(key.key) for key in pins.keys)
        identity = identity_of(id)
        answer = _did_key(identity) if identity.startswith(ed25519.DID_KEY) else self._embedded.get(_bare(identity))
        if answer is not None:
            return tuple(ResolvedKey(key.key) for key in answer.keys)
        return self._resolved.history(_bare(identity))

    def doubt(self, id: str, since: float) -> bool:
        """Ask again about a learnt identity, whose known keys do not fit a signature that came at `since`.

        True when that is to be decided by an answer to come; False when the known keys were asked for after the
        signature came, so that they are all there is, or nobody is asked. `since` is in seconds since the epoch.
        """
        return self._resolved.doubt(_bare(identity_of(id)), since)

    def is_failing(self, id: str) -> bool:
        """Whether nobody could be asked about an identity the last time."""
        return self._resolved.is_failing(_bare(identity_of(id)))

    def wanted(self, now: float) -> list[str]:
        """The identities to resolve; each is named once in its period. Whoever takes them says what came of it."""
        return self._resolved.wanted(now)

    def learn(self, id: str, resolved: Resolved, now: float, as_of: float = float("inf")) -> None:
        """Take a resolver's definite answer; keys that may not be used are left out.

        `as_of` is when it was asked, seconds since the epoch; by default the answer holds for all time.
        """
        self._resolved.learn(id, resolved, now, as_of)

    def failed(self, id: str, reason: str, now: float, after_s: float | None = None) -> bool:
        """Note that nobody could be asked; whether that says anything that was not known.

        What is known stays, and the identity is asked for again after `after_s`, or 60 s.
        """
        return self._resolved.failed(id, reason, now, after_s)

    def postponed(self, id: str, now: float, after_s: float) -> None:
        """Note that it is not this identity's turn yet; nothing else changes."""
        self._resolved.postponed(id, now, after_s)

    def jwks_changed(self) -> None:
        """Ask again for all that the configured JWKS were asked for."""
        self._resolved.stale(lambda id: not id.startswith(_PLACES))

    def ask_failed(self, prefix: str) -> None:
        """Ask again for the identities of a prefix that nobody could be asked for: somebody answers again."""
        self._resolved.stale(lambda id: id.startswith(prefix) and self._resolved.is_failing(id))

    def _find(self, id: str, now: float, embedded: bytes) -> KeyAnswer:
        pinned = self._pinned.get(id)
        if pinned is not None:
            return pinned
        if len(id) > MAX_ID:
            return _TOO_LONG
        if id.startswith(_PLACES):
            identity, _, fragment = id.partition("#")
            return self._found(identity, fragment, now)
        bare = _bare(id)
        pinned = self._pinned.get(bare)
        if pinned is not None:
            return pinned
        if embedded:
            return self._find_embedded(bare, embedded, now)
        known = self._embedded.get(bare)
        if known is None and self.listed(bare) is None:
            known = self._by_kid.get(bare)
        return known or self._found(bare, "", now)

    def _found(self, id: str, fragment: str, now: float) -> KeyAnswer:
        pinned = self._pinned.get(id)
        if pinned is not None:
            return pinned
        if id.startswith(ed25519.DID_KEY):
            return _did_key(id)
        answer = self._resolved.get(id, now, fragment)
        if answer is not None:
            taken = answer.keys and answer.keys[0].is_misnamed(fragment) and self._is_known(fragment)
            return KeyAnswer(Status.UNKNOWN, reason=ANOTHERS) if taken else answer
        if self._is_resolvable(id):
            return self._resolved.want(id)
        return KeyAnswer(Status.UNAVAILABLE, reason=_why_nobody(id))

    def _find_embedded(self, thumbprint: str, key: bytes, now: float) -> KeyAnswer:
        known = self._embedded.get(thumbprint)
        if known is None:
            if not verifier.good_key(key):
                return _BAD_EMBEDDED
            if verifier.fingerprint(key) != thumbprint:
                return _OTHER_EMBEDDED
            known = KeyAnswer(Status.FOUND, (held(KEY + thumbprint, key, Resolution.EMBEDDED),))
        elif known.keys[0].key != key:
            return _OTHER_EMBEDDED
        keep(self._embedded, thumbprint, known, self._limit)
        listed = self.listed(thumbprint)
        if listed is None or listed.is_early(now):
            return known
        return KeyAnswer(Status.FOUND, (held(KEY + thumbprint, key, Resolution.JWKS, listed.state(now)),))

    def _is_known(self, thumbprint: str) -> bool:
        """Whether a pinned, a remembered or a listed key has this thumbprint."""
        pinned = self._pinned.get(thumbprint)
        is_pinned = pinned is not None and any(key.signer.fingerprint == thumbprint for key in pinned.keys)
        return is_pinned or thumbprint in self._embedded or self.listed(thumbprint) is not None

    def _is_resolvable(self, id: str) -> bool:
        found = any(prefix and id.startswith(prefix) for prefix in self.resolvable)
        return found or (BARE in self.resolvable and not id.startswith(_PLACES))

    def _index_pins(self) -> None:
        """Rebuild the tables of answers; an identity's own name wins over a thumbprint that reads the same."""
        table: dict[str, KeyAnswer] = {}
        by_kid: dict[str, KeyAnswer] = {}
        for (id, kid), key in self._kids.items():
            same = by_kid[kid].keys if kid in by_kid else ()
            by_kid[kid] = KeyAnswer(Status.FOUND, (held(id, key, Resolution.PINNED, kid=kid), *same))
        for id, keys in self._pins.items():
            for key in keys:
                table[verifier.fingerprint(key)] = KeyAnswer(Status.FOUND, (held(id, key, Resolution.PINNED),))
        for id, keys in self._pins.items():
            table[id] = KeyAnswer(Status.FOUND, tuple(held(id, key, Resolution.PINNED) for key in keys))
        self._pinned, self._by_kid = table, by_kid


def identity_of(key_id: str) -> str:
    """The identity that a key id names: a DID URL's DID, a URL without its fragment, or the id itself."""
    return key_id.partition("#")[0] if key_id.startswith(_PLACES) else key_id


def key_name(key_id: str) -> str:
    """What a key id says of the key itself: a URL's fragment, or all of it; a thumbprint comes bare."""
    return _bare(key_id.rpartition("#")[2])


def _bare(id: str) -> str:
    """A thumbprint without what may stand before it."""
    return id.removeprefix(KEY)


@lru_cache(maxsize=4096)
def _did_key(id: str) -> KeyAnswer:
    key = decode_multikey(id.removeprefix(ed25519.DID_KEY))
    return _NO_DID_KEY if key is None else KeyAnswer(Status.FOUND, (held(id, key, Resolution.DID_KEY),))


_NOT_ASKED: tuple[tuple[str, str], ...] = (
    (ed25519.DID_AIP, "no registry is configured for did:aip (identity.registry)"),
    ("did:web:", "did:web is not asked for unless the configuration says so (identity.did_web)"),
    ("https://", "key directories are not asked for unless the configuration says so (identity.directories)"),
    ("http://", "a key directory is asked over https only"),
)


def _why_nobody(id: str) -> str:
    for prefix, reason in _NOT_ASKED:
        if id.startswith(prefix):
            return f"{reason}, and no key is pinned for it; {_REMEDY}"
    if id.startswith("did:"):
        return f"nobody here resolves {':'.join(id.split(':')[:2])}, and no key is pinned for it; {_REMEDY}"
    return f"no key is pinned under this name; {_REMEDY}"
