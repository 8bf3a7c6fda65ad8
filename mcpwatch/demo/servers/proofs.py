"""A server that signs its answers (MCP-I, `result._meta.proof`), as middleware of the SDK's servers."""

import secrets
import time
from collections.abc import Callable
from hashlib import sha256
from typing import Any
from uuid import uuid4

import rfc8785
from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from pydantic import BaseModel

from mcpwatch.encoding import encode_base64url
from mcpwatch.identity.agent_key import AgentKey

Amend = Callable[[str, list[Any]], list[Any]]
"""Changes what a tool answered, after it was signed."""


class Prover:
    """Puts a proof into each answer of a tool that is no error.

    No agent here shakes hands (`_mcpi_handshake`), so each call is an MCP-I session of its own.
    """

    def __init__(self, key: AgentKey, amend: Amend) -> None:
        self._key = key
        self._amend = amend

    async def __call__(self, ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
        answer = await call_next(ctx)
        result = answer if isinstance(answer, dict) or answer is None else _dumped(answer)
        if ctx.method != "tools/call" or result is None or result.get("isError") or "content" not in result:
            return answer
        asked = ctx.params or {}
        tool, content = asked["name"], result["content"]
        proof = self.proof({"method": tool, "params": asked.get("arguments") or {}}, content)
        return {**result, "content": self._amend(tool, content), "_meta": {**result.get("_meta", {}), "proof": proof}}

    def proof(self, request: object, content: object) -> dict[str, object]:
        """A proof of one answer to one request."""
        did = self._key.did_key
        kid = f"{did}#{did.removeprefix('did:key:')}"
        session: dict[str, str | int] = {
            "nonce": secrets.token_urlsafe(16),
            "sessionId": f"mcpi_{uuid4()}",
            "ts": int(time.time()),
            "requestHash": _hash(request),
            "responseHash": _hash(content),
        }
        head = encode_base64url(rfc8785.dumps({"alg": "EdDSA", "kid": kid}))
        body = encode_base64url(rfc8785.dumps({**session, "aud": did, "iss": did, "sub": did}))
        signature = encode_base64url(self._key.sign(f"{head}.{body}".encode("ascii")))
        return {"jws": f"{head}.{body}.{signature}", "meta": {**session, "did": did, "kid": kid, "audience": did}}


def _hash(value: Any) -> str:
    return f"sha256:{sha256(rfc8785.dumps(value)).hexdigest()}"


def _dumped(result: BaseModel) -> dict[str, Any]:
    return result.model_dump(mode="json", by_alias=True, exclude_none=True)
