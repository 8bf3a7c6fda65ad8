"""A request on its way out, and the schemes it can be signed with."""

import time
from collections.abc import Callable
from hashlib import sha256, sha512
from itertools import count

from msgspec import Struct

from mcpwatch.gateway.headers import RawHeader, octets
from mcpwatch.identity import structured
from mcpwatch.identity.signer import MCP_FIELDS, AgentKey, aip_headers, make_nonce, rfc9421_headers

_HASHES = {"sha-256": sha256, "sha-512": sha512}
"""By their names in Content-Digest (RFC 9530, section 5)."""
_DIGEST, _INPUT, _SIGNATURE = "content-digest", "signature-input", "signature"


class CannotSign(Exception):
    """Why a request cannot be signed, in words for whoever sent it."""


class Outgoing(Struct, frozen=True):
    """What is signed of a request: all as the server is going to see it."""

    method: str
    origin: str
    """Scheme and authority of the server."""
    target: str
    """In origin-form."""
    headers: tuple[RawHeader, ...]
    body: bytes

    def field(self, name: str) -> str | None:
        """The value of a field, its lines joined (RFC 9421, section 2.1); None when there is none."""
        values = [octets(value).strip(" \t") for each, value in self.headers if octets(each).lower() == name]
        return ", ".join(values) if values else None

    def fields(self, names: tuple[str, ...]) -> dict[str, str]:
        """The values of those fields that are there."""
        found = {name: self.field(name) for name in names}
        return {name: value for name, value in found.items() if value is not None}


class Agent(Struct, frozen=True):
    """Who signs."""

    key: AgentKey
    id: str = ""
    """The identity, where it is not the key's own."""
    clock: Callable[[], float] = time.time


class SigningScheme(Struct, frozen=True):
    """A row of the table of schemes."""

    title: str
    identity: Callable[[AgentKey], str]
    """The key's own name in this scheme."""
    sign: Callable[[Agent, Outgoing], dict[str, str]]
    """The fields that sign a request, each in place of its like; raises CannotSign."""


def sign_aip(agent: Agent, request: Outgoing) -> dict[str, str]:
    """AIP headers. There is one set of them in a request, so one that has any of them is somebody else's."""
    signed = aip_headers(
        agent.key, request.method, request.target, request.body, now=agent.clock(), nonce=make_nonce(), did=agent.id
    )
    for name in signed:
        if request.field(name.lower()) is not None:
            raise CannotSign(f"the request has {name} already, and AIP has room for one signature only")
    return signed


def sign_rfc9421(agent: Agent, request: Outgoing) -> dict[str, str]:
    """An HTTP message signature, beside those that are there already, under a label of its own."""
    inputs, signatures = request.field(_INPUT) or "", request.field(_SIGNATURE) or ""
    labels: set[str] = set()
    if inputs or signatures:
        there, made = structured.inner_lists(inputs), structured.byte_sequences(signatures)
        if there is None or made is None:
            raise CannotSign("the request has signatures that are not RFC 9421's, so none can be put beside them")
        labels = there.keys() | made.keys()
    label = next(name for name in (f"sig{number}" for number in count(1)) if name not in labels)
    try:
        signed = rfc9421_headers(
            agent.key,
            request.method,
            f"{request.origin}{request.target}",
            request.fields(MCP_FIELDS),
            request.body,
            now=agent.clock(),
            nonce=make_nonce(),
            key_id=agent.id,
            label=label,
            digest=_digest(request),
        )
    except ValueError:
        raise CannotSign("a signature covers ASCII only, and the target or a header field of MCP has more") from None
    for name, others in (("Signature-Input", inputs), ("Signature", signatures)):
        signed[name] = f"{others}, {signed[name]}" if others else signed[name]
    return signed


def _digest(request: Outgoing) -> str:
    """The request's own Content-Digest, which others may have signed, where it is right; empty for none."""
    field = request.field(_DIGEST)
    if field is None:
        return ""
    digests = structured.byte_sequences(field) or {}
    known = {name: make(request.body).digest() for name, make in _HASHES.items() if name in digests}
    if not known:
        raise CannotSign("Content-Digest has neither sha-256 nor sha-512 of the body")
    if any(digests[name] != digest for name, digest in known.items()):
        raise CannotSign("Content-Digest is not that of the body")
    return field


SCHEMES = {
    "rfc9421": SigningScheme("HTTP Message Signatures (RFC 9421)", lambda key: key.did_key, sign_rfc9421),
    "aip": SigningScheme("AIP headers", lambda key: key.did_aip, sign_aip),
}
"""By the word on the command line; the first is the one without a word."""
