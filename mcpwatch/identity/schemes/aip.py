"""AIP request headers (The-Nexus-Guard/aip), in all their documented variants.

The middleware's variant signs `METHOD:path:timestamp:nonce:sha256hex(body)`. Its path is the target without the
query; where there is a query, a signature over the whole target is taken too. Neither covers the host, the session
id or the DID. The other variants share the header names and sign other octets, or none that say anything.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import ClassVar

import msgspec
from msgspec import Struct

from mcpwatch.encoding import decode_base64
from mcpwatch.identity.reading import Attempt, Reading
from mcpwatch.identity.request import SignedRequest
from mcpwatch.identity.times import parse_registry_time, parse_time
from mcpwatch.model.identity import Covered, SignatureState

DID, SIGNATURE, TIMESTAMP, NONCE = "x-aip-did", "x-aip-signature", "x-aip-timestamp", "x-aip-nonce"
CHALLENGE = "x-aip-challenge"
_HEADERS = frozenset({DID, SIGNATURE, TIMESTAMP, NONCE, CHALLENGE})
_SPELLED = {DID: "X-AIP-DID", SIGNATURE: "X-AIP-Signature", TIMESTAMP: "X-AIP-Timestamp", NONCE: "X-AIP-Nonce"}
_PREFIX = "base64:"
_EPOCH = re.compile(r"[0-9]{1,12}(?:\.[0-9]{1,9})?")
_MAX_INITIALIZE = 65_536
_MEMBER = '"aip'
"""Begins what every body of AIP has in it."""

_PART = (Covered.METHOD, Covered.BODY, Covered.MCP, Covered.TIME)
_WHOLE = (Covered.METHOD, Covered.TARGET, Covered.BODY, Covered.MCP, Covered.TIME)
_URL = (Covered.TARGET, Covered.AUTHORITY, Covered.TIME)
_PART_NONCE, _WHOLE_NONCE = (*_PART, Covered.NONCE), (*_WHOLE, Covered.NONCE)
_NO_NONCE = "no nonce: a repeat in the same second cannot be told from the first"
_NOT_TIME = "X-AIP-Timestamp is no time: what is signed between path and nonce could be read in more than one way"
_NO_TIME = "X-AIP-Timestamp is not a time with a zone: nothing says when this was signed"
_MASKED = "it does not verify, and the feed masks values of the query, which may be signed"
_COLON = "X-AIP-Nonce holds a colon, so that the signed octets can be read in more than one way"
_SEP = "signed as in the AIP for SEP draft (base64: prefix), whose signed octets are not published"


class Aip:
    """The scheme's row."""

    name: ClassVar[str] = "aip"
    title: ClassVar[str] = "AIP headers"
    variants: ClassVar[Mapping[str, str]] = {
        "aip": "AIP headers: method, path, body, time and nonce",
        "aip-guide": "AIP integration guide: DID, URL and time, not the body",
        "aip-sep": "AIP for SEP: the signed octets are not published",
        "aip-tutorial": "AIP tutorial: signs a challenge",
        "aip-init": "AIP challenge in initialize",
        "aip-hmac": "HMAC webhook under AIP's header name",
        "aip-other": "another protocol under AIP's header names",
    }
    fields: ClassVar[frozenset[str]] = _HEADERS
    marks: ClassVar[tuple[str, ...]] = (_MEMBER,)
    tokens: ClassVar[frozenset[str]] = frozenset()

    def read(self, request: SignedRequest) -> tuple[Reading, ...]:
        if _is_plain(request):
            return (_read_headers(request),)
        if _HEADERS.isdisjoint(request.fields) and _HEADERS.isdisjoint(request.request.withheld):
            return _read_initialize(request)
        return next((read(request),) for holds, read in _VARIANTS if holds(request))


def _is_plain(request: SignedRequest) -> bool:
    """Whether all that the middleware's variant and the guide's need is there, once."""
    get = request.fields.get
    signature = get(SIGNATURE)
    return bool(
        signature and get(DID) and get(TIMESTAMP) and not signature.startswith("sha256=") and not request.repeated
    )


def _lacks(name: str) -> Callable[[SignedRequest], bool]:
    return lambda request: not request.fields.get(name)


def _refuse(scheme: str, state: SignatureState, reason: str) -> Callable[[SignedRequest], Reading]:
    return lambda request: Reading(scheme, request.fields.get(DID, ""), refusal=state, reason=reason)


def _is_hmac(request: SignedRequest) -> bool:
    return request.fields.get(SIGNATURE, "").startswith("sha256=")


def _is_challenge(request: SignedRequest) -> bool:
    return CHALLENGE in request.fields and not request.fields.get(TIMESTAMP)


def _is_repeated(request: SignedRequest) -> bool:
    return not request.repeated.isdisjoint(_SPELLED)


def _read_repeated(request: SignedRequest) -> Reading:
    names = ", ".join(_SPELLED[name] for name in sorted(request.repeated & _SPELLED.keys()))
    reason = f"{names} comes more than once, and nothing says which was meant"
    return Reading("aip", request.fields[DID], refusal=SignatureState.INVALID, reason=reason)


