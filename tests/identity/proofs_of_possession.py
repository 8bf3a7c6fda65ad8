"""DPoP proofs, made of whatever parts a test wants."""

import json
from hashlib import sha256

from p256 import CAROL
from signed import NOW, Signing

from mcpwatch.encoding import encode_base64url
from mcpwatch.identity import verifier
from mcpwatch.model.entries import Principal, Request

TOKEN = b"Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU"
ATH = encode_base64url(sha256(TOKEN).digest())
URL = "http://127.0.0.1:8080/mcp"
PRINT = verifier.fingerprint(CAROL.public)
HEADER: dict[str, object] = {"typ": "dpop+jwt", "alg": "ES256", "jwk": verifier.jwk(CAROL.public)}
CLAIMS: dict[str, object] = {"jti": "id-1", "htm": "POST", "htu": URL, "iat": int(NOW), "ath": ATH}
BOUND = Principal("dpop", "ab", key_thumbprint=PRINT, access_token_sha256=ATH)


def part(value: object) -> str:
    """A part of a JWS: octets as they are, anything else as JSON."""
    octets = value if isinstance(value, bytes) else json.dumps(value).encode()
    return encode_base64url(octets)


def proof(header: object = None, claims: object = None, *, key: Signing = CAROL) -> str:
    """A compact JWS; what is left out is as it should be."""
    signed = f"{part(HEADER if header is None else header)}.{part(CLAIMS if claims is None else claims)}"
    return f"{signed}.{encode_base64url(key.sign(signed.encode()))}"


def possessed(request: Request, **changes: object) -> str:
    """A proof for this very request, under claims that `changes` override."""
    url = f"{request.scheme}://{request.authority}{request.target.partition('?')[0]}"
    return proof(claims={**CLAIMS, "htm": request.method, "htu": url, **changes})
