"""DPoP (RFC 9449): proof that whoever asks holds the key to which the access token is bound.

A proof covers method, URL without query, time and an id of its own, and through `ath` the access token; never the body
or the session id. Its key stands for itself: nobody says whose it is but the token's issuer (`cnf.jkt`), whose word
comes through the gateway.
"""

import re
from collections.abc import Iterator, Mapping
from typing import ClassVar
from urllib.parse import unquote, urlsplit

from msgspec import Struct

from mcpwatch.identity.components import Refusal, invalid, unsupported
from mcpwatch.identity.reading import BOUND, Attempt, Reading
from mcpwatch.identity.request import DEFAULT_PORTS, SignedRequest
from mcpwatch.identity.schemes.dpop_proof import Proof, read_proof
from mcpwatch.identity.schemes.key_names import EMBEDDED
from mcpwatch.model.entries import SEVERAL, Principal
from mcpwatch.model.identity import Covered, SignatureState

FIELD = "dpop"
_ESCAPES = re.compile(r"%[0-9A-Fa-f]{2}")
_UNRESERVED = re.compile(r"[A-Za-z0-9._~-]")
_ALWAYS = (Covered.METHOD, Covered.AUTHORITY, Covered.TIME, Covered.NONCE)


class Dpop:
    """The scheme's row."""

    name: ClassVar[str] = "dpop"
    title: ClassVar[str] = "DPoP (RFC 9449)"
    variants: ClassVar[Mapping[str, str]] = {"dpop": "DPoP proof: method, URL, time and access token, not the body"}
    fields: ClassVar[frozenset[str]] = frozenset({FIELD})
    marks: ClassVar[tuple[str, ...]] = ()
    tokens: ClassVar[frozenset[str]] = frozenset({FIELD, BOUND})

    def read(self, request: SignedRequest) -> tuple[Reading, ...]:
        asked = request.request
        if FIELD not in request.fields and FIELD not in asked.withheld and not _needs_proof(request, asked.principal):
            return ()
        try:
            return (_read(request),)
        except Refusal as refusal:
            return (Reading("dpop", refusal=refusal.state, reason=refusal.reason),)


def _needs_proof(request: SignedRequest, principal: Principal | None) -> bool:
    """Whether the access token is bound to a key, and the feed would show a proof of it."""
    if principal is None:
        return False
    return (principal.scheme == FIELD or bool(principal.key_thumbprint)) and not request.withheld(FIELD)


def _read(request: SignedRequest) -> Reading:
    """The proof against the request. Raises Refusal."""
    if FIELD in request.repeated:
        raise invalid("DPoP comes more than once, and nothing says which proof was meant")
    if FIELD in request.request.withheld:
        raise unsupported("the feed withholds the DPoP proof")
    if FIELD not in request.fields:
        raise Refusal(SignatureState.ABSENT, "the access token is bound to a key, and no DPoP proof came with it")
    proof = read_proof(request.fields[FIELD])
    token = _token(proof, request.request.principal)
    url = _place(proof.url)
    here = next((note for place, note in _places(request) if place == url), None) if url is not None else None
    fault = "" if proof.method == request.request.method else "the DPoP proof is for another method (htm)"
    if here is None:
        fault = fault or "the DPoP proof is for another URL (htu)"
    whole = "?" not in request.request.target
    return Reading(
        "dpop",
        EMBEDDED + proof.thumbprint,
        proof.signature,
        Attempt(
            proof.signed,
            (*((Covered.TARGET,) if whole else ()), *_ALWAYS, *((Covered.TOKEN,) if token.is_covered else ())),
            here or "",
        ),
        created=proof.created,
        nonce=proof.id,
        fault=fault or token.fault,
        notes=token.notes if whole else ("the query is not covered", *token.notes),
        embedded=proof.key,
    )


class _Token(Struct, frozen=True):
    """How a proof stands to the access token it came with."""

    fault: str = ""
    notes: tuple[str, ...] = ()
    is_covered: bool = False


def _token(proof: Proof, principal: Principal | None) -> _Token:
    """Hold the proof's key and `ath` against the token (RFC 9449, section 4.3, check 12)."""
    if principal is None:
        return _Token(notes=("no access token came with the DPoP proof",))
    if principal.key_thumbprint not in ("", proof.thumbprint):
        return _Token("the access token is bound to another key than the DPoP proof's (cnf.jkt)")
    known = principal.access_token_sha256
    if known and proof.token_sha256 and known != proof.token_sha256:
        return _Token("the DPoP proof is for another access token (ath)")
    if principal.scheme == SEVERAL:
        return _Token(notes=("Authorization comes more than once: nothing says which token the DPoP proof is for",))
    doubts = (
        (principal.scheme != FIELD, "the access token came as one that needs no proof, not as DPoP"),
        (not principal.key_thumbprint, "the access token does not say which key it is bound to (cnf.jkt)"),
        (not proof.token_sha256, "RFC 9449: the proof does not say which access token it is for (ath)"),
        (
            bool(proof.token_sha256) and not known,
            "the feed does not tell whether the access token is the one that the DPoP proof is for (ath)",
        ),
    )
    return _Token(notes=tuple(text for holds, text in doubts if holds), is_covered=bool(known and proof.token_sha256))


def _places(request: SignedRequest) -> Iterator[tuple[str | None, str]]:
    """The request's URL as the agent may have spelt it, normalised, each with what that means."""
    yield _place(request.uri), ""
    for other, note in request.elsewhere():
        yield _place(other.uri), note


def _place(url: str) -> str | None:
    """A web address without query and fragment, normalised (RFC 3986, sections 6.2.2 and 6.2.3); None for others."""
    if not url.isprintable() or " " in url:
        return None  # urlsplit would drop line breaks, and some of what stands around an address
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    scheme, authority = parts.scheme, parts.netloc.lower()
    if scheme not in DEFAULT_PORTS or not authority or "@" in authority or not parts.netloc.isascii():
        return None
    path = _ESCAPES.sub(_unescaped, parts.path) or "/"
    return f"{scheme}://{authority.removesuffix(DEFAULT_PORTS[scheme])}{path}"


def _unescaped(escape: re.Match[str]) -> str:
    character = unquote(escape[0])
    return character if _UNRESERVED.fullmatch(character) else escape[0].upper()
