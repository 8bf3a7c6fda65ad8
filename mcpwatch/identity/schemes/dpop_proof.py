"""A DPoP proof by itself: a compact JWS (RFC 7515) with its public key inside and four claims at least (RFC 9449)."""

import re
from collections.abc import Mapping
from functools import lru_cache

from msgspec import Struct

from mcpwatch.encoding import decode_base64url
from mcpwatch.identity import verifier
from mcpwatch.identity.components import invalid, unsupported
from mcpwatch.identity.jws import ALGORITHMS
from mcpwatch.identity.strict_json import strict_object

MAX_PROOF = 16_384
"""Characters of a proof that is looked at."""
_TYPE = "dpop+jwt"
_NO_KEY_PAIR = re.compile(r"none|HS[0-9]+", re.IGNORECASE)
_PRIVATE = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
_NAME = re.compile(r"[A-Za-z0-9_.+-]{1,32}")
_LATEST = 2**53


class Proof(Struct, frozen=True):
    """What a proof says, its signature not checked yet."""

    key: bytes
    thumbprint: str
    signed: bytes
    signature: bytes
    method: str
    """`htm`."""
    url: str
    """`htu`."""
    id: str
    """`jti`."""
    created: float
    """`iat`, seconds since the epoch."""
    token_sha256: str
    """`ath`: base64url of the access token's SHA-256; empty where the proof is for none."""


def read_proof(text: str) -> Proof:
    """The proof. Raises Refusal."""
    if len(text) > MAX_PROOF:
        raise unsupported(f"the DPoP proof is longer than {MAX_PROOF} characters")
    parts = text.split(".")
    signature = decode_base64url(parts[2]) if len(parts) == 3 else None
    if signature is None:
        raise invalid("the DPoP proof is not a compact JWS")
    key, thumbprint = _key(parts[0])
    claims = _object(parts[1], "claims")
    return Proof(
        key,
        thumbprint,
        f"{parts[0]}.{parts[1]}".encode("ascii"),
        signature,
        _text(claims, "htm"),
        _text(claims, "htu"),
        _text(claims, "jti"),
        _time(claims),
        _text(claims, "ath") if "ath" in claims else "",
    )


@lru_cache(maxsize=1024)
def _key(part: str) -> tuple[bytes, str]:
    """The key in a proof's header, and its thumbprint. Raises Refusal."""
    header = _object(part, "header")
    if header.get("typ") != _TYPE:
        raise invalid(f"the DPoP proof's typ is not {_TYPE}")
    algorithm = header.get("alg")
    if not isinstance(algorithm, str) or _NO_KEY_PAIR.fullmatch(algorithm):
        raise invalid(f"the DPoP proof's alg{_named(algorithm)} is not one of a key pair")
    if algorithm not in ALGORITHMS:
        raise unsupported(f"the DPoP proof is signed with an alg{_named(algorithm)} that is not checked here")
    if "crit" in header:
        raise unsupported("the DPoP proof has critical header parameters (crit), which are not understood here")
    jwk = header.get("jwk")
    if not isinstance(jwk, dict):
        raise invalid("the DPoP proof carries no public key (jwk)")
    if not _PRIVATE.isdisjoint(jwk):
        raise invalid("the DPoP proof carries a private key")
    key = verifier.key_of_jwk(jwk)
    kind = verifier.kind(key) if key is not None else None
    if key is None or kind is None:
        raise invalid("the DPoP proof's jwk is not a key that may be used")
    if kind.size != ALGORITHMS[algorithm]:
        raise invalid(f"the DPoP proof's alg {algorithm} does not fit its {kind.title} key")
    return key, verifier.fingerprint(key)


def _object(part: str, what: str) -> dict[str, object]:
    octets = decode_base64url(part)
    found = strict_object(octets) if octets is not None else None
    if found is None:
        raise invalid(f"the DPoP proof's {what} cannot be read as one JSON object")
    return found


def _text(claims: Mapping[str, object], name: str) -> str:
    found = claims.get(name)
    if not isinstance(found, str) or not found:
        raise invalid(f"the DPoP proof has no {name}")
    return found


def _time(claims: Mapping[str, object]) -> float:
    found = claims.get("iat")
    if isinstance(found, bool) or not isinstance(found, int | float) or not abs(found) < _LATEST:
        raise invalid("the DPoP proof does not say when it was made (iat)")
    return float(found)


def _named(algorithm: object) -> str:
    """The algorithm for a reason, where it is one that may be quoted."""
    return f" {algorithm}" if isinstance(algorithm, str) and _NAME.fullmatch(algorithm) else ""
