"""What an access token says about the principal, read without verifying it; the token itself goes no further."""

import base64
import binascii
import hmac
from collections.abc import Iterable
from hashlib import sha256
from typing import TypeVar

import msgspec
from msgspec import Struct

from mcpwatch.encoding import encode_base64url
from mcpwatch.gateway.headers import RawHeader, octets
from mcpwatch.gateway.mask_text import mask_shapes
from mcpwatch.gateway.tables import AUTH_SCHEMES
from mcpwatch.model.entries import SEVERAL, Json, Principal

MAX_TOKEN = 16_384
"""Octets; a longer token is only hashed."""
MAX_TEXT = 1_024
"""Characters of a claim."""
MAX_EXPIRES = 2**53 - 1

T = TypeVar("T")


class KeyedHash:
    """HMAC-SHA-256 under a key of one log: equal secrets can be told, and none be found by guessing."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def __call__(self, secret: bytes) -> str:
        """The first 16 octets in hex."""
        return hmac.digest(self._key, secret, "sha256")[:16].hex()


class _Head(Struct):
    alg: Json = None


class _Claims(Struct):
    iss: Json = None
    sub: Json = None
    aud: Json = None
    exp: Json = None
    cnf: Json = None


def read_principal(headers: Iterable[RawHeader], hashed: KeyedHash) -> Principal | None:
    """The principal that the Authorization field speaks of (RFC 6750, RFC 9449, RFC 9068); None without one.

    Where the field comes more than once nothing says which of them the server goes by, and no claim is read.
    """
    values = [value for name, value in headers if name.lower() == b"authorization"]
    if not values:
        return None
    if len(values) > 1:
        return Principal(SEVERAL, hashed(b", ".join(values)))
    value = values[0]
    word, _, token = value.partition(b" ")
    scheme, token = octets(word).lower(), token.strip()
    if scheme not in AUTH_SCHEMES:
        scheme, token = "", value
    parts = token.split(b".") if len(token) <= MAX_TOKEN else []
    head = _part(parts[0], _Head) if len(parts) in (3, 5) else None
    claims = _part(parts[1], _Claims) if len(parts) == 3 else None
    if head is None or not _text(head.alg).strip():
        # Without an algorithm it is no JWS (RFC 7515, section 4.1.1), and nothing that it says is signed.
        head = claims = None
    return Principal(
        scheme=scheme,
        token_hash=hashed(token),
        algorithm=_text(head.alg) if head else "",
        issuer=_text(claims.iss) if claims else "",
        subject=_text(claims.sub) if claims else "",
        audience=_audience(claims.aud) if claims else (),
        expires=_expires(claims.exp) if claims else None,
        key_thumbprint=_text(claims.cnf.get("jkt")) if claims and isinstance(claims.cnf, dict) else "",
        access_token_sha256=encode_base64url(sha256(token).digest()) if scheme == "dpop" else "",
    )


def _part(part: bytes, kind: type[T]) -> T | None:
    """A base64url part of a JWT (RFC 7515, section 2); None when it is not JSON of that shape."""
    try:
        data = base64.b64decode(part + b"=" * (-len(part) % 4), b"-_", validate=True)
        data.decode()
        return msgspec.json.decode(data, type=kind)
    except (binascii.Error, ValueError, RecursionError):
        return None


def _text(value: Json) -> str:
    """A claim that is text; what looks like a secret does not belong there."""
    return mask_shapes(value)[0][:MAX_TEXT] if isinstance(value, str) else ""


def _audience(value: Json) -> tuple[str, ...]:
    values = value if isinstance(value, list) else [value]
    return tuple(_text(each) for each in values[:16] if isinstance(each, str))


def _expires(value: Json) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > MAX_EXPIRES:
        return None
    return int(value)
