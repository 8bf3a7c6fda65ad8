"""What messages say of themselves: `_meta` keys, names of clients and servers, texts. Claims, never proofs."""

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

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


def software(info: Json) -> str:
    """Name and version of a `clientInfo` or `serverInfo`; empty where there is none."""
    if type(info) is not dict:
        return ""
    name, version = info.get("name"), info.get("version")
    if type(name) is not str or type(version) is not str or len(name) + len(version) > _MAX_NAME:
        return f"{text(name, _MAX_NAME)} {text(version, _MAX_NAME)}".strip()
    return f"{name} {version}" if name and version else name or version


def server(method: str, result: Mapping[str, Json]) -> str:
    """Name and version of the server that gave `result` to a request for `method`, as it claims."""
    if method == "initialize":
        return software(result.get("serverInfo"))
    meta = result.get("_meta")
    return software(meta.get(SERVER_INFO)) if type(meta) is dict else ""


def first_text(result: Json) -> str:
    """The first text block of a tool's result."""
    content = fields(result).get("content")
    for block in content[:8] if type(content) is list else ():
        if found := text(fields(block).get("text")):
            return found
    return ""


class Said(Struct, frozen=True, gc=False):
    """What a request or notification says of itself, read once."""

    params: Mapping[str, Json] = _NOTHING
    meta: Mapping[str, Json] = _NOTHING
    """`_meta` of the params."""
    target: str = ""
    """Name of a tool or prompt, resource URI or task id; empty for methods that act on nothing named."""
    client: str = ""
    """Name and version of the client."""
    version: str = ""
    """The protocol version in `_meta`."""
    traceparent: str = ""
    """W3C Trace Context (SEP-414)."""
    progress: str | int | None = None
    """The progress token."""


SILENT: Final = Said()


def read(message: RpcMessage) -> Said:
    """Read a request or notification."""
    params = message.params
    if type(params) is not dict:
        return SILENT
    key = TARGET_KEYS.get(message.method)
    target = params.get(key) if key is not None else ""
    if type(target) is not str or len(target) > _MAX_TEXT:
        target = text(target)
    meta = params.get("_meta")
    if type(meta) is not dict:
        client = software(params.get("clientInfo")) if message.method == "initialize" else ""
        return Said(params, _NOTHING, target, client)
    get = meta.get
    client = software(params.get("clientInfo") if message.method == "initialize" else get(CLIENT_INFO))
    version, trace = get(PROTOCOL_VERSION), get("traceparent")
    return Said(
        params,
        meta,
        target,
        client,
        version if type(version) is str else "",
        trace if type(trace) is str else "",
        token(progress) if (progress := get("progressToken")) is not None else None,
    )
