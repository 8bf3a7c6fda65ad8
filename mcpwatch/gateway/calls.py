"""What a request asks of a server, read so that no server can read it in another way.

Servers differ in what they take: some go by the first of two members of one name and some by the last, some match
names in any case, some undo a Content-Encoding. So whatever can be read twice is refused where it matters who calls
what, and nothing is guessed.
"""

from collections.abc import Iterator, Sequence
from email.message import Message

from msgspec import Struct

from mcpwatch.encoding import decode_base64
from mcpwatch.gateway.headers import RawHeader, content_encoding, octets
from mcpwatch.identity.strict_json import read_json
from mcpwatch.model.entries import Json
from mcpwatch.policy.ruling import NOTIFICATIONS

MAX_BATCH = 256
"""Messages of a batch."""

_VERSION = "io.modelcontextprotocol/protocolVersion"
_SINGLE = frozenset(
    {b"authorization", b"content-type", b"mcp-session-id", b"mcp-protocol-version", b"mcp-method", b"mcp-name"}
)
"""Fields that servers go by and that must not come twice."""
_EXACT = _SINGLE | {b"content-encoding"}
"""Fields that must not come under a name that some servers take for theirs, nor be taken away on the way."""
_OVERRIDES = frozenset({b"x-http-method-override", b"x-http-method", b"x-method-override"})
"""Fields by which some servers take a request for one of another method."""
_MEMBERS = {
    "message": ("jsonrpc", "id", "method", "params", "result", "error"),
    "params": ("name", "arguments", "_meta"),
}
"""Members that decide what is called."""
_NAMED = {"tools/call": "name", "prompts/get": "name", "resources/read": "uri"}
"""Methods whose target Mcp-Name repeats (SEP-2243), and the parameter that holds it."""
_OPEN, _CLOSE = "=?base64?", "?="
_UTF_8 = ("", "utf-8", "utf8", "us-ascii")


class Unreadable(Exception):
    """Servers may read the request in more than one way, or in one that nobody knows; says why."""


class Call(Struct, frozen=True):
    """One message of a request."""

    method: str = ""
    """Empty for the client's answer to a server."""
    id: str | int | float | None = None
    """None for a notification and an answer."""
    tool: str = ""
    """Of a `tools/call`."""


class Asked(Struct, frozen=True):
    """All that one request asks for."""

    calls: tuple[Call, ...] = ()
    """None where it has no body."""
    is_batch: bool = False
    version: str = ""
    """The protocol version that a message of the stateless era claims; empty for the era of sessions."""


def read_calls(headers: Sequence[RawHeader], body: bytes | None) -> Asked:
    """What a request asks for; raises Unreadable."""
    fields = dict(_fields(headers))
    if not body:
        return Asked()
    if encoding := content_encoding(headers):
        raise Unreadable(f"its body is encoded ({encoding[:40]})")
    if _charset(fields.get(b"content-type", "")) not in _UTF_8:
        raise Unreadable("its body is not said to be UTF-8")
    try:
        value, twice = read_json(body.decode())
    except ValueError:
        raise Unreadable("its body is not JSON in UTF-8") from None
    if twice:
        raise Unreadable("a member of its JSON comes twice")
    is_batch = isinstance(value, list)
    if is_batch and len(value) > MAX_BATCH:
        raise Unreadable(f"its batch has more than {MAX_BATCH} messages")
    messages = value if isinstance(value, list) else [value]
    calls = tuple(_call(message) for message in messages)
    versions = {_version(message) for message in messages}
    if not calls or len(versions) > 1:
        raise Unreadable("its batch is empty" if not calls else "the messages of its batch claim several versions")
    version = versions.pop()
    for message, call in zip(messages, calls, strict=True):
        _compare(fields, message, call, version)
    return Asked(calls, is_batch, version)


