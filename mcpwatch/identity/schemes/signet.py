"""Signet request receipts: `_meta._signet` of a `tools/call`, signed with a key that the receipt itself carries.

Signed is the canonical JSON (RFC 8785) of the receipt's `v`, `action`, `signer`, `ts` and `nonce`, and of `policy` and
`exp` where they are there. The action names a tool and its arguments, which must be those of the call that the receipt
came with, or it was cut from another call. Nothing of HTTP is signed, nor the session.
"""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from hashlib import sha256
from typing import ClassVar

import msgspec
from msgspec import Struct

from mcpwatch.encoding import decode_base64
from mcpwatch.identity import ed25519, verifier
from mcpwatch.identity.canonical import Uncanonical, canonical, digest
from mcpwatch.identity.keys import KEY
from mcpwatch.identity.reading import Attempt, Reading
from mcpwatch.identity.request import SignedRequest
from mcpwatch.identity.strict_json import read_json
from mcpwatch.identity.times import parse_time
from mcpwatch.model.entries import Json
from mcpwatch.model.identity import Covered, Receipt, SignatureState

MAX_BODY = 131_072
"""Characters of a body that is searched for receipts."""
MAX_RECEIPTS = 8
"""Receipts of one batch that are checked."""
MAX_NAME = 64
"""Characters of a name or a method that are told."""
MAX_LINK = 128
"""Characters of a trace id or a parent's id; a longer one joins nothing."""

_MARK = '"_signet"'
_SIGNED = ("v", "action", "signer", "ts", "nonce", "policy", "exp")
_PREFIX = "ed25519:"
_SORTED = msgspec.json.Encoder(order="sorted")
_COVERED: tuple[Covered, ...] = (Covered.MCP, Covered.TIME, Covered.NONCE, Covered.ARGUMENTS)
_COVERED_IN_BATCH: tuple[Covered, ...] = (Covered.TIME, Covered.NONCE)
_INVALID, _UNSUPPORTED = SignatureState.INVALID, SignatureState.UNSUPPORTED

_MASKED = "the log masks values of the body, which may be signed"
_TWICE = "a member of the JSON comes twice, so that the receipt and its call can be read in more than one way"
_UNCANONICAL = "the signed JSON cannot be canonicalised: a number beyond what doubles hold exactly, or no Unicode text"
_TOO_LONG = f"the body is longer than {MAX_BODY} characters and not searched for its receipt"
_NOT_JSON = "the body cannot be read as JSON, so its receipt cannot be checked"
_NO_TIME = "ts is not a time with a zone: nothing says when this was signed"
_OTHER_VERSIONS = {
    2: "a compound receipt (v2) is about an answer, not about this request",
    3: "a bilateral receipt (v3) is about an answer, not about this request",
    4: "a delegated receipt (v4), whose chain of delegations is not checked here",
}


class _Action(Struct):
    tool: str
    params_hash: str
    params: Json = None
    trace_id: str | None = None
    parent_receipt_id: str | None = None


class _Signer(Struct):
    pubkey: str
    name: str = ""


class _Receipt(Struct):
    id: str
    action: _Action
    signer: _Signer
    ts: str
    nonce: str
    sig: str
    exp: str | None = None


class _Place(Struct, frozen=True):
    """Where a receipt stands."""

    method: Json
    params: Mapping[str, Json]
    masked: bool
    label: str = ""
    batch: str = ""
    """What to know where the call is one of several; empty where it is alone."""


class Signet:
    """The scheme's row."""

    name: ClassVar[str] = "signet"
    title: ClassVar[str] = "Signet request receipts"
    variants: ClassVar[Mapping[str, str]] = {"signet": "Signet receipt: tool, arguments, time and nonce of one call"}
    fields: ClassVar[frozenset[str]] = frozenset()
    marks: ClassVar[tuple[str, ...]] = (_MARK,)
    tokens: ClassVar[frozenset[str]] = frozenset()

    def read(self, request: SignedRequest) -> tuple[Reading, ...]:
        body = request.request.body
        text = body.text if body is not None else None
        if body is None or text is None or _MARK not in text:
            return ()
        if len(text) > MAX_BODY:
            return (_refused(_UNSUPPORTED, _TOO_LONG),)
        try:
            value, twice = read_json(text)
        except ValueError:
            return (_refused(_UNSUPPORTED, _MASKED if body.masked else _NOT_JSON),)
        found = list(_find(value, bool(body.masked)))
        if found and (fault := _TWICE if twice else request.body.fault):
            return (_refused(_INVALID, fault),)
        readings = [_read(receipt, place) for receipt, place in found[:MAX_RECEIPTS]]
        if len(found) > MAX_RECEIPTS:
            readings.append(_refused(_UNSUPPORTED, f"more than {MAX_RECEIPTS} receipts; the others are not looked at"))
        return tuple(readings)


