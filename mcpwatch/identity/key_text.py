"""Public keys as an operator has them at hand: base64, a JWK or a PEM file's text."""

from mcpwatch.encoding import decode_base64
from mcpwatch.identity.keyset import read_jwk
from mcpwatch.identity.strict_json import strict_object
from mcpwatch.identity.verifier import good_key

HINT = "Give an Ed25519 key's 32 octets or a P-256 point's 65 in standard base64, a JWK, or a PEM public key"
_PRIVATE = "PRIVATE KEY-----"


def read_key(text: str) -> bytes:
    """The key in `text`. Raises ValueError that says why there is none and does not quote it: it may be a secret."""
    text = text.strip()
    if text.startswith("{"):
        return _of_jwk(text)
    if text.startswith("-----BEGIN "):
        return _of_pem(text)
    key = decode_base64(text)
    if key is None:
        raise ValueError("it is neither standard base64 nor a JWK nor a PEM public key")
    return _good(key)


def _of_jwk(text: str) -> bytes:
    jwk = strict_object(text)
    if jwk is None:
        raise ValueError("it is no JSON object, or has a member twice")
    found = read_jwk(jwk)
    if found.fault:
        raise ValueError(found.fault)
    return found.key


def _of_pem(text: str) -> bytes:
    # Few keys come as PEM, and its reader takes long to load.
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

    if _PRIVATE in text:
        raise ValueError("it is a private key; nobody but its owner should have it")
    try:
        found = load_pem_public_key(text.encode())
    except (ValueError, UnsupportedAlgorithm):
        raise ValueError("it is no PEM public key") from None
    if isinstance(found, Ed25519PublicKey):
        return _good(found.public_bytes_raw())
    if isinstance(found, EllipticCurvePublicKey) and isinstance(found.curve, SECP256R1):
        return _good(found.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint))
    raise ValueError("it is of a kind that is not checked here")


def _good(key: bytes) -> bytes:
    if not good_key(key):
        raise ValueError("it is no key of 32 or 65 octets, of small order, or no point of its curve")
    return key
