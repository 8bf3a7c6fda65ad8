"""What messages say of themselves: `_meta` keys, names of clients and servers, texts. Claims, never proofs."""

from collections.abc import Mapping
from typing import Final

from mcpwatch.model.entries import Json
from mcpwatch.model.traffic import RpcMessage

CLIENT_INFO: Final = "io.modelcontextprotocol/clientInfo"
SERVER_INFO: Final = "io.modelcontextprotocol/serverInfo"
PROTOCOL_VERSION: Final = "io.modelcontextprotocol/protocolVersion"
SUBSCRIPTION: Final = "io.modelcontextprotocol/subscriptionId"
RELATED_TASK: Final = "io.modelcontextprotocol/related-task"

TARGET_KEYS: Final = {
    "tools/call": "name",
    "prompts/get": "name",
    "resources/read": "uri",
    "resources/subscribe": "uri",
    "resources/unsubscribe": "uri",
    "tasks/get": "taskId",
    "tasks/update": "taskId",
    "tasks/cancel": "taskId",
    "tasks/result": "taskId",
}
"""Methods that act on something named, and the parameter that names it."""

_MAX_NAME = 200
_MAX_TEXT = 2_000
_NOTHING: Mapping[str, Json] = {}


def fields(value: Json) -> Mapping[str, Json]:
    """The object `value` is; an empty one where it is something else."""
    return value if type(value) is dict else _NOTHING


def meta(params: Json) -> Mapping[str, Json]:
    """`_meta` of params or of a result."""
    return fields(fields(params).get("_meta"))


def text(value: Json, limit: int = _MAX_TEXT) -> str:
    """The string `value` is, cut to `limit` characters; empty where it is something else."""
    return value[:limit] if type(value) is str else ""


def number(value: Json) -> float | None:
    """The number `value` is; None where it is something else or beyond a double."""
    if type(value) is not int and type(value) is not float:
        return None
    try:
        return float(value)
    except OverflowError:
        return None


def token(value: Json) -> str | int | None:
    """A progress token, request id or subscription id that can be compared; None where `value` is none."""
    return value if type(value) is str or type(value) is int else None


def target(message: RpcMessage) -> str:
    """What a request acts on: the name of a tool or prompt, a resource URI, a task id; empty for other methods."""
    key = TARGET_KEYS.get(message.method)
    return text(fields(message.params).get(key)) if key else ""


def software(info: Json) -> str:
    """Name and version of a `clientInfo` or `serverInfo`; empty where there is none."""
    name = text(fields(info).get("name"), _MAX_NAME)
    version = text(fields(info).get("version"), _MAX_NAME)
    return f"{name} {version}".strip()


def client(message: RpcMessage) -> str:
    """Name and version of the client that made a request, as it claims."""
    params = fields(message.params)
    if message.method == "initialize":
        return software(params.get("clientInfo"))
    return software(fields(params.get("_meta")).get(CLIENT_INFO))


def server(method: str, result: Json) -> str:
    """Name and version of the server that gave `result` to a request for `method`, as it claims."""
    found = fields(result)
    if method == "initialize":
        return software(found.get("serverInfo"))
    return software(fields(found.get("_meta")).get(SERVER_INFO))


def first_text(result: Json) -> str:
    """The first text block of a tool's result."""
    content = fields(result).get("content")
    for block in content[:8] if type(content) is list else ():
        if found := text(fields(block).get("text")):
            return found
    return ""
