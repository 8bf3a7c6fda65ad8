"""Signet receipts made with nothing but RFC 8785 and a key, and requests that carry them."""

import json
from base64 import b64encode
from datetime import UTC, datetime
from hashlib import sha256

import rfc8785
from signed import ALICE, NOW, body_of, request

from mcpwatch.identity.agent_key import AgentKey
from mcpwatch.model.entries import Json, Request

ARGUMENTS: dict[str, Json] = {"city": "Zürich", "days": 3, "exact": 0.5}


def params_hash(arguments: Json) -> str:
    """`params_hash` of a call's arguments."""
    return f"sha256:{sha256(rfc8785.dumps(arguments)).hexdigest()}"


def receipt(
    tool: str = "forecast",
    arguments: Json = ARGUMENTS,
    *,
    key: AgentKey = ALICE,
    now: float = NOW,
    nonce: str = "rnd_00000000000000000000000000000001",
    action: dict[str, Json] | None = None,
    **more: Json,
) -> dict[str, Json]:
    """A signed receipt; `action` overrides members of its action, `more` of the receipt before it is signed."""
    signed: dict[str, Json] = {
        "v": 1,
        "action": {
            "tool": tool,
            "params": arguments,
            "params_hash": params_hash(arguments),
            "target": "unknown",
            "transport": "stdio",
            **(action or {}),
        },
        "signer": {"pubkey": f"ed25519:{b64encode(key.public).decode()}", "name": "planner", "owner": ""},
        "ts": datetime.fromtimestamp(now, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "nonce": nonce,
        **more,
    }
    signature = key.sign(rfc8785.dumps(signed))
    id = f"rec_{sha256(signature).hexdigest()[:32]}"
    return {**signed, "id": id, "sig": f"ed25519:{b64encode(signature).decode()}"}


def call(
    carried: Json, tool: str = "forecast", arguments: Json = ARGUMENTS, *, id: int = 1, method: str = "tools/call"
) -> dict[str, Json]:
    """A call of a tool that carries a receipt."""
    params = {"name": tool, "arguments": arguments, "_meta": {"_signet": carried}}
    return {"jsonrpc": "2.0", "id": id, "method": method, "params": params}


def asked(message: Json, **changes: object) -> Request:
    """The request with this body; `changes` are of the body as the log holds it."""
    data = (message if isinstance(message, str) else json.dumps(message)).encode("utf-8", "surrogatepass")
    return request({"content-type": "application/json"}, body=body_of(data, **changes))
