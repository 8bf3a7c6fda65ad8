"""Public keys of a log in the form of C2SP signed-note: `NAME+ID+KEY`."""

import base64
from hashlib import sha256

from msgspec import Struct
from nacl.exceptions import CryptoError
from nacl.signing import VerifyKey

from mcpwatch.encoding import decode_base64

PLAIN = 0x01
"""Ed25519 over the note's text."""
TIMED = 0x04
"""Ed25519 cosignature/v1: over the time and the note's text."""


class BadNote(Exception):
    """A note or a verifier key that is not to be believed; `reason` may quote the other end."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class VerifierKey(Struct, frozen=True):
    """A public key by its C2SP name and type; `id` is the 4 octets signature lines carry."""

    name: str
    type: int
    public: bytes

    @property
    def id(self) -> bytes:
        return sha256(self.name.encode() + b"\n" + bytes([self.type]) + self.public).digest()[:4]

    @classmethod
    def parse(cls, vkey: str) -> "VerifierKey":
        """Read `NAME+HEXID+BASE64`; raises BadNote, also when the id is not the key's own."""
        name, _, rest = vkey.partition("+")
        hex_id, _, encoded = rest.partition("+")
        material = decode_base64(encoded)
        if not vkey.isprintable() or not good_name(name) or material is None or len(material) != 33:
            raise BadNote("not an Ed25519 verifier key")
        key = cls(name=name, type=material[0], public=material[1:])
        if key.id.hex() != hex_id:
            raise BadNote("the verifier key's id is not its own")
        return key

    def __str__(self) -> str:
        return f"{self.name}+{self.id.hex()}+{base64.b64encode(bytes([self.type]) + self.public).decode()}"

    def verify(self, message: bytes, signature: bytes) -> None:
        """Raise BadNote unless `signature`, 64 octets, is this key's over `message`."""
        try:
            VerifyKey(self.public).verify(message, signature)
        except CryptoError:
            raise BadNote(f"the signature of {self.name} does not hold") from None


def good_name(name: str) -> bool:
    """Whether `name` can name a key: not empty, no spaces, no plus sign, no control characters."""
    return bool(name) and not any(char in "+\x7f" or char < "!" or char.isspace() for char in name)
