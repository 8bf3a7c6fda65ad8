"""What a key book and a resolver say about an identity."""

from enum import Enum

from msgspec import Struct

from mcpwatch.identity import verifier
from mcpwatch.model.identity import KeyState, Resolution, Signer

GRACE_S = 600
"""How long after its rotation a key is still taken for the signer's."""
EARLY_S = 300
"""How long before its start a key is taken already: as long as a signature may be old."""
NOT_YET = "it does not count yet, as its nbf says"
ANOTHERS = "its kid is the thumbprint (RFC 7638) of another key, and not its own"


class Status(Enum):
    FOUND = "found"
    WAITING = "waiting"
    """Somebody was asked, or will be."""
    UNKNOWN = "unknown"
    """Whoever must know says that there is no such identity."""
    UNAVAILABLE = "unavailable"
    """Nobody is there to be asked."""


class HeldKey(Struct, frozen=True):
    """A key that may have signed, with the identity it would prove."""

    key: bytes
    signer: Signer
    kid: str = ""
    """What a JWKS calls it, which may have the shape of another key's thumbprint."""

    def is_called(self, name: str) -> bool:
        """Whether a signature means this key by `name`, a thumbprint or a kid of that shape."""
        return bool(name) and name in (self.signer.fingerprint, self.kid)

    def is_misnamed(self, name: str) -> bool:
        """Whether `name`, read as a thumbprint, is that of another key, and this one has it for its kid."""
        return name == self.kid and verifier.is_misnomer(name, self.key)


class KeyAnswer(Struct, frozen=True):
    """What the key book says about an identity at one moment."""

    status: Status
    keys: tuple[HeldKey, ...] = ()
    """The current key first."""
    reason: str = ""
    key_state: KeyState = KeyState.UNKNOWN
    """GONE when an identity that was known is no longer."""


class ResolvedKey(Struct, frozen=True):
    """A key that a resolver found."""

    key: bytes
    valid_until: float | None = None
    """Seconds since the epoch of its rotation; None for the current key."""
    valid_from: float | None = None
    """Since when it is the identity's, as far as whoever was asked says so."""
    name: str = ""
    """Its own name within the identity: the fragment of a key id; empty where keys have none."""

    @property
    def thumbprint(self) -> str:
        """RFC 7638."""
        return verifier.fingerprint(self.key)

    def is_early(self, now: float) -> bool:
        """Whether it does not count yet at `now`, however the clocks differ."""
        return self.valid_from is not None and now < self.valid_from - EARLY_S

    def state(self, now: float) -> KeyState:
        """How this key stands at `now`; a key was current until it was rotated."""
        if self.valid_until is None or now <= self.valid_until:
            return KeyState.CURRENT
        return KeyState.GRACE if now <= self.valid_until + GRACE_S else KeyState.SUPERSEDED


class Resolved(Struct, frozen=True):
    """A definite answer of a resolver; no keys means that there is no such identity."""

    resolution: Resolution
    keys: tuple[ResolvedKey, ...] = ()
    """The current key first."""
    reason: str = ""
    refused: tuple[tuple[str, str], ...] = ()
    """Keys that were left out: name and reason."""
    id: str = ""
    """What the signer is called, where that is not what was asked for."""


class Unavailable(Exception):
    """A resolver got no answer, or none that makes sense."""

    def __init__(self, reason: str, after_s: float | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.after_s = after_s
        """Seconds after which it makes sense to ask again; None where nobody said."""


class ThrottledError(Unavailable):
    """Nobody was asked, because it is not our turn."""


def held(id: str, key: bytes, resolution: Resolution, state: KeyState = KeyState.CURRENT, *, kid: str = "") -> HeldKey:
    """`key` as the key of `id`."""
    return HeldKey(key, Signer(id, verifier.fingerprint(key), resolution, state), kid)
