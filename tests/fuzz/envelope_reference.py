"""Entries a second time: SPEC.md, section 2, as a table of members over Python's own JSON."""

import json
import re
from collections.abc import Callable
from datetime import datetime

from msgspec import Struct

Json = object
Check = Callable[[Json], bool]

MAX_LEAF = 524_288
_TIME = re.compile(r"(\d{4})-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?Z", re.ASCII)
LIMIT = 2**53 - 1


class Pairs(Struct, frozen=True):
    """An object's members in the order they came."""

    members: tuple[tuple[str, Json], ...]


class Member(Struct, frozen=True):
    """A member that an object may have in this place."""

    name: str
    holds: Check
    default: Json = ...
    """The value that is left out; `...` where the member has to be there."""


def text(value: Json) -> bool:
    return isinstance(value, str)


def flag(value: Json) -> bool:
    return isinstance(value, bool)


def number(value: Json) -> bool:
    return type(value) is int and 0 <= value <= LIMIT


def seconds(value: Json) -> bool:
    return type(value) is int and -LIMIT <= value <= LIMIT


def one_of(*words: str) -> Check:
    return lambda value: value in words


def every(check: Check) -> Check:
    return lambda value: isinstance(value, list) and all(check(each) for each in value)


def header(value: Json) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(isinstance(each, str) for each in value)


def thing(*members: Member) -> Check:
    """An object of these members, in this order, none of them with its default."""

    def check(value: Json) -> bool:
        if not isinstance(value, Pairs):
            return False
        names = [name for name, _ in value.members]
        known = {member.name: member for member in members}
        return (
            names == [member.name for member in members if member.name in names]
            and len(set(names)) == len(names)
            and all(member.name in names for member in members if member.default is ...)
            and all(known[name].holds(each) and each != known[name].default for name, each in value.members)
        )

    return check


def when(value: Json) -> bool:
    """A UTC time in the one spelling."""
    matched = _TIME.fullmatch(value) if isinstance(value, str) else None
    if matched is None or matched[2] == ".000000" or not 1970 <= int(matched[1]) < 9999:
        return False
    try:
        datetime.fromisoformat(matched[0])
    except ValueError:
        return False
    return True


CAPTURE = one_of("full", "masked", "digest")
HEADERS = Member("headers", every(header))
EXCHANGE = Member("exchange", number)
BODY = thing(
    Member("size", number),
    Member("sha256", text),
    Member("text", text, None),
    Member("base64", text, None),
    Member("masked", number, 0),
    Member("sha512", text, None),
    Member("truncated", flag, False),
    Member("encoding", text, ""),
)
PRINCIPAL = thing(
    Member("scheme", text),
    Member("token_hash", text),
    Member("issuer", text, ""),
    Member("subject", text, ""),
    Member("audience", every(text), []),
    Member("expires", seconds, None),
    Member("algorithm", text, ""),
    Member("key_thumbprint", text, ""),
    Member("access_token_sha256", text, ""),
)
UPSTREAM = thing(Member("name", text), Member("url", text), Member("path", text, ""))
TOOL = thing(Member("tool", text), Member("capture", CAPTURE), Member("server", text, ""))
SILENCE = thing(Member("rule", text), Member("subject", text), Member("until", seconds))
TYPES: dict[str, Check] = {
    "mcpwatch.gateway.started": thing(
        Member("version", text),
        Member("capture", CAPTURE),
        Member("upstreams", every(UPSTREAM)),
        Member("listen", text, ""),
        Member("tools", every(TOOL), []),
    ),
    "mcpwatch.gateway.stopped": thing(Member("reason", text)),
    "mcpwatch.exchange.request": thing(
        *(Member(name, text) for name in ("upstream", "method", "scheme", "authority", "target", "peer")),
        HEADERS,
        Member("body", BODY, None),
        Member("session", text, ""),
        Member("withheld", every(text), []),
        Member("principal", PRINCIPAL, None),
        Member("leaked", every(one_of("target", "body")), []),
    ),
    "mcpwatch.exchange.response": thing(
        EXCHANGE,
        Member("status", number),
        HEADERS,
        Member("session", text, ""),
        Member("session_form", one_of("", "short", "counter", "timestamp", "time-uuid", "fixed"), ""),
    ),
    "mcpwatch.exchange.message": thing(
        EXCHANGE,
        Member("body", BODY),
        Member("stream", flag, False),
        Member("event", text, ""),
        Member("event_id", text, ""),
        Member("leaked", flag, False),
    ),
    "mcpwatch.exchange.end": thing(
        EXCHANGE,
        Member("outcome", one_of("complete", "client-closed", "upstream-closed", "error", "denied")),
        Member("duration_us", number),
        Member("sent", number),
        Member("reason", text, ""),
        Member("rule", text, ""),
    ),
    "mcpwatch.alert.acted": thing(
        Member("alert", text),
        Member("kind", one_of("acknowledged", "unacknowledged", "resolved", "silenced", "unsilenced")),
        Member("author", text),
        Member("note", text),
        Member("time", seconds),
        *(Member(name, text) for name in ("origin", "key", "signature")),
        Member("last_index", number, None),
        Member("severity", one_of("low", "medium", "high", "critical"), None),
        Member("previous", number, None),
        Member("silence", SILENCE, None),
    ),
}


def is_entry(leaf: bytes) -> bool:
    """Whether the octets are an entry in canonical form."""
    if len(leaf) > MAX_LEAF:
        return False
    try:
        value = json.loads(leaf.decode(), object_pairs_hook=lambda members: Pairs(tuple(members)))
        kind = dict(value.members)["type"] if isinstance(value, Pairs) else None
        data = TYPES[kind] if isinstance(kind, str) else None
        if data is None or written(value).encode() != leaf:
            return False
    except (ValueError, RecursionError, KeyError):
        return False
    return thing(
        Member("type", one_of(*TYPES)),
        Member("specversion", one_of("1.0")),
        Member("id", text),
        Member("source", text),
        Member("time", when),
        Member("data", data),
    )(value)


def written(value: Json) -> str:
    """JSON without white space, as UTF-8 where it need not be escaped."""
    if isinstance(value, Pairs):
        return "{" + ",".join(f"{written(name)}:{written(each)}" for name, each in value.members) + "}"
    if isinstance(value, list):
        return "[" + ",".join(written(each) for each in value) + "]"
    return json.dumps(value, ensure_ascii=False)