def _read_headers(request: SignedRequest) -> Reading:
    fields = request.fields
    did, timestamp, nonce, text = fields[DID], fields[TIMESTAMP], fields.get(NONCE, ""), fields[SIGNATURE]
    if ":" in nonce:
        return Reading("aip", did, refusal=SignatureState.UNSUPPORTED, reason=_COLON)
    prefixed = text.startswith(_PREFIX)
    signature = decode_base64(text.removeprefix(_PREFIX))
    if signature is None or len(signature) != 64:
        reason = "X-AIP-Signature is not the standard base64 of 64 octets"
        return Reading("aip", did, refusal=SignatureState.INVALID, reason=reason)
    created = parse_time(timestamp)
    epoch = created is None and _EPOCH.fullmatch(timestamp) is not None
    if epoch:
        created = float(timestamp)
    if created is None and parse_registry_time(timestamp) is None:
        return Reading("aip", did, refusal=SignatureState.INVALID, reason=_NOT_TIME)
    covers_body = not epoch or bool(nonce)
    body = request.body
    tail = f":{timestamp}:{nonce}:{body.sha256}"
    attempt = _by_path(request, tail, nonce) if covers_body else _by_url(request)
    variant = "aip" if covers_body else "aip-guide"
    notes: tuple[str, ...] = () if nonce else (_NO_NONCE,)
    if created is None:
        notes += (_NO_TIME,)
    return Reading(
        "aip-sep" if prefixed else variant,
        did,
        signature,
        attempt,
        partial(_whole_target, request, tail, nonce) if covers_body else partial(_guide_elsewhere, request),
        created,
        None,
        nonce,
        "",
        body.fault if covers_body else "",
        covers_body and body.octets is None,
        notes,
        on_mismatch=_SEP if prefixed else _MASKED if request.query_masked or request.path_masked else "",
    )


def _by_path(request: SignedRequest, tail: str, nonce: str) -> Attempt:
    """The middleware's message, which leaves the query out."""
    path, query, _ = request.origin_form.partition("?")
    message = _octets(f"{request.request.method.upper()}:{path}{tail}")
    if query:
        return Attempt(message, _PART_NONCE if nonce else _PART, "the query is not covered")
    return Attempt(message, _WHOLE_NONCE if nonce else _WHOLE)


def _whole_target(request: SignedRequest, tail: str, nonce: str) -> Iterator[Attempt]:
    target = request.origin_form
    if "?" in target:
        message = _octets(f"{request.request.method.upper()}:{target}{tail}")
        yield Attempt(message, _WHOLE_NONCE if nonce else _WHOLE)


def _by_url(request: SignedRequest, note: str = "") -> Attempt:
    """The guide's message."""
    message = f"{request.fields[DID]}|{request.uri}|{request.fields[TIMESTAMP]}"
    return Attempt(_octets(message), _URL, note)


def _guide_elsewhere(request: SignedRequest) -> Iterator[Attempt]:
    for other, note in request.elsewhere():
        yield _by_url(other, note)


def _octets(text: str) -> bytes:
    """The message's UTF-8. What has none is escaped, and then no signature holds."""
    return text.encode("utf-8", "backslashreplace")


class _ClientAip(Struct):
    did: str = ""


class _ClientInfo(Struct):
    aip: _ClientAip | None = None


class _Params(Struct):
    clientInfo: _ClientInfo | None = None


class _Initialize(Struct):
    method: str
    params: _Params | None = None


def _claimed(text: str) -> str | None:
    """The DID that an `initialize` or `aip/verify` message claims; None when it is neither."""
    try:
        message = msgspec.json.decode(text, type=_Initialize)
    except (ValueError, RecursionError):
        return None
    if message.method == "aip/verify":
        return ""
    client = message.params.clientInfo if message.params is not None else None
    return client.aip.did if message.method == "initialize" and client is not None and client.aip is not None else None


def _read_initialize(request: SignedRequest) -> tuple[Reading, ...]:
    body = request.request.body
    text = body.text if body is not None else None
    if text is None or _MEMBER not in text or len(text) > _MAX_INITIALIZE:
        return ()
    did = _claimed(text)
    if did is None:
        return ()
    reason = "AIP's challenge is answered inside initialize, once for the session; it says nothing about this request"
    return (Reading("aip-init", did, refusal=SignatureState.UNSUPPORTED, reason=reason),)


_ABSENT, _INVALID, _UNSUPPORTED = SignatureState.ABSENT, SignatureState.INVALID, SignatureState.UNSUPPORTED
_VARIANTS: tuple[tuple[Callable[[SignedRequest], bool], Callable[[SignedRequest], Reading]], ...] = (
    (
        _is_hmac,
        _refuse("aip-hmac", _UNSUPPORTED, "an HMAC (sha256=) can be checked only by who shares its secret"),
    ),
    (
        _lacks(DID),
        _refuse("aip-other", _UNSUPPORTED, "X-AIP-DID is missing; other protocols use AIP's header names"),
    ),
    (_lacks(SIGNATURE), _refuse("aip", _ABSENT, "X-AIP-Signature is missing: the DID is only claimed")),
    (_is_repeated, _read_repeated),
    (
        _is_challenge,
        _refuse("aip-tutorial", _UNSUPPORTED, "the AIP tutorial's signature covers a challenge, not this request"),
    ),
    (_lacks(TIMESTAMP), _refuse("aip", _INVALID, "X-AIP-Timestamp is missing: no AIP signature holds without it")),
    (lambda request: True, _read_headers),
)
"""The first row that holds reads a request with header fields of AIP."""
