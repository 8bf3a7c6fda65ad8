"""HTTP Message Signatures (RFC 9421) with Content-Digest (RFC 9530).

The signature base is made here: with `http-message-signatures` one judgement takes four times as long as the
signature check it is for. Tests hold the two against each other.
"""

from collections.abc import Iterator, Mapping
from functools import lru_cache, partial
from typing import ClassVar

from mcpwatch.identity import structured, verifier
from mcpwatch.identity.components import Components, Refusal, invalid, read_components, unsupported, value
from mcpwatch.identity.digest import DigestCheck, check_digest
from mcpwatch.identity.reading import Attempt, Reading
from mcpwatch.identity.request import SignedRequest
from mcpwatch.identity.schemes.key_names import Named, name_key
from mcpwatch.identity.schemes.profiles import DID, Profile, Use, profile_of
from mcpwatch.model.identity import Covered, SignatureState

MAX_SIGNATURES = 8
_INPUT, _SIGNATURE, _DIGEST = "signature-input", "signature", "content-digest"
_FIELDS = frozenset((_INPUT, _SIGNATURE))
_PLACES = ("@target-uri", "@authority", "@scheme", "host")
_NO_DIGEST = DigestCheck()
_ALGORITHMS = frozenset(kind.algorithm for kind in verifier.KINDS)
_TYPES = (("created", int), ("expires", int), ("alg", str), ("keyid", str), ("nonce", str), ("tag", str))


class Rfc9421:
    """The scheme's row."""

    name: ClassVar[str] = "rfc9421"
    title: ClassVar[str] = "HTTP Message Signatures (RFC 9421)"
    variants: ClassVar[Mapping[str, str]] = {"rfc9421": title}
    fields: ClassVar[frozenset[str]] = frozenset({_INPUT, _SIGNATURE, _DIGEST})
    marks: ClassVar[tuple[str, ...]] = ()
    tokens: ClassVar[frozenset[str]] = frozenset()

    def read(self, request: SignedRequest) -> tuple[Reading, ...]:
        if _FIELDS.isdisjoint(request.fields) and _FIELDS.isdisjoint(request.request.withheld):
            return ()
        try:
            inputs, signatures = _headers(request)
        except Refusal as refusal:
            return (_refused(refusal),)
        labels = list(inputs)[:MAX_SIGNATURES]
        readings = [_read(label, *inputs[label], signatures.get(label), request) for label in labels]
        if len(inputs) > MAX_SIGNATURES:
            readings.append(
                _refused(unsupported(f"more than {MAX_SIGNATURES} signatures; the others are not looked at"))
            )
        return tuple(readings)


def _headers(request: SignedRequest) -> tuple[dict[str, tuple[str, str]], dict[str, bytes]]:
    """Both signature fields, read. Raises Refusal."""
    fields = request.fields
    if not _FIELDS.isdisjoint(request.request.withheld):
        raise unsupported("the feed withholds the signature")
    if _SIGNATURE not in fields:
        raise Refusal(SignatureState.ABSENT, "Signature-Input comes without Signature")
    if _INPUT not in fields:
        raise unsupported("Signature comes without Signature-Input: not RFC 9421")
    inputs = structured.inner_lists(fields[_INPUT])
    if inputs is None:
        raise unsupported("Signature-Input is malformed: not valid RFC 9421")
    signatures = structured.byte_sequences(fields[_SIGNATURE])
    if signatures is None:
        raise invalid("Signature is malformed")
    return inputs, signatures


