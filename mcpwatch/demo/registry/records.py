"""What the registry holds: identities with their keys, and who vouches for whom."""

from collections.abc import Iterable
from datetime import UTC, datetime

from msgspec import Struct

from mcpwatch.encoding import decode_base64
from mcpwatch.identity import ed25519, verifier


class KeyPeriod(Struct):
    """A key while it is, or was, an identity's."""

    public_key: str
    """32 octets, standard base64."""
    valid_from: datetime
    valid_until: datetime | None = None
    """None for the current key."""


class Registration(Struct):
    """An identity."""

    did: str
    username: str
    keys: list[KeyPeriod]
    """The oldest first; the DID derives from it."""

    @property
    def current(self) -> KeyPeriod:
        return self.keys[-1]


class Vouch(Struct, frozen=True):
    """An identity's signed word for another."""

    vouch_id: str
    voucher_did: str
    target_did: str
    scope: str
    statement: str
    created_at: datetime
    signature: str
    """Standard base64, over `signed_text`."""
    expires_at: datetime | None = None


class Opening(Struct):
    """What a registry begins with."""

    system: str
    """The DID that bids every identity welcome, which says nothing about it."""
    registrations: list[Registration]
    vouches: list[Vouch]


class RefusedError(Exception):
    """A request that the registry does not grant."""


class Records:
    """Everything registered, and the changes that agents may ask for."""

    def __init__(self, opening: Opening) -> None:
        self.system = opening.system
        self.vouches = {vouch.vouch_id: vouch for vouch in opening.vouches}
        self._held = {one.did: one for one in opening.registrations}

    def __len__(self) -> int:
        return len(self._held)

    def get(self, did: str) -> Registration | None:
        return self._held.get(did)

    def vouches_for(self, did: str, now: datetime) -> list[Vouch]:
        """Those that speak of `did` and have not run out."""
        return [vouch for vouch in self._standing(now) if vouch.target_did == did]

    def vouches_by(self, did: str, now: datetime) -> list[Vouch]:
        """Those that `did` gave and that have not run out."""
        return [vouch for vouch in self._standing(now) if vouch.voucher_did == did]

    def register(self, did: str, public_key: str, username: str, now: datetime) -> None:
        """Take in a new identity. Raises RefusedError."""
        key = decode_base64(public_key)
        if key is None or not ed25519.good_key(key) or ed25519.did_aip(key) != did:
            raise RefusedError("DID does not match public key. DID must be derived from the key.")
        if did in self._held or any(one.username == username for one in self._held.values()):
            raise RefusedError("Already registered")
        self._held[did] = Registration(did, username, [KeyPeriod(public_key, now)])

    def rotate(self, did: str, new_key: str, signature: str, now: datetime) -> None:
        """Replace an identity's key; its present key signs `rotate:NEW`. Raises RefusedError."""
        held = self._held.get(did)
        key, mark = decode_base64(new_key), decode_base64(signature)
        if held is None or key is None or mark is None or not ed25519.good_key(key):
            raise RefusedError("DID not registered, or no usable key")
        present = decode_base64(held.current.public_key)
        if present is None or not verifier.verify(present, f"rotate:{new_key}".encode(), mark):
            raise RefusedError("Invalid signature")
        held.current.valid_until = now
        held.keys.append(KeyPeriod(new_key, now))

    def _standing(self, now: datetime) -> Iterable[Vouch]:
        return (vouch for vouch in self.vouches.values() if vouch.expires_at is None or vouch.expires_at > now)


def signed_text(voucher: str, target: str, scope: str, statement: str) -> bytes:
    """The octets that a voucher signs."""
    return f"{voucher}|{target}|{scope}|{statement}".encode()


def present() -> datetime:
    """The time, with its zone."""
    return datetime.now(UTC)
