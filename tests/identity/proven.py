"""MCP-I answers, their proofs made by joserfc and rfc8785 alone."""

import json
from collections.abc import Callable
from hashlib import sha256

import rfc8785
from joserfc import jws
from joserfc.jwk import ECKey, OKPKey
from signed import ALICE, NOW, body_of

from mcpwatch.encoding import encode_base64url
from mcpwatch.identity.agent_key import AgentKey
from mcpwatch.identity.keys import KeyBook
from mcpwatch.identity.proofs import Asked, Moment, ProofJudge
from mcpwatch.model.entries import Body, Json
from mcpwatch.model.identity import ServerProof

CALL: dict[str, Json] = {
    "jsonrpc": "2.0",
    "id": 4,
    "method": "tools/call",
    "params": {"name": "balance", "arguments": {"account": "K-1", "exact": 1.5}, "_meta": {"progressToken": 4}},
}
RESULT: dict[str, Json] = {"content": [{"type": "text", "text": "12,50 €"}], "structuredContent": {"cents": 1250}}
KID = f"{ALICE.did_key}#keys-1"
SEED = bytes(range(32))


def hashed(value: Json) -> str:
    """A hash as MCP-I writes it."""
    return f"sha256:{sha256(rfc8785.dumps(value)).hexdigest()}"


def by_code(call: Json) -> Json:
    """What MCP-I's code hashes of a request."""
    return {"method": call["params"]["name"], "params": call["params"].get("arguments", {})}


def by_specification(call: Json) -> Json:
    """What MCP-I's specification says to hash."""
    params = call["params"]
    return {"method": "tools/call", "params": {"name": params["name"], "arguments": params.get("arguments", {})}}


def whole(call: Json) -> Json:
    """The specification read to the letter."""
    return {"method": call["method"], "params": call["params"]}


def jwk(key: AgentKey, seed: bytes = SEED) -> OKPKey:
    """The key as joserfc holds it."""
    public = encode_base64url(key.public)
    return OKPKey.import_key({"kty": "OKP", "crv": "Ed25519", "x": public, "d": encode_base64url(seed)})


def proof(
    call: Json = CALL,
    result: Json = RESULT,
    *,
    did: str = ALICE.did_key,
    kid: str = KID,
    key: OKPKey | ECKey | None = None,
    alg: str = "EdDSA",
    now: float = NOW,
    form: Callable[[Json], Json] = by_code,
    header: dict[str, Json] | None = None,
    **more: Json,
) -> dict[str, Json]:
    """A proof; `more` are members of `meta` that are signed."""
    said = {
        "nonce": "k7Hy9mNpQrStUvWxYz01Aa",
        "sessionId": "mcpi_d7f8a9b0-1c2d-4e3f-8a9b-0c1d2e3f4a5b",
        "ts": int(now),
        "requestHash": hashed(form(call)),
        "responseHash": hashed(result["content"]),
        **more,
    }
    audience = "did:web:bank.example"
    payload = rfc8785.dumps({**said, "aud": audience, "iss": did, "sub": did})
    protected = {"alg": alg, "kid": kid} if header is None else header
    text = jws.serialize_compact(
        protected, payload, key or jwk(ALICE), algorithms=["EdDSA", "Ed25519", "ES256", "HS256"]
    )
    return {"jws": text, "meta": {**said, "did": did, "kid": kid, "audience": audience}}


def answer(proof: Json, result: Json = RESULT, id: int = 4) -> dict[str, Json]:
    """The answer that carries a proof."""
    return {"jsonrpc": "2.0", "id": id, "result": {**result, "_meta": {"proof": proof}}}


def body(message: Json, **changes: object) -> Body:
    """A message as the log holds it."""
    return body_of((message if isinstance(message, str) else json.dumps(message)).encode(), **changes)


def judged(
    message: Json,
    call: Json = CALL,
    *,
    now: float = NOW,
    index: int = 9,
    court: ProofJudge | None = None,
    keys: KeyBook | None = None,
) -> ServerProof | None:
    """What becomes of an answer to a call."""
    court = court or ProofJudge(keys or KeyBook())
    return court.judge(Moment(index, "", now), body(message), Asked(body(call), call["id"]))
