"""HTTP message signatures (RFC 9421) as agents of several profiles make them."""

import json
import os
import secrets
import time
from base64 import b64encode
from collections.abc import Callable, Sequence
from hashlib import sha256
from uuid import uuid4

import httpx2

from mcpwatch.demo.es256 import Es256Key
from mcpwatch.encoding import encode_base64url
from mcpwatch.identity import verifier
from mcpwatch.identity.agent_key import AgentKey

LABEL = "sig1"
_LIFE_S = 300
_CLIENT = '"clientInfo"'


def sign_message(
    request: httpx2.Request, covered: Sequence[str], parameters: str, sign: Callable[[bytes], bytes]
) -> None:
    """Put Signature-Input and Signature into a request.

    `covered` are component identifiers without their quotes; a parameter follows a semicolon (section 2.5).
    """
    identifiers = [_identifier(name) for name in covered]
    last = f"({' '.join(identifiers)});{parameters}"
    lines = [f"{one}: {_value(request, name)}" for one, name in zip(identifiers, covered, strict=True)]
    base = "\n".join([*lines, f'"@signature-params": {last}'])
    request.headers["signature-input"] = f"{LABEL}={last}"
    request.headers["signature"] = f"{LABEL}=:{b64encode(sign(base.encode('ascii'))).decode('ascii')}:"


def add_digest(request: httpx2.Request) -> None:
    """Put Content-Digest (RFC 9530) into a request."""
    request.headers["content-digest"] = f"sha-256=:{b64encode(sha256(request.content).digest()).decode('ascii')}:"


class BodilessAuth:
    """Covers method and target URI alone, as a hasty developer has it; the body may be anything."""

    def __init__(self, key: AgentKey) -> None:
        self._key = key

    def __call__(self, request: httpx2.Request) -> httpx2.Request:
        parameters = f'created={_now()};nonce="{secrets.token_hex(8)}";keyid="{self._key.did_key}"'
        sign_message(request, ("@method", "@target-uri"), parameters, self._key.sign)
        return request


class Sep2752Auth:
    """MCP's own profile: the session is bound to the key that `clientInfo.cnf` shows when it begins."""

    def __init__(self, key: AgentKey, tag: str) -> None:
        self._key = key
        self._tag = tag

    def __call__(self, request: httpx2.Request) -> httpx2.Request:
        request = _confirmed(request, verifier.jwk(self._key.public))
        add_digest(request)
        own = [name for name in ("mcp-protocol-version", "mcp-session-id") if name in request.headers]
        thumbprint = verifier.fingerprint(self._key.public)
        parameters = f'created={_now()};nonce="{_nonce()}";keyid="{thumbprint}";tag="{self._tag}"'
        sign_message(request, ("@method", "@target-uri", "content-digest", *own), parameters, self._key.sign)
        return request


class WebBotAuth:
    """Names the directory of its keys in Signature-Agent (draft-ietf-webbotauth-httpsig-protocol)."""

    def __init__(self, key: AgentKey, directory: str) -> None:
        self._key = key
        self._directory = directory

    def __call__(self, request: httpx2.Request) -> httpx2.Request:
        request.headers["signature-agent"] = f'{LABEL}="{self._directory}"'
        now = _now()
        times = f"created={now};expires={now + _LIFE_S}"
        thumbprint = verifier.fingerprint(self._key.public)
        parameters = f'{times};keyid="{thumbprint}";nonce="{_nonce()}";tag="web-bot-auth"'
        add_digest(request)
        covered = ("@authority", "@method", f"signature-agent;{LABEL}", "content-digest")
        sign_message(request, covered, parameters, self._key.sign)
        return request


class UcpAuth:
    """The Universal Commerce Protocol's profile, with ES256."""

    def __init__(self, key: Es256Key, kid: str, profile: str) -> None:
        self._key = key
        self._kid = kid
        self._profile = profile

    def __call__(self, request: httpx2.Request) -> httpx2.Request:
        request.headers["ucp-agent"] = f'profile="{self._profile}"'
        request.headers["idempotency-key"] = str(uuid4())
        add_digest(request)
        covered = ("@method", "@authority", "@path", "ucp-agent", "idempotency-key", "content-digest", "content-type")
        listed = [name for name in covered if name.startswith("@") or name in request.headers]
        sign_message(request, listed, f'created={_now()};nonce="{_nonce()}";keyid="{self._kid}"', self._key.sign)
        return request


def _identifier(name: str) -> str:
    bare, _, key = name.partition(";")
    return f'"{bare}";key="{key}"' if key else f'"{bare}"'


def _value(request: httpx2.Request, name: str) -> str:
    bare, _, key = name.partition(";")
    if key:
        return request.headers[bare].removeprefix(f"{key}=")
    derived = {
        "@method": request.method,
        "@target-uri": str(request.url),
        "@authority": request.headers["host"],
        "@path": request.url.path,
    }
    return derived.get(bare) or request.headers[bare]


def _confirmed(request: httpx2.Request, jwk: dict[str, str]) -> httpx2.Request:
    """The request with the key in `clientInfo`, where it is an initialize."""
    if _CLIENT.encode() not in request.content:
        return request
    message = json.loads(request.content)
    if message["method"] != "initialize":
        return request
    message["params"]["clientInfo"]["cnf"] = {"jwk": jwk}
    fields = httpx2.Headers([field for field in request.headers.raw if field[0].lower() != b"content-length"])
    content = json.dumps(message, separators=(",", ":")).encode()
    return httpx2.Request(request.method, request.url, headers=fields, content=content, extensions=request.extensions)


def _now() -> int:
    return int(time.time())


def _nonce() -> str:
    return encode_base64url(os.urandom(16))
