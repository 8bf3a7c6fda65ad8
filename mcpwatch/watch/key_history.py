"""The keys of one identity over time: what others say of them beside what was seen here."""

from collections.abc import Sequence

from msgspec import Struct

from mcpwatch.identity.resolution import ResolvedKey
from mcpwatch.identity.verifier import fingerprint
from mcpwatch.model.identity import KeyState
from mcpwatch.watch.identity import Identity, SeenKey


class KnownKey(Struct, frozen=True):
    """One key of an identity; times in seconds since the epoch."""

    fingerprint: str
    state: KeyState
    since: float | None = None
    """Since when it is the identity's, as whoever was asked asserts."""
    until: float | None = None
    """Until when it was, on the same word; None for a key in force."""
    seen: SeenKey | None = None
    """When it was seen to sign here; None where it never was."""


def key_history(identity: Identity, resolved: Sequence[ResolvedKey], now: float) -> tuple[KnownKey, ...]:
    """Every key that somebody named or that signed here, what is in force first; `now` is the gateway's time."""
    told = {fingerprint(key.key): key for key in resolved}
    keys = [
        KnownKey(digest, key.state(now), key.valid_from, key.valid_until, identity.keys.get(digest))
        for digest, key in told.items()
    ]
    for digest, seen in reversed(identity.keys.items()):
        if digest not in told:
            state = identity.key_state if digest == identity.fingerprint else KeyState.UNKNOWN
            keys.append(KnownKey(digest, state, seen=seen))
    return tuple(keys)


class Known(Struct, frozen=True):
    """What is known of a signer's key beside the signature."""

    key: KnownKey | None = None
    place: str = ""
    """Where the key was asked for; empty where nobody had to be asked, or the identity itself says."""
