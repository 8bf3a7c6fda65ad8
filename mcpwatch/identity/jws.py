"""Compact JWS (RFC 7515), read strictly: three parts in one spelling of base64url, a header without surprises."""

from collections.abc import Mapping

from msgspec import Struct

from mcpwatch.encoding import decode_base64url
from mcpwatch.identity import ed25519, verifier
from mcpwatch.identity.strict_json import read_json
from mcpwatch.model.entries import Json

MAX_JWS = 16_384
"""Characters of a JWS that is checked."""

ALGORITHMS = {kind.jose: kind.size for kind in verifier.KINDS} | {"Ed25519": ed25519.KEY_SIZE}
"""Names in the JOSE registry that are checked here, RFC 9864's among them, and the size of their keys."""


class Jws(Struct, frozen=True):
    """A JWS whose signature nobody has looked at."""

    header: Mapping[str, Json]
    algorithm: str
    key_id: str
    payload: bytes
    """As sent; empty where it is detached (RFC 7515, appendix F)."""
    head: str
    """The first part, which is signed with the payload's."""
    signature: bytes


class Malformed(ValueError):
    """Why it is no compact JWS."""


def read_jws(text: str) -> Jws:
    """Take a compact JWS apart. Raises Malformed."""
    parts = text.split(".") if len(text) <= MAX_JWS else []
    if len(parts) != 3:
        raise Malformed(f"it is not three parts of at most {MAX_JWS} characters")
    octets = [decode_base64url(part) for part in parts]
    header, payload, signature = octets
    if header is None or payload is None or signature is None:
        raise Malformed("a part is not base64url")
    members = _members(header)
    algorithm, key_id = members.get("alg"), members.get("kid", "")
    if not isinstance(algorithm, str) or not isinstance(key_id, str):
        raise Malformed("alg or kid is not a text")
    if "crit" in members:
        raise Malformed("it asks for extensions (crit) that are not known here")
    return Jws(members, algorithm, key_id, payload, parts[0], signature)


def _members(header: bytes) -> dict[str, Json]:
    try:
        value, twice = read_json(header.decode())
    except ValueError:
        raise Malformed("the header is not JSON") from None
    if twice or not isinstance(value, dict):
        raise Malformed("the header is not an object whose members come once")
    return value