def _read(label: str, listed: str, raw: str, signature: bytes | None, request: SignedRequest) -> Reading:
    key_id, profile = "", None
    try:
        parameters = _parameters(raw)
        key_id = str(parameters.get("keyid", ""))
        components = read_components(listed)
        profile = profile_of(components.names, str(parameters.get("tag", "")), key_id.startswith("did:"))
        if signature is None:
            raise Refusal(SignatureState.ABSENT, "Signature has no member for it")
        if not key_id:
            raise unsupported("the signature names no key")
        if parameters.get("alg", "ed25519") not in _ALGORITHMS:
            raise unsupported(f"signed with {parameters['alg']}, which is not checked here")
        last = f'"@signature-params": {listed}{raw}'
        signed = _base(components, last, request)
    except Refusal as refusal:
        return _refused(refusal, label, key_id, profile)
    digest = _check_digest(components, request)
    covers_body = digest.covers
    coverage = _coverage(
        components.names,
        covers_body,
        "?" in request.request.target,
        "mcp-name" in request.fields or request.withheld("mcp-name"),
        "created" in parameters,
        "nonce" in parameters,
    )
    created, expires = parameters.get("created"), parameters.get("expires")
    named = Named(key_id)
    notes: tuple[str, ...] = ()
    if profile is not DID:
        use = Use(components.names, components.agents, parameters, key_id, label, request)
        named = name_key(use)
        notes = named.notes if profile is None else (*named.notes, *profile.departures(use))
    return Reading(
        "rfc9421",
        named.key_id,
        signature,
        Attempt(signed, coverage),
        partial(_elsewhere, components, last, request, coverage),
        created if isinstance(created, int) else None,
        expires if isinstance(expires, int) else None,
        str(parameters.get("nonce", "")),
        label,
        digest.fault,
        covers_body and request.body.octets is None,
        (*notes, digest.note) if digest.note else notes,
        profile="" if profile is None else profile.name,
        embedded=named.embedded,
        thumbprint=named.thumbprint,
        alias=named.alias,
        algorithm=str(parameters.get("alg", "")),
    )


def _check_digest(components: Components, request: SignedRequest) -> DigestCheck:
    """Hold the signed part of Content-Digest against the body."""
    if _DIGEST in components.names:
        return check_digest(request.fields[_DIGEST], request.body)
    if components.digests:
        return check_digest(request.fields[_DIGEST], request.body, components.digests)
    return _NO_DIGEST


def _base(components: Components, last: str, request: SignedRequest) -> bytes:
    """The signature base (RFC 9421 section 2.5). Raises Refusal."""
    get = request.fields.get
    lines = [
        f"{each.text}: {(get(each.name) if each.plain else None) or value(each, request)}" for each in components.listed
    ]
    lines.append(last)
    text = "\n".join(lines)
    if text.count("\n") != len(components.listed) or not text.isascii():
        raise invalid("a covered value holds a line break or is not ASCII")
    return text.encode("ascii")


def _elsewhere(
    components: Components, last: str, request: SignedRequest, coverage: tuple[Covered, ...]
) -> Iterator[Attempt]:
    """The same, with the target URI as the agent may have spelt it."""
    if not components.names.isdisjoint(_PLACES):
        for other, note in request.elsewhere():
            yield Attempt(_base(components, last, other), coverage, note)


def _parameters(raw: str) -> dict[str, structured.Bare]:
    """A signature's parameters (RFC 9421 section 2.3). Raises Refusal."""
    parameters = structured.parameters(raw)
    if parameters is None:
        raise invalid("a signature parameter comes twice")
    for name, kind in _TYPES:
        if name in parameters and type(parameters[name]) is not kind:
            raise invalid(f"the parameter {name} is of the wrong type")
    return parameters


@lru_cache(maxsize=1024)
def _coverage(
    names: frozenset[str], covers_body: bool, has_query: bool, has_name: bool, created: bool, nonce: bool
) -> tuple[Covered, ...]:
    """What covering `names` amounts to for a request with or without a query and Mcp-Name."""
    whole_target = "@target-uri" in names or "@request-target" in names
    path_and_query = "@path" in names and ("@query" in names or not has_query)
    table = (
        (Covered.METHOD, "@method" in names),
        (Covered.TARGET, whole_target or path_and_query),
        (Covered.AUTHORITY, not names.isdisjoint(("@authority", "@target-uri", "host"))),
        (Covered.BODY, covers_body),
        (Covered.SESSION, "mcp-session-id" in names),
        (Covered.MCP, covers_body or ("mcp-method" in names and ("mcp-name" in names or not has_name))),
        (Covered.TIME, created),
        (Covered.NONCE, nonce),
    )
    return tuple(covered for covered, holds in table if holds)


def _refused(refusal: Refusal, label: str = "", key_id: str = "", profile: Profile | None = None) -> Reading:
    name = "" if profile is None else profile.name
    return Reading("rfc9421", key_id, label=label, refusal=refusal.state, reason=refusal.reason, profile=name)
