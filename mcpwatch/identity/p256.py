"""P-256 by OpenSSL: imported where a key of that kind is met, for to load it takes longer than to check a feed."""

from functools import lru_cache

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

COORDINATE = 32
"""Octets of one half of a point, and of one half of a signature."""
_UNCOMPRESSED = b"\x04"
_COMPRESSED = (b"\x02", b"\x03")


def verify(key: bytes, message: bytes, signature: bytes) -> bool:
    """Whether `signature` (r and s, 64 octets) is `key`'s over `message`; never raises."""
    public = _point(key)
    if public is None or len(signature) != 2 * COORDINATE:
        return False
    r, s = (int.from_bytes(half, "big") for half in (signature[:COORDINATE], signature[COORDINATE:]))
    try:
        public.verify(encode_dss_signature(r, s), message, ECDSA(SHA256()))
    except InvalidSignature:
        return False
    return True


def good_key(key: bytes) -> bool:
    """Whether `key` is an uncompressed point of the curve."""
    return _point(key) is not None


def compress(key: bytes) -> bytes:
    """The 33 octets of a point; ValueError where it is none of the curve."""
    return EllipticCurvePublicKey.from_encoded_point(SECP256R1(), key).public_bytes(
        Encoding.X962, PublicFormat.CompressedPoint
    )


def uncompress(data: bytes) -> bytes:
    """The 65 octets of a compressed point; empty when it is none."""
    if data[:1] not in _COMPRESSED:
        return b""
    try:
        point = EllipticCurvePublicKey.from_encoded_point(SECP256R1(), data)
    except ValueError:
        return b""
    return point.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


@lru_cache(maxsize=1024)
def _point(key: bytes) -> EllipticCurvePublicKey | None:
    """The point, when it is one of the curve; the group has no small subgroup and the encoding no infinity."""
    if not key.startswith(_UNCOMPRESSED):
        return None
    try:
        return EllipticCurvePublicKey.from_encoded_point(SECP256R1(), key)
    except ValueError:
        return None
