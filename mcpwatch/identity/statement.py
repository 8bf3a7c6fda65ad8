"""What an MCP-I response proof says: `jws` and `meta` of `result._meta.proof`, and the request that it hashes."""

from collections.abc import Iterator, Mapping
from typing import Final

import msgspec
from msgspec import Struct

from mcpwatch.encoding import encode_base64url
from mcpwatch.identity.canonical import canonical
from mcpwatch.identity.jws import ALGORITHMS, Jws, Malformed, read_jws
from mcpwatch.identity.keys import identity_of
from mcpwatch.identity.strict_json import read_json
from mcpwatch.model.entries import MASK, Json
from mcpwatch.model.identity import SignatureState, Signer

_INVALID, _UNSUPPORTED = SignatureState.INVALID, SignatureState.UNSUPPORTED
_REQUIRED: Final = ("did", "ts", "nonce", "audience", "sessionId", "requestHash", "responseHash")
_OPTIONAL: Final = ("scopeId", "delegationRef", "clientDid")
_PAYLOAD: Final = {"did": ("iss", "sub"), "audience": ("aud",)}
"""Members of `meta` that are signed under other names."""


class Refusal(Exception):
    """Why a proof proves nothing."""

    def __init__(self, state: SignatureState, reason: str, signer: Signer | None = None) -> None:
        super().__init__(reason)
        self.state = state
        self.reason = reason
        self.signer = signer


class Meta(Struct):
    """`meta`, which says in the open what is signed."""

    did: str
    kid: str
    ts: int
    nonce: str
    audience: str
    sessionId: str
    requestHash: str
    responseHash: str


class Statement(Struct, frozen=True):
    """A proof whose signature nobody has looked at."""

    jws: Jws
    meta: Meta
    signed: bytes
    """The octets that are signed (RFC 7515, section 5.1)."""
    key_id: str
    """The DID URL of the key."""


def read_statement(proof: Mapping[str, Json], masked: bool) -> Statement:
    """Read a proof; `masked` where the log masks values of the answer. Raises Refusal, Uncanonical."""
    text = proof["jws"] if isinstance(proof["jws"], str) else ""
    jws = _jws(text)
    found = _unmasked(proof["meta"], jws) if masked else proof["meta"]
    meta = _meta(found, masked)
    names = (*_REQUIRED, *(name for name in _OPTIONAL if found.get(name)))
    payload = canonical({signed: found[name] for name in names for signed in _PAYLOAD.get(name, (name,))})
    if jws.payload not in (b"", payload):
        raise Refusal(_INVALID, "meta says other things than what is signed")
    key_id = meta.kid if meta.kid.startswith("did:") else f"{meta.did}#{meta.kid.lstrip('#')}"
    if jws.key_id not in ("", meta.kid) or identity_of(key_id) != meta.did:
        raise Refusal(_INVALID, "the key it names is not one of the signer it names")
    return Statement(jws, meta, f"{jws.head}.{encode_base64url(payload)}".encode("ascii"), key_id)


def request_forms(params: Mapping[str, Json]) -> Iterator[Json]:
    """What may have been hashed for a call with these parameters: by the code of MCP-I, then by its specification."""
    name, arguments = params.get("name"), params.get("arguments")
    arguments = {} if arguments is None else arguments
    yield {"method": name, "params": arguments}
    yield {"method": "tools/call", "params": {"name": name, "arguments": arguments}}
    yield {"method": "tools/call", "params": params}


def _jws(text: str) -> Jws:
    try:
        jws = read_jws(text)
    except Malformed as error:
        raise Refusal(_INVALID, f"the JWS is malformed: {error}") from None
    if jws.algorithm not in ALGORITHMS:
        raise Refusal(_UNSUPPORTED, f"signed with {jws.algorithm[:16]}, which is not checked here")
    return jws


def _meta(found: Json, masked: bool) -> Meta:
    try:
        return msgspec.convert(found, type=Meta)
    except msgspec.ValidationError as error:
        if masked:
            raise Refusal(_UNSUPPORTED, "the log masks values of the proof") from None
        raise Refusal(_INVALID, f"meta is malformed: {error}") from None


def _unmasked(found: Json, jws: Jws) -> Json:
    """`meta` with the values that the log masks put back from the payload, which the log holds as sent."""
    try:
        payload, _ = read_json(jws.payload.decode())
    except ValueError:
        return found
    if not isinstance(payload, dict) or not isinstance(found, dict):
        return found
    signed = {name: _PAYLOAD.get(name, (name,))[0] for name in found}
    return {
        name: payload.get(signed[name], value) if isinstance(value, str) and MASK in value else value
        for name, value in found.items()
    }
