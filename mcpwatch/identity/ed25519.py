"""The one Ed25519 verifier, and the names a key goes by.

libsodium (through PyNaCl) refuses small-order and non-canonical keys and signatures, where OpenSSL and others
accept some of them. Two verifiers would give two verdicts on the same octets, so nothing else verifies.
"""

from hashlib import md5, sha256

from nacl.bindings import crypto_core_ed25519_is_valid_point, crypto_sign_open
from nacl.exceptions import CryptoError

from mcpwatch.encoding import encode_base64url
from mcpwatch.identity import base58

KEY_SIZE = 32
SIGNATURE_SIZE = 64
DID_KEY = "did:key:"
DID_AIP = "did:aip:"
MD5_DERIVED = "the DID is the MD5 of the key, where did:aip takes its SHA-256"
_ED25519_CODEC = b"\xed\x01"
"""Multicodec ed25519-pub, as a varint."""


def verify(key: bytes, message: bytes, signature: bytes) -> bool:
    """Whether `signature` (64 octets) is `key`'s (32 octets) over `message` (RFC 8032); never raises."""
    if len(key) != KEY_SIZE or len(signature) != SIGNATURE_SIZE:
        return False
    try:
        crypto_sign_open(signature + message, key)
    except CryptoError:
        return False
    return True


def good_key(key: bytes) -> bool:
    """Whether `key` may be enrolled: 32 octets, a canonical point of the prime-order group, not of small order."""
    return len(key) == KEY_SIZE and bool(crypto_core_ed25519_is_valid_point(key))


def fingerprint(key: bytes) -> str:
    """The RFC 7638 thumbprint of an Ed25519 key: SHA-256 of its JWK, base64url without padding."""
    jwk = f'{{"crv":"Ed25519","kty":"OKP","x":"{encode_base64url(key)}"}}'
    return encode_base64url(sha256(jwk.encode("ascii")).digest())


def did_key(key: bytes) -> str:
    """The did:key of an Ed25519 key."""
    return f"{DID_KEY}z{base58.encode(_ED25519_CODEC + key)}"


def did_aip(key: bytes) -> str:
    """The did:aip that `key` registers: the first 32 hex digits of its SHA-256."""
    return DID_AIP + sha256(key).hexdigest()[:32]


def derivation_fault(did: str, key: bytes) -> str:
    """Why a did:aip does not derive from `key`; empty when it does.

    The MD5 that some AIP tools take instead is named, and not accepted.
    """
    if did == did_aip(key):
        return ""
    return MD5_DERIVED if is_md5_of(did, key) else "the DID does not derive from the key"


def is_md5_of(did: str, key: bytes) -> bool:
    """Whether `did` is what some AIP tools make of `key`, with MD5."""
    return did == DID_AIP + md5(key, usedforsecurity=False).hexdigest()
