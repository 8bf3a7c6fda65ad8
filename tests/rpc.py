"""JSON-RPC bodies as clients and servers of both protocol eras send them."""

from mcpwatch.model.entries import Json

MODERN = "2026-07-28"
LEGACY = "2025-11-25"


def ask(id: str | int, method: str, params: Json = None) -> dict[str, Json]:
    """A JSON-RPC request."""
    return {"jsonrpc": "2.0", "id": id, "method": method} | ({} if params is None else {"params": params})


def call(id: str | int, name: str, /, meta: Json = None, **arguments: Json) -> dict[str, Json]:
    """A `tools/call` request; `meta` becomes `params._meta`."""
    params = {"name": name, "arguments": arguments}
    return ask(id, "tools/call", params if meta is None else {**params, "_meta": meta})


def note(method: str, params: Json = None) -> dict[str, Json]:
    """A JSON-RPC notification."""
    return {"jsonrpc": "2.0", "method": method} | ({} if params is None else {"params": params})


def result(id: str | int | None, value: Json = None) -> dict[str, Json]:
    """A JSON-RPC result; an empty object unless `value` is given."""
    return {"jsonrpc": "2.0", "id": id, "result": {} if value is None else value}


def error(id: str | int | None, code: int, message: str) -> dict[str, Json]:
    """A JSON-RPC error."""
    return {"jsonrpc": "2.0", "id": id, "error": {"code": code, "message": message}}


def text(content: str, *, is_error: bool = False) -> dict[str, Json]:
    """The result of a tool call with one text block."""
    return {"content": [{"type": "text", "text": content}], "isError": is_error}


def tool(name: str, description: str = "", **more: Json) -> dict[str, Json]:
    """A tool definition as `tools/list` gives it."""
    return {"name": name, "description": description, "inputSchema": {"type": "object"}, **more}


def modern(body: dict[str, Json], *, client: str = "agent", **meta: Json) -> dict[str, Json]:
    """The same request with the `_meta` keys that protocol 2026-07-28 requires; `client=""` leaves clientInfo out."""
    keys: dict[str, Json] = {
        "io.modelcontextprotocol/protocolVersion": MODERN,
        "io.modelcontextprotocol/clientCapabilities": {},
    }
    if client:
        keys["io.modelcontextprotocol/clientInfo"] = {"name": client, "version": "1.0"}
    params = body.get("params") or {}
    return {**body, "params": {**params, "_meta": {**keys, **params.get("_meta", {}), **meta}}}


def modern_headers(body: dict[str, Json]) -> dict[str, str]:
    """The header fields that protocol 2026-07-28 requires beside `body`."""
    params = body.get("params") or {}
    name = params.get("name") or params.get("uri") or ""
    found = {"mcp-protocol-version": MODERN, "mcp-method": str(body.get("method", ""))}
    return found | ({"mcp-name": str(name)} if name else {})
