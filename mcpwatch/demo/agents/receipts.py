"""Signet receipts: each call carries, in `_meta`, a signed note of what is called and which call led to it."""

import secrets
from base64 import b64encode
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, cast

import rfc8785
from mcp.client.client import Client
from mcp_types import CallToolResult, RequestParamsMeta

from mcpwatch.identity.agent_key import AgentKey

Receipt = dict[str, object]


class Receipts:
    """Calls of one trace, each with a receipt that names the one before."""

    def __init__(self, key: AgentKey, name: str) -> None:
        self._key = key
        self._name = name
        self._trace = f"trace_{secrets.token_hex(8)}"
        self._last = ""

    async def call(self, client: Client, tool: str, **arguments: object) -> CallToolResult:
        """The next call of the chain."""
        receipt = self.receipt(tool, arguments)
        return await client.call_tool(tool, arguments, meta=cast(RequestParamsMeta, {"_signet": receipt}))

    def receipt(self, tool: str, arguments: Mapping[str, object]) -> Receipt:
        """A signed receipt of a call; it becomes the parent of the next one."""
        digest = sha256(canonical(arguments)).hexdigest()
        action: Receipt = {
            "tool": tool,
            "params": arguments,
            "params_hash": f"sha256:{digest}",
            "target": "mcp://orders",
            "transport": "http",
            "trace_id": self._trace,
        }
        if self._last:
            action["parent_receipt_id"] = self._last
        signer = {"pubkey": f"ed25519:{self._key.public_base64}", "name": self._name, "owner": "shop"}
        moment = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        signed: Receipt = {
            "v": 1,
            "action": action,
            "signer": signer,
            "ts": moment,
            "nonce": f"rnd_{secrets.token_hex(16)}",
        }
        signature = self._key.sign(canonical(signed))
        self._last = f"rec_{sha256(signature).hexdigest()[:32]}"
        return {**signed, "id": self._last, "sig": f"ed25519:{b64encode(signature).decode('ascii')}"}


def canonical(value: Any) -> bytes:
    """RFC 8785 JSON."""
    return rfc8785.dumps(value)
