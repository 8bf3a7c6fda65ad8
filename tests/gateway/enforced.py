"""What tests of an enforcing gateway need: a policy in memory, signed octets, a registry."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from rig import Reply, Script, Scripted, Talk, ok, post

from mcpwatch.gateway.enforcer import Enforcement
from mcpwatch.gateway.run import Gateway
from mcpwatch.identity.agent_key import AgentKey
from mcpwatch.identity.pins import add_pin
from mcpwatch.identity.resolvers import ResolverOptions
from mcpwatch.identity.signer import make_nonce, rfc9421_headers
from mcpwatch.policy.kept import KeptPolicy
from mcpwatch.policy.policy import Policy
from mcpwatch.policy.terms import Signatures, Terms

HOST = "127.0.0.1"
RESULT = b'{"jsonrpc":"2.0","id":1,"result":{}}'
PING = b'{"jsonrpc":"2.0","id":1,"method":"ping"}'
MODERN: dict[str, Any] = {"_meta": {"io.modelcontextprotocol/protocolVersion": "2026-07-28"}}
"""What a call of the stateless era has among its parameters."""
REQUIRED = Policy(everywhere=Terms(signatures=Signatures.REQUIRED))


def enforcing(
    state: Path,
    policy: Policy = REQUIRED,
    *,
    load: Callable[[], Policy] | None = None,
    registry: str = "",
    wait_s: float = 60.0,
) -> Enforcement:
    """Enforcement of a policy that no file holds, or of what `load` makes of it."""
    return Enforcement(
        policy=KeptPolicy(state / "policy.toml", {}, is_named=True, read=lambda *_: load() if load else policy),
        resolvers=ResolverOptions(registry=registry),
        wait_s=wait_s,
    )


def pinned(state: Path, name: str = "") -> AgentKey:
    """A key that the operator has pinned."""
    key = AgentKey.generate()
    add_pin(state / "keys.json", key.did_aip, key.public_base64, name)
    return key


def call(tool: str = "echo", id: object = 1, **more: Any) -> bytes:
    """A call of a tool, as JSON-RPC."""
    return json.dumps({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": {"name": tool, **more}}).encode()


def signed(
    key: AgentKey,
    body: bytes,
    *fields: bytes,
    method: str = "POST",
    target: str = "/mcp",
    key_id: str = "",
    at: float | None = None,
    covered: dict[str, str] | None = None,
) -> bytes:
    """A request with a signature over method, target, body and the fields in `covered`."""
    now = time.time() if at is None else at
    named = covered or {}
    made = rfc9421_headers(
        key, method, f"http://{HOST}{target}", named, body, now=now, nonce=make_nonce(), key_id=key_id or key.did_aip
    )
    lines = [f"{name}: {value}".encode() for name, value in (named | made).items()]
    return post(body, *lines, *fields, target=target.encode()).replace(b"POST", method.encode(), 1)


def registry_of(*keys: AgentKey) -> Script:
    """An AIP registry that knows these keys."""
    known = {key.did_aip: key.public_base64 for key in keys}

    async def script(talk: Talk) -> None:
        (did,) = parse_qs(urlsplit(talk.head.split(b" ")[1].decode()).query)["did"]
        found = {"verified": did in known, "did": did, "public_key": known.get(did), "key_history": None}
        await talk.send(ok(json.dumps(found).encode()))

    return script


async def silent(talk: Talk) -> None:
    """A server that never answers."""


def refused(reply: Reply, server: Scripted) -> str:
    """Why the gateway refused it, having passed nothing on."""
    assert not server.requests
    told = json.loads(reply.body)
    message: str = told["error"]["message"]
    assert message.startswith("mcpwatch gateway: denied by the policy: ")
    return message


def origin(server: Scripted) -> str:
    return server.url.removesuffix("/mcp")


def look(running: Gateway) -> None:
    """Have it look at its files now, and once more as it does before it goes by a change."""
    assert running.enforcer is not None
    running.enforcer.look()
    running.enforcer.look()


def edit(running: Gateway, state: Path, text: str = "edited") -> None:
    """Write another policy, which it takes in."""
    (state / "policy.toml").write_text(text)
    look(running)