def _find(value: Json, masked: bool) -> Iterator[tuple[Json, _Place]]:
    """Every receipt of a message or a batch, with where it stands."""
    messages = value if isinstance(value, list) else [value]
    held = [_params(message) for message in messages]
    count = sum("_signet" in _meta(params) for params in held)
    for message, params in zip(messages, held, strict=True):
        if "_signet" not in _meta(params):
            continue
        label = batch = ""
        if len(messages) > 1:
            label = f"of call {message.get('id')}"[:MAX_NAME]
            batch = f"it is the receipt {label}, one of {count} receipts for {len(messages)} messages in a batch"
        yield params["_meta"]["_signet"], _Place(message.get("method"), params, masked, label, batch)


def _params(message: Json) -> Mapping[str, Json]:
    params = message.get("params") if isinstance(message, dict) else None
    return params if isinstance(params, dict) else {}


def _meta(params: Mapping[str, Json]) -> Mapping[str, Json]:
    meta = params.get("_meta")
    return meta if isinstance(meta, dict) else {}


def _read(found: Json, place: _Place) -> Reading:
    version = found.get("v") if isinstance(found, dict) else None
    if type(version) is int and version != 1:
        reason = _OTHER_VERSIONS.get(version, f"a receipt of version {version}, of which only 1 is known")
        return _refused(_UNSUPPORTED, reason, place)
    try:
        receipt = msgspec.convert(found, type=_Receipt)
    except msgspec.ValidationError as error:
        return _malformed(str(error), place)
    key, signature = _key(receipt.signer.pubkey), _octets(receipt.sig)
    if version != 1 or key is None or signature is None:
        part = "v" if version != 1 else "signer.pubkey" if key is None else "sig"
        return _malformed(f"{part} is not as the format has it", place)
    expires = parse_time(receipt.exp) if receipt.exp is not None else None
    if receipt.exp is not None and expires is None:
        return _malformed("exp is not a time with a zone", place)
    try:
        signed = canonical({name: found[name] for name in _SIGNED if found.get(name) is not None})
        fault = _other_call(receipt.action, place)
    except Uncanonical:
        return _refused(_UNSUPPORTED, _UNCANONICAL, place)
    id = f"rec_{sha256(signature).hexdigest()[:32]}"
    if not fault and receipt.id != id:
        fault = "the receipt's id is not the one that its signature gives"
    if fault and place.masked:
        return _refused(_UNSUPPORTED, _MASKED, place)
    created = parse_time(receipt.ts)
    coverage = _COVERED_IN_BATCH if place.batch else _COVERED
    if created is None:
        coverage = tuple(covered for covered in coverage if covered is not Covered.TIME)
    return Reading(
        "signet",
        key.id,
        signature,
        Attempt(signed, coverage, place.batch),
        created=created,
        expires=expires,
        nonce=receipt.nonce,
        label=place.label,
        fault=fault,
        notes=(*_claim(receipt.signer.name), *(() if created is not None else (_NO_TIME,))),
        on_mismatch=_MASKED if place.masked else "",
        embedded=key.octets,
        receipt=None
        if place.batch
        else Receipt(id, _link(receipt.action.trace_id), _link(receipt.action.parent_receipt_id)),
    )


def _other_call(action: _Action, place: _Place) -> str:
    """Why the receipt is not for the call that it came with; empty where it is. Raises Uncanonical."""
    if place.method != "tools/call":
        return "the receipt was signed for a call of a tool, and this is none"
    if place.params.get("name") != action.tool:
        return f"signed for another tool: {action.tool[:MAX_NAME]}"
    arguments = place.params.get("arguments")
    if arguments is None:
        arguments = {}
    hashed = digest(arguments)
    if action.params_hash != hashed:
        return "signed for other arguments"
    if action.params is None or _SORTED.encode(action.params) == _SORTED.encode(arguments):
        return ""
    return "" if digest(action.params) == hashed else "signed for other arguments than those it gives the hash of"


class _Key(Struct, frozen=True):
    octets: bytes
    id: str


@lru_cache(maxsize=1024)
def _key(text: str) -> _Key | None:
    octets = decode_base64(text.removeprefix(_PREFIX)) if text.startswith(_PREFIX) else None
    if octets is None or len(octets) != ed25519.KEY_SIZE:
        return None
    return _Key(octets, KEY + verifier.fingerprint(octets))


def _octets(text: str) -> bytes | None:
    octets = decode_base64(text.removeprefix(_PREFIX)) if text.startswith(_PREFIX) else None
    return octets if octets is not None and len(octets) == ed25519.SIGNATURE_SIZE else None


def _claim(name: str) -> tuple[str, ...]:
    return (f"its signer calls itself {name[:MAX_NAME]}, which is a claim",) if name else ()


def _link(id: str | None) -> str:
    return id if id is not None and len(id) <= MAX_LINK else ""


def _malformed(reason: str, place: _Place) -> Reading:
    if place.masked:
        return _refused(_UNSUPPORTED, _MASKED, place)
    return _refused(_INVALID, f"the receipt is malformed: {reason}", place)


def _refused(state: SignatureState, reason: str, place: _Place | None = None) -> Reading:
    return Reading("signet", label=place.label if place is not None else "", refusal=state, reason=reason)