def _fields(headers: Sequence[RawHeader]) -> Iterator[tuple[bytes, str]]:
    """The fields that servers go by; raises Unreadable where one comes twice."""
    seen: set[bytes] = set()
    for raw, value in headers:
        name = raw.lower()
        # Servers behind CGI or WSGI do not tell _ from - in a name.
        dashed = name.replace(b"_", b"-")
        if dashed in _OVERRIDES:
            raise Unreadable(f"its field {octets(name)} may change its method")
        if dashed != name and dashed in _EXACT:
            raise Unreadable(f"its field {octets(name)} may be taken for {octets(dashed)}")
        if name == b"connection" and any(word.strip().lower() in _EXACT for word in value.split(b",")):
            raise Unreadable("its field connection keeps from the server what it goes by")
        if name in _SINGLE:
            if name in seen:
                raise Unreadable(f"its field {octets(name)} comes twice")
            seen.add(name)
            yield name, octets(value).strip(" \t")


def _charset(content_type: str) -> str:
    if ";" not in content_type:
        return ""
    message = Message()
    message["content-type"] = content_type
    return str(message.get_param("charset", "")).strip().lower()


def _call(message: Json) -> Call:
    if not isinstance(message, dict):
        raise Unreadable("its body is not JSON-RPC")
    _refuse_look_alikes(message, "message")
    method, id = message.get("method"), message.get("id")
    if id is not None and (isinstance(id, bool) or not isinstance(id, str | int | float)):
        raise Unreadable("the id of its message is neither text nor a number")
    if isinstance(id, str) and _has_surrogate(id):
        raise Unreadable("the id of its message is no Unicode text")
    if "method" not in message:
        if "result" not in message and "error" not in message:
            raise Unreadable("its message has no method, result or error")
        return Call()
    if not isinstance(method, str) or not method:
        raise Unreadable("the method of its message is no text")
    if not method.isprintable():
        raise Unreadable("the method of its message holds characters that no name has")
    if id is not None and method.startswith(NOTIFICATIONS):
        raise Unreadable("its message is called as a notification and wants an answer")
    params = message.get("params")
    if isinstance(params, dict):
        _refuse_look_alikes(params, "params")
    if method != "tools/call":
        return Call(method, id)
    tool = params.get("name") if isinstance(params, dict) else None
    if not isinstance(tool, str) or not tool:
        raise Unreadable("it calls a tool and does not name it")
    if not tool.isprintable():
        raise Unreadable("the name of its tool holds characters that no name has")
    return Call(method, id, tool)


def _has_surrogate(text: str) -> bool:
    """Whether it has half a surrogate pair, which parsers refuse, drop or replace."""
    return any("\ud800" <= each <= "\udfff" for each in text)


def _refuse_look_alikes(found: dict[str, Json], where: str) -> None:
    """Raise Unreadable for a member whose name only differs in case from one that decides what is called."""
    for name in found:
        if name not in _MEMBERS[where] and name.casefold() in _MEMBERS[where]:
            raise Unreadable(f"a member of its {where} is called as {name.casefold()} is, but for the case of letters")


def _version(message: Json) -> str:
    params = message.get("params") if isinstance(message, dict) else None
    meta = params.get("_meta") if isinstance(params, dict) else None
    version = meta.get(_VERSION) if isinstance(meta, dict) else None
    return version if isinstance(version, str) else ""


def _compare(fields: dict[bytes, str], message: dict[str, Json], call: Call, version: str) -> None:
    """Raise Unreadable where a header field says another thing than the body."""
    if not call.method:
        return
    params = message.get("params")
    key = _NAMED.get(call.method, "")
    target = params.get(key) if isinstance(params, dict) else None
    for name, said in ((b"mcp-method", call.method), (b"mcp-name", target), (b"mcp-protocol-version", version)):
        if name in fields and isinstance(said, str) and said and _decoded(fields[name]) != said:
            raise Unreadable(f"its field {octets(name)} and its body disagree")


def _decoded(value: str) -> str | None:
    """What a field says; None for base64 that is none."""
    if not (value.startswith(_OPEN) and value.endswith(_CLOSE)):
        return value
    data = decode_base64(value[len(_OPEN) : -len(_CLOSE)])
    try:
        return None if data is None else data.decode()
    except UnicodeDecodeError:
        return None
