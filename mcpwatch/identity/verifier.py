"""The one verifier: every identity decision, whatever the scheme, comes down to the functions here.

A key is its octets, and their number tells its kind: 32 for Ed25519 (RFC 8032), 65 for an uncompressed P-256 point
(SEC 1, section 2.3.3). Ed25519 is checked by libsodium and by nothing else; P-256 by OpenSSL, which libsodium lacks.
"""

import re
from collections.abc import Callable, Mapping
from hashlib import sha256

from msgspec import Struct

from mcpwatch.encoding import decode_base64url, encode_base64url
from mcpwatch.identity import ed25519

THUMBPRINT = re.compile(r"[A-Za-z0-9_-]{43}")
"""The shape of an RFC 7638 thumbprint."""
P256_SIZE = 65
_COORDINATE = 32
_UNCOMPRESSED = b"\x04"


class KeyKind(Struct, frozen=True):
    """A row: one kind of public key."""

    size: int
    """Octets of the key, which tell the kind."""
    algorithm: str
    """Name in the HTTP Signature Algorithms registry (RFC 9421, section 6.2.2)."""
    jose: str
    """Name in the JOSE registry (RFC 7518, RFC 8037)."""
    title: str
    verify: Callable[[bytes, bytes, bytes], bool]
    good: Callable[[bytes], bool]
    jwk: Callable[[bytes], dict[str, str]]
    """The members that RFC 7638 hashes, in their order."""


def _verify_p256(key: bytes, message: bytes, signature: bytes) -> bool:
    from mcpwatch.identity import p256

    return p256.verify(key, message, signature)


def _good_p256(key: bytes) -> bool:
    from mcpwatch.identity import p256

    return p256.good_key(key)


def _okp(key: bytes) -> dict[str, str]:
    return {"crv": "Ed25519", "kty": "OKP", "x": encode_base64url(key)}


def _ec(key: bytes) -> dict[str, str]:
    x, y = key[1 : 1 + _COORDINATE], key[1 + _COORDINATE :]
    return {"crv": "P-256", "kty": "EC", "x": encode_base64url(x), "y": encode_base64url(y)}


KINDS: tuple[KeyKind, ...] = (
    KeyKind(ed25519.KEY_SIZE, "ed25519", "EdDSA", "Ed25519", ed25519.verify, ed25519.good_key, _okp),
    KeyKind(P256_SIZE, "ecdsa-p256-sha256", "ES256", "P-256", _verify_p256, _good_p256, _ec),
)
_BY_SIZE = {kind.size: kind for kind in KINDS}


def kind(key: bytes) -> KeyKind | None:
    """Which kind of key this is; None for none of them."""
    return _BY_SIZE.get(len(key))


def verify(key: bytes, message: bytes, signature: bytes) -> bool:
    """Whether `signature` (64 octets, both kinds) is `key`'s over `message`; never raises."""
    found = _BY_SIZE.get(len(key))
    return found is not None and found.verify(key, message, signature)


def good_key(key: bytes) -> bool:
    """Whether `key` may be enrolled: a point of its curve, canonically encoded, not of small order."""
    found = _BY_SIZE.get(len(key))
    return found is not None and found.good(key)


def fingerprint(key: bytes) -> str:
    """The RFC 7638 thumbprint: SHA-256 of the key's JWK, base64url without padding; ValueError for no key."""
    text = ",".join(f'"{name}":"{value}"' for name, value in jwk(key).items())
    return encode_base64url(sha256(f"{{{text}}}".encode("ascii")).digest())


def is_misnomer(name: str, key: bytes) -> bool:
    """Whether `name` has the shape of a thumbprint and is not this key's."""
    return THUMBPRINT.fullmatch(name) is not None and name != fingerprint(key)


def jwk(key: bytes) -> dict[str, str]:
    """The key as a JWK with its required members only (RFC 7517, RFC 8037); ValueError for no key."""
    found = _BY_SIZE.get(len(key))
    if found is None:
        raise ValueError("not a public key")
    return found.jwk(key)


def key_of_jwk(found: Mapping[str, object]) -> bytes | None:
    """The public key in a JWK; None when it holds none that may be enrolled, or holds a private one."""
    x, y = found.get("x"), found.get("y")
    if not isinstance(x, str) or "d" in found:
        return None
    if (found.get("kty"), found.get("crv")) == ("OKP", "Ed25519"):
        key = decode_base64url(x)
    elif (found.get("kty"), found.get("crv")) == ("EC", "P-256") and isinstance(y, str):
        first, second = decode_base64url(x), decode_base64url(y)
        whole = first is not None and second is not None and len(first) == len(second) == _COORDINATE
        key = _UNCOMPRESSED + first + second if whole and first is not None and second is not None else None
    else:
        return None
    return key if key is not None and good_key(key) else None
