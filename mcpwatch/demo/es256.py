"""A P-256 key to sign with (ES256), which UCP and DPoP ask for; agents of AIP have Ed25519 ones."""

from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from mcpwatch.files import create_private, read_private

_HALF = 32


class Es256Key:
    """A key and what it signs. The private part never prints."""

    __slots__ = ("_key", "public")

    def __init__(self, key: EllipticCurvePrivateKey) -> None:
        self._key = key
        self.public = key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        """The uncompressed point, 65 octets."""

    @classmethod
    def generate(cls) -> "Es256Key":
        return cls(generate_private_key(SECP256R1()))

    @classmethod
    def load(cls, path: Path) -> "Es256Key":
        """The key in a PEM file that `save` wrote."""
        key = load_pem_private_key(read_private(path), None)
        if not isinstance(key, EllipticCurvePrivateKey):
            raise ValueError("not a key on an elliptic curve")
        return cls(key)

    def save(self, path: Path) -> None:
        """Write the key to a new PEM file, 0600."""
        create_private(path, self._key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))

    def sign(self, message: bytes) -> bytes:
        """The signature over `message`: r and s, 32 octets each (RFC 9421 section 3.3.4, RFC 7518 section 3.4)."""
        r, s = decode_dss_signature(self._key.sign(message, ECDSA(SHA256())))
        return r.to_bytes(_HALF, "big") + s.to_bytes(_HALF, "big")
