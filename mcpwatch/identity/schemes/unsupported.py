"""What is known to be some kind of signature or token and cannot be checked here: named, never unsigned, never bad."""

from collections.abc import Callable, Mapping
from typing import ClassVar, TypeVar

import msgspec
from msgspec import Struct

from mcpwatch.identity.reading import Reading
from mcpwatch.identity.request import SignedRequest
from mcpwatch.model.identity import SignatureState

T = TypeVar("T")

MAX_ENVELOPE = 524_288
"""Characters of a body that is looked at for an envelope."""

_ENVELOPE = '"mcps"'
_HMAC = "an HMAC can be checked only by who shares its secret"
_PASSPORT = "an MCPS envelope is checked with a passport that its trust authority issued, which nobody here resolves"


class _Stamp(Struct):
    passport_id: str
    signature: str


class _Wrapped(Struct):
    passport_id: str
    signature: str
    message: msgspec.Raw
    mcps: str


class _Stamped(Struct):
    mcps: _Stamp


class Unchecked(Struct, frozen=True):
    """A row: one thing that is recognised."""

    name: str
    title: str
    reason: str
    holds: Callable[[SignedRequest], bool]
    fields: frozenset[str] = frozenset()
    """The header fields it reads, lower-case."""
    claim: str = ""
    """The field among them that says whose it is."""
    authorization: str = ""
    """The scheme of the Authorization field that it is."""


def _fields(name: str, title: str, reason: str, *fields: str, claim: str = "") -> Unchecked:
    """A row for what comes in any of these header fields, withheld or not."""
    wanted = frozenset(fields)

    def holds(request: SignedRequest) -> bool:
        return not wanted.isdisjoint(request.fields) or not wanted.isdisjoint(request.request.withheld)

    return Unchecked(name, title, reason, holds, wanted | ({claim} - {""}), claim)


def _authorization(name: str, title: str, reason: str, scheme: str) -> Unchecked:
    """A row for a scheme of the Authorization field, of which the gateway tells no more than that."""

    def holds(request: SignedRequest) -> bool:
        principal = request.request.principal
        return principal is not None and principal.scheme == scheme

    return Unchecked(name, title, reason, holds, authorization=scheme)


def _wrapped(request: SignedRequest) -> bool:
    return _decoded(request, _Wrapped) is not None


def _stamped(*, is_sep: bool) -> Callable[[SignedRequest], bool]:
    """The SEP and the Internet-Draft have one shape; their passports' ids differ."""

    def holds(request: SignedRequest) -> bool:
        found = _decoded(request, _Stamped)
        return found is not None and found.mcps.passport_id.startswith("ap_") is is_sep

    return holds


def _decoded(request: SignedRequest, kind: type[T]) -> T | None:
    text = _text(request)
    if not text:
        return None
    try:
        return msgspec.json.decode(text, type=kind)
    except (ValueError, RecursionError):
        return None


def _text(request: SignedRequest) -> str:
    """The body that may be an envelope; empty for any other."""
    body = request.request.body
    text = body.text if body is not None else None
    return text if text is not None and len(text) <= MAX_ENVELOPE and _ENVELOPE in text else ""


UNCHECKED: tuple[Unchecked, ...] = (
    _fields(
        "aip-token",
        "Agent Identity Protocol bearer token",
        "an AIP bearer token names an agent and says nothing about this request",
        "x-aip-token",
        "x-aip-token-ref",
    ),
    _fields("hmac", "HMAC header", _HMAC, "x-mcp-signature", "x-hub-signature-256", "x-hub-signature"),
    _authorization("aws-sigv4", "AWS Signature Version 4", _HMAC, "aws4-hmac-sha256"),
    _authorization(
        "did-wba",
        "DIDWba authorization (ANP)",
        "a DIDWba header signs a nonce, a time and a domain, and says nothing about this request",
        "didwba",
    ),
    _fields(
        "kya",
        "KYA delegation headers (MCP-I)",
        "a KYA delegation proof is a token for one host and says nothing about this request",
        "kya-delegation-proof",
        claim="kya-agent-did",
    ),
    Unchecked("mcps", "MCPS envelope of mcp-secure", _PASSPORT, _wrapped),
    Unchecked("mcps-draft", "MCPS envelope of the Internet-Draft", _PASSPORT, _stamped(is_sep=False)),
    Unchecked("mcps-sep", "MCPS envelope of SEP-2395", _PASSPORT, _stamped(is_sep=True)),
)


class Unsupported:
    """The scheme's row."""

    name: ClassVar[str] = "unsupported"
    title: ClassVar[str] = "Recognised and not checkable"
    variants: ClassVar[Mapping[str, str]] = {row.name: row.title for row in UNCHECKED}
    fields: ClassVar[frozenset[str]] = frozenset[str]().union(*(row.fields for row in UNCHECKED))
    marks: ClassVar[tuple[str, ...]] = (_ENVELOPE,)
    tokens: ClassVar[frozenset[str]] = frozenset(row.authorization for row in UNCHECKED) - {""}

    def read(self, request: SignedRequest) -> tuple[Reading, ...]:
        return tuple(
            Reading(
                row.name,
                request.fields.get(row.claim, ""),
                refusal=SignatureState.UNSUPPORTED,
                reason=row.reason,
            )
            for row in UNCHECKED
            if row.holds(request)
        )
