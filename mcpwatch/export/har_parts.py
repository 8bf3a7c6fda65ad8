"""Requests and answers as an HTTP archive tells them."""

from collections.abc import Iterable, Sequence
from typing import TypeVar
from urllib.parse import parse_qsl, urlsplit

from mcpwatch.model.entries import Body, End, Header, Json, Message, Request, Response
from mcpwatch.watch.row import Row

T = TypeVar("T", Response, Message, End)

UNKNOWN = -1
"""What the format says in place of a size that is not known."""
_VERSION = "unknown"
"""The log does not hold which version of HTTP was spoken."""
_STREAM = "text/event-stream"


def request_of(row: Row) -> dict[str, Json]:
    """A request, from its row."""
    request = row.http_request
    if request is None:
        return _request("", "", (), [], None)
    told = _request(request.method, _url(request), request.headers, _query(request.target), request.body)
    return told | {"_withheld": list(request.withheld)}


def response_of(head: Row | None, messages: Sequence[Row], end: Row | None, left_out: int) -> dict[str, Json]:
    """An answer, from the rows of its head, its messages and its end; status 0 where none came."""
    response = _data(head, Response)
    headers = response.headers if response is not None else ()
    told = _data(end, End)
    parts = [part for part in (_data(row, Message) for row in messages) if part is not None]
    return {
        "status": response.status if response is not None else 0,
        "statusText": "",
        "httpVersion": _VERSION,
        "cookies": [],
        "headers": _headers(headers),
        "content": _content(parts, headers, left_out),
        "redirectURL": _value(headers, "location"),
        "headersSize": UNKNOWN,
        "bodySize": told.sent if told is not None else UNKNOWN,
    }


def _request(
    method: str, url: str, headers: Sequence[Header], query: list[tuple[str, str]], body: Body | None
) -> dict[str, Json]:
    told: dict[str, Json] = {
        "method": method,
        "url": url,
        "httpVersion": _VERSION,
        "cookies": [],
        "headers": _headers(headers),
        "queryString": [{"name": name, "value": value} for name, value in query],
        "headersSize": UNKNOWN,
        "bodySize": body.size if body is not None else 0,
    }
    if body is not None:
        text = body.text if body.text is not None else body.base64
        told["postData"] = {
            "mimeType": _value(headers, "content-type"),
            "params": [],
            "text": text or "",
            "comment": _as_held(body),
        }
    return told


def _content(parts: Sequence[Message], headers: Sequence[Header], left_out: int) -> dict[str, Json]:
    """The body: a single one as it is, server-sent events as a stream has them."""
    is_stream = any(part.stream for part in parts)
    told: dict[str, Json] = {
        "size": sum(part.body.size for part in parts),
        "mimeType": _STREAM if is_stream else _value(headers, "content-type"),
    }
    if is_stream:
        told["text"] = "".join(_event(part) for part in parts)
    elif parts:
        body = parts[0].body
        if body.text is not None:
            told["text"] = body.text
        elif body.base64 is not None:
            told |= {"text": body.base64, "encoding": "base64"}
    said = [_as_held(part.body) for part in parts]
    more = [f"{left_out} messages left out"] if left_out else []
    told["comment"] = "; ".join(dict.fromkeys([*filter(None, said), *more]))
    return told


def _event(part: Message) -> str:
    """A server-sent event as a stream has it."""
    data = part.body.text if part.body.text is not None else part.body.base64 or ""
    fields = [("event", part.event), ("id", part.event_id)]
    lines = [f"{name}: {value}" for name, value in fields if value]
    return "\n".join([*lines, *(f"data: {line}" for line in data.split("\n")), "", ""])


def _as_held(body: Body) -> str:
    """How what is told of a body differs from what travelled; empty where it does not."""
    if body.truncated:
        return f"too large for the log: sha256 {body.sha256}"
    if body.text is None and body.base64 is None:
        return f"only its digest is in the log: sha256 {body.sha256}" if body.size else ""
    if body.masked:
        return f"{body.masked} values masked"
    return "base64" if body.text is None else ""


def _url(request: Request) -> str:
    if not request.target.startswith("/"):
        return request.target
    return f"{request.scheme}://{request.authority}{request.target}"


def _query(target: str) -> list[tuple[str, str]]:
    try:
        return parse_qsl(urlsplit(target).query, keep_blank_values=True)
    except ValueError:
        return []


def _headers(headers: Iterable[Header]) -> list[dict[str, Json]]:
    return [{"name": name, "value": value} for name, value in headers]


def _value(headers: Iterable[Header], name: str) -> str:
    return next((value for each, value in headers if each == name), "")


def _data(row: Row | None, kind: type[T]) -> T | None:
    record = row.entry.record if row is not None else None
    return record.data if record is not None and isinstance(record.data, kind) else None
