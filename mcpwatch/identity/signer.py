"""Signing requests: objects for `auth=` of httpx and of httpx2, which the official MCP SDK's client uses.

Both libraries accept a callable that takes the request and returns it; so neither is imported here.

    client = httpx2.AsyncClient(auth=Rfc9421Auth(AgentKey.load(path)))
"""

import os
import time
from base64 import b64encode
from collections.abc import Callable, Iterable, Mapping, MutableMapping
from datetime import UTC, datetime
from hashlib import sha256
from typing import Protocol, TypeVar

from mcpwatch.encoding import encode_base64url
from mcpwatch.identity.agent_key import AgentKey

__all__ = ["AgentKey", "AipAuth", "Rfc9421Auth", "aip_headers", "rfc9421_headers"]

MCP_FIELDS = ("mcp-protocol-version", "mcp-session-id", "mcp-method", "mcp-name")
"""Fields that are covered where the request has them."""
_SESSION = "mcp-session-id"


class _Url(Protocol):
    @property
    def raw_scheme(self) -> bytes: ...

    @property
    def raw_path(self) -> bytes: ...


class HttpRequest(Protocol):
    """The part of a request that httpx and httpx2 have in common and that signing needs."""

    @property
    def method(self) -> str: ...

    @property
    def url(self) -> _Url: ...

    @property
    def headers(self) -> MutableMapping[str, str]: ...

    @property
    def content(self) -> bytes: ...

    @property
    def stream(self) -> object: ...

    def read(self) -> bytes: ...


_Request = TypeVar("_Request", bound=HttpRequest)


def aip_headers(
    key: AgentKey, method: str, target: str, body: bytes, *, now: float, nonce: str, did: str = ""
) -> dict[str, str]:
    """The four AIP headers over method, path (the query is left out), body, `now` and `nonce`.

    `did` is the key's own did:aip unless it was rotated under another.
    """
    timestamp = datetime.fromtimestamp(now, UTC).isoformat()
    path = target.partition("?")[0]
    message = f"{method.upper()}:{path}:{timestamp}:{nonce}:{sha256(body).hexdigest()}"
    return {
        "X-AIP-DID": did or key.did_aip,
        "X-AIP-Timestamp": timestamp,
        "X-AIP-Nonce": nonce,
        "X-AIP-Signature": b64encode(key.sign(message.encode())).decode("ascii"),
    }


def rfc9421_headers(
    key: AgentKey,
    method: str,
    uri: str,
    fields: Mapping[str, str],
    body: bytes,
    *,
    now: float,
    nonce: str,
    key_id: str = "",
    label: str = "sig1",
    tag: str = "",
    digest: str = "",
) -> dict[str, str]:
    """Content-Digest, Signature-Input and Signature over method, target URI, body and every one of `fields`.

    `fields` are by lower-case name, in the order they are covered, without white space around the values. `key_id`
    is the key's did:key unless given, and `digest` the body's SHA-256 unless the request has a Content-Digest. As
    SEP-2752 wants it there is no `alg`. Raises ValueError for a value that is not ASCII.
    """
    digest = digest or f"sha-256=:{b64encode(sha256(body).digest()).decode('ascii')}:"
    covered = {"@method": method, "@target-uri": uri, "content-digest": digest, **fields}
    listed = " ".join(f'"{name}"' for name in covered)
    text = f"({listed});created={int(now)};nonce={_string(nonce)};keyid={_string(key_id or key.did_key)}"
    if tag:
        text += f";tag={_string(tag)}"
    lines = [f'"{name}": {value}' for name, value in covered.items()]
    base = "\n".join([*lines, f'"@signature-params": {text}'])
    signature = b64encode(key.sign(base.encode("ascii"))).decode("ascii")
    return {"Content-Digest": digest, "Signature-Input": f"{label}={text}", "Signature": f"{label}=:{signature}:"}


def _string(text: str) -> str:
    """Text as a String of a structured field (RFC 9651 section 4.1.6)."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


class AipAuth:
    """Signs each request with AIP headers. Covers method, path, body, time and nonce; not the session."""

    def __init__(self, key: AgentKey, *, did: str = "", clock: Callable[[], float] = time.time) -> None:
        self._key = key
        self._did = did
        self._clock = clock

    def __call__(self, request: _Request) -> _Request:
        target = request.url.raw_path.decode("ascii")
        headers = aip_headers(
            self._key, request.method, target, _body(request), now=self._clock(), nonce=make_nonce(), did=self._did
        )
        request.headers.update(headers)
        return request


class Rfc9421Auth:
    """Signs each request with an HTTP message signature over method, target URI, body and MCP's header fields.

    With `cover_session` (SEP-2752) the signature covers `Mcp-Session-Id` and so binds the session to the key.
    """

    def __init__(
        self,
        key: AgentKey,
        *,
        cover_session: bool = True,
        key_id: str = "",
        tag: str = "",
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._key = key
        self._names = [name for name in MCP_FIELDS if cover_session or name != _SESSION]
        self._key_id = key_id
        self._tag = tag
        self._clock = clock

    def __call__(self, request: _Request) -> _Request:
        headers = request.headers
        target = request.url.raw_path.decode("ascii")
        uri = f"{request.url.raw_scheme.decode('ascii')}://{headers['host']}{target}"
        fields = {name: headers[name].strip(" \t") for name in self._names if name in headers}
        signed = rfc9421_headers(
            self._key,
            request.method,
            uri,
            fields,
            _body(request),
            now=self._clock(),
            nonce=make_nonce(),
            key_id=self._key_id,
            tag=self._tag,
        )
        headers.update(signed)
        return request


def _body(request: HttpRequest) -> bytes:
    """The body as it will be sent. Raises ValueError for one whose octets nobody knows yet.

    That of a redirected request is known and only has to be read anew.
    """
    try:
        return request.content
    except RuntimeError:
        if isinstance(request.stream, Iterable):
            return request.read()
        raise ValueError("a streamed body cannot be signed: pass it as bytes, text or json") from None


def make_nonce() -> str:
    """A nonce of 128 random bits; SEP-2752 asks for 96."""
    return encode_base64url(os.urandom(16))
