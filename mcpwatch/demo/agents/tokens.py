"""Access tokens, the proof that one belongs to a key, and what agents carry in place of a signature."""

import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Callable, Mapping
from uuid import uuid4

import httpx2

from mcpwatch.demo.cast import ISSUER
from mcpwatch.demo.es256 import Es256Key
from mcpwatch.encoding import encode_base64url
from mcpwatch.identity import verifier
from mcpwatch.identity.agent_key import AgentKey

_TOKEN_KEY = secrets.token_bytes(32)
_LIFE_S = 3600


def access_token(subject: str, bound_to: bytes = b"") -> str:
    """An access token in JWT form (RFC 9068), bound to a key (RFC 9449 section 6) or to nobody's."""
    claims: dict[str, object] = {"iss": ISSUER, "sub": subject, "aud": "accounts", "exp": int(time.time()) + _LIFE_S}
    if bound_to:
        claims["cnf"] = {"jkt": verifier.fingerprint(bound_to)}
    return jwt({"alg": "HS256", "typ": "JWT"}, claims, lambda text: hmac.digest(_TOKEN_KEY, text, hashlib.sha256))


def jwt(head: Mapping[str, object], claims: Mapping[str, object], sign: Callable[[bytes], bytes]) -> str:
    """A compact JWS of JSON claims (RFC 7515)."""
    text = ".".join(encode_base64url(json.dumps(part).encode()) for part in (head, claims))
    return f"{text}.{encode_base64url(sign(text.encode('ascii')))}"


class DpopAuth:
    """An access token with a proof of the key that it is bound to (RFC 9449)."""

    def __init__(self, key: Es256Key, token: str, proven: str = "") -> None:
        """`proven` is the token that the proof speaks of, where it is another than the one that is sent."""
        self._key = key
        self._token = token
        self._hash = encode_base64url(hashlib.sha256((proven or token).encode("ascii")).digest())

    def __call__(self, request: httpx2.Request) -> httpx2.Request:
        url = str(request.url.copy_with(query=None, fragment=None))
        claims = {"jti": str(uuid4()), "htm": request.method, "htu": url, "iat": int(time.time()), "ath": self._hash}
        head = {"typ": "dpop+jwt", "alg": "ES256", "jwk": verifier.jwk(self._key.public)}
        request.headers["authorization"] = f"DPoP {self._token}"
        request.headers["dpop"] = jwt(head, claims, self._key.sign)
        return request


class AipTokenAuth:
    """A bearer token of the other AIP (draft-prakash-aip): it says who, and nothing of the request."""

    def __init__(self, key: AgentKey, name: str) -> None:
        self._key = key
        self._name = name

    def __call__(self, request: httpx2.Request) -> httpx2.Request:
        now = int(time.time())
        subject = f"aip:web:example.com/{self._name}"
        claims = {"iss": subject, "sub": subject, "scope": ["orders"], "iat": now, "exp": now + _LIFE_S}
        request.headers["x-aip-token"] = jwt({"alg": "EdDSA", "typ": "aip+jwt"}, claims, self._key.sign)
        return request


class HmacAuth:
    """A MAC over the body under a secret that only the server shares."""

    def __init__(self) -> None:
        self._secret = secrets.token_bytes(32)

    def __call__(self, request: httpx2.Request) -> httpx2.Request:
        mac = hmac.new(self._secret, request.content, hashlib.sha256).hexdigest()
        request.headers["x-mcp-signature"] = f"sha256={mac}"
        return request
