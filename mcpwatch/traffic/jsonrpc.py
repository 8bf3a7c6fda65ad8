"""Bodies to JSON-RPC 2.0 messages: single, batch (protocol 2025-03-26 only) or a fault that says why not.

Reading is as lenient as the most lenient server or client would be: what one of them may act on must not be
hidden from the watcher by a detail that a strict reader refuses. What cannot be read at all is a message with a
fault. Nothing here raises.
"""

import re
from hashlib import sha256
from typing import Final

import msgspec

from mcpwatch.model.entries import Body, Json
from mcpwatch.model.traffic import Direction, RpcMessage
from mcpwatch.text import count

MAX_DEPTH: Final = 64
"""Nesting beyond this is a fault, so that whoever walks a message need not fear for the stack."""

MAX_BATCH: Final = 256
"""Messages read of one batch."""

MAX_ID: Final = 256
"""Characters of an id that are kept as they are; a longer one is kept as its head and its digest."""

_TOO_DEEP = f"JSON nested deeper than {MAX_DEPTH}"
_MAX_INT = 2**63 - 1
_JSON = msgspec.json.Decoder()
_LENIENT = msgspec.json.Decoder(float_hook=float)
_ESCAPE = re.compile(
    r"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|u([dD][89a-fA-F][0-9a-fA-F]{2})|.)", re.DOTALL
)


def parse(body: Body, direction: Direction, event: str = "") -> tuple[RpcMessage, ...]:
    """Read the JSON-RPC messages of a body; none for an empty body, one with a fault where it is not JSON-RPC."""
    if not body.size:
        return ()
    text = body.text
    if text is None:
        return (RpcMessage(direction, fault=_unreadable(body), captured=is_carried(body), event=event),)
    try:
        value = _JSON.decode(text)
        fault = _TOO_DEEP if _is_deep(text, value) else ""
    except (ValueError, RecursionError):
        value, fault = _decode_leniently(text)
    if type(value) is dict and not fault:
        return (_message(value, direction, event),)
    if fault:
        masked = f", with {count(body.masked, 'value')} masked" if body.masked else ""
        return (RpcMessage(direction, fault=fault + masked, captured=not body.masked, event=event),)
    if type(value) is not list:
        return (RpcMessage(direction, fault="not JSON-RPC: neither an object nor an array", event=event),)
    if not value:
        return (RpcMessage(direction, fault="an empty batch", event=event),)
    messages = tuple(_message(part, direction, event) for part in value[:MAX_BATCH])
    if len(value) > MAX_BATCH:
        fault = f"{len(value) - MAX_BATCH} more messages of this batch were not read"
        messages = (*messages, RpcMessage(direction, fault=fault, event=event))
    return messages


def is_carried(body: Body) -> bool:
    """Whether the log holds the body itself and not only its size and digest."""
    return not body.size or body.text is not None or body.base64 is not None


def _decode_leniently(text: str) -> tuple[Json, str]:
    """Take a byte order mark, half a surrogate pair or a number beyond doubles in our stride, as some readers do."""
    try:
        value = _LENIENT.decode(_ESCAPE.sub(_whole, text.removeprefix("\ufeff")))
    except RecursionError:
        return None, _TOO_DEEP
    except ValueError as error:
        return None, f"not JSON: {error}"
    return (None, _TOO_DEEP) if _is_deep(text, value) else (value, "")


def _unreadable(body: Body) -> str:
    if body.base64 is not None:
        return "not UTF-8"
    if body.truncated:
        return f"a body of {body.size} octets, too large for the log to carry"
    return f"a body of {body.size} octets, of which only the digest travels"


def _message(value: Json, direction: Direction, event: str) -> RpcMessage:
    if not isinstance(value, dict):
        return RpcMessage(direction, fault="not JSON-RPC: not an object", event=event)
    id = value.get("id")
    if id is not None and (type(id) is not int or not -_MAX_INT <= id <= _MAX_INT) and type(id) is not str:
        id = _as_id(id)
    if type(id) is str and len(id) > MAX_ID:
        id = f"{id[:64]}…{sha256(id.encode('utf-8', 'surrogatepass')).hexdigest()}"
    method = value.get("method")
    if type(method) is str:
        return RpcMessage(direction, id, method, value.get("params"), event=event)
    error = value.get("error")
    if "result" in value or type(error) is dict:
        if value.get("jsonrpc") == "2.0" or "id" in value:
            return RpcMessage(direction, id, "", None, value.get("result"), error, event=event)
        return RpcMessage(direction, fault="not JSON-RPC: an answer without version and id", event=event)
    if method is not None:
        return RpcMessage(direction, fault="not JSON-RPC: the method is not a string", event=event)
    return RpcMessage(direction, fault="not JSON-RPC: neither method, result nor error", event=event)


def _as_id(id: Json) -> str | int:
    """An id of a type that JSON-RPC does not allow, made one that can be compared."""
    if type(id) is float and id.is_integer() and abs(id) <= _MAX_INT:
        return int(id)
    return msgspec.json.encode(id, order="sorted").decode()


def _whole(match: re.Match[str]) -> str:
    return "\\ufffd" if match[1] else match[0]


def _is_deep(text: str, value: Json) -> bool:
    """Whether containers nest deeper than MAX_DEPTH; looks level by level, without recursion."""
    if text.count("{") + text.count("[") <= MAX_DEPTH:
        return False
    level = [value] if type(value) is dict or type(value) is list else []
    for _ in range(MAX_DEPTH):
        within = [inner for outer in level for inner in (outer.values() if type(outer) is dict else outer)]
        level = [inner for inner in within if type(inner) is dict or type(inner) is list]
        if not level:
            return False
    return True
