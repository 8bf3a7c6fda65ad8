"""Structured fields (RFC 9651) as RFC 9421 uses them, read without re-serialising.

A signature covers the *serialised* form of its input. Where a field arrives in that form already, as nearly all do,
slices of it are the signed text; any other spelling goes through http_sf once, which reads and serialises it, and
what http_sf refuses is malformed. http_sf alone takes half as long as the signature check itself.
"""

import re
from functools import lru_cache

import http_sf

from mcpwatch.encoding import decode_base64

MAX_FIELD = 16_384
"""Characters of a field that are looked at."""
_MAX_HEAD = 1_024

_KEY = r"[a-z*][a-z0-9_\-.*]*+"
_STRING = r'"(?:[ !#-\[\]-~]++|\\["\\])*+"'
_DIGITS = r"(?:0|-?[1-9][0-9]{0,14})"
_DECIMAL = r"-?(?:0|[1-9][0-9]{0,11})\.(?:[0-9]{0,2}[1-9]|0)"
_BASE64 = r"(?:[A-Za-z0-9+/]{4})*+(?:[A-Za-z0-9+/][AQgw]==|[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=)?+"
_WORD = r"[A-Za-z*][A-Za-z0-9_!#$%&'*+\-.^`|~:/]*+"
_BARE = rf"(?:{_STRING}|{_DECIMAL}|{_DIGITS}|\?0|:{_BASE64}:|{_WORD}|@{_DIGITS})"
_PARAMETERS = rf"(?:;{_KEY}(?:={_BARE})?+)*+"
_ITEM = rf"{_STRING}{_PARAMETERS}"
_INNER_LIST = re.compile(rf"({_KEY})=(\((?:{_ITEM}(?: {_ITEM})*+)?+\))({_PARAMETERS})(?:, (?=.)|\Z)")
_HEAD = re.compile(rf"({_KEY})=(\((?:{_ITEM}(?: {_ITEM})*+)?+\))")
_TAIL = re.compile(_PARAMETERS)
_LIST_ITEM = re.compile(rf"({_STRING})({_PARAMETERS})")
_PARAMETER = re.compile(rf";({_KEY})(?:=({_BARE}))?+")
_ESCAPED = re.compile(r"\\(.)")
_ONE_BYTES = re.compile(rf"({_KEY})=:([A-Za-z0-9+/=]*+):")
_BYTES = re.compile(rf"({_KEY})=:([A-Za-z0-9+/=]*+):{_PARAMETERS}[ \t]*+(?:,[ \t]*+(?=.)|\Z)")

Bare = str | int | bool
"""A parameter's value: strings and integers decoded, True for a bare name, anything else as its text in `Other`."""


class Other(str):
    """A bare item that is neither string nor integer nor true, as serialised."""

    __slots__ = ()


def inner_lists(text: str) -> dict[str, tuple[str, str]] | None:
    """A dictionary of inner lists of strings: label to the serialised list and its serialised parameters.

    None when it is malformed, has another member, or names a label twice.
    """
    head, _, tail = text.partition(")")
    alone = _head(head) if len(head) <= _MAX_HEAD else None
    if alone is not None and len(text) <= MAX_FIELD and _TAIL.fullmatch(tail):
        return {alone[0]: (alone[1], tail)}
    lists = _canonical_lists(text)
    if lists is not None or len(text) > MAX_FIELD:
        return lists
    twice: list[str] = []
    try:
        parsed = http_sf.parse(
            text.encode("ascii"), tltype="dictionary", on_duplicate_key=lambda key, _: twice.append(key)
        )
        return None if twice else _canonical_lists(http_sf.ser(parsed))
    except ValueError:
        return None


@lru_cache(maxsize=1024)
def _head(text: str) -> tuple[str, str] | None:
    """The label and the list that a field begins with, up to the first bracket that closes.

    A client covers the same components each time: only what follows them changes.
    """
    match = _HEAD.fullmatch(f"{text})")
    return (match[1], match[2]) if match is not None else None


def items(text: str) -> tuple[tuple[str, str], ...]:
    """The strings of a serialised inner list: each decoded, and its serialised parameters."""
    return tuple((_unquote(name), parameters) for name, parameters in _LIST_ITEM.findall(text))


def parameters(text: str) -> dict[str, Bare] | None:
    """Serialised parameters, decoded; None when a name comes twice."""
    found = _PARAMETER.findall(text)
    values: dict[str, Bare] = {}
    for name, value in found:
        if name in values:
            return None
        plain = value[:1] == '"' and "\\" not in value
        values[name] = value[1:-1] if plain else _bare(value)
    return values


def byte_sequences(text: str) -> dict[str, bytes] | None:
    """A dictionary of byte sequences, decoded; None when malformed, with a key twice, or with loosely spelt base64."""
    alone = _ONE_BYTES.fullmatch(text) if len(text) <= MAX_FIELD else None
    if alone is not None:
        data = decode_base64(alone[2])
        return None if data is None else {alone[1]: data}
    values: dict[str, bytes] = {}
    position = 0
    while position < len(text) <= MAX_FIELD:
        match = _BYTES.match(text, position)
        if match is None:
            return None
        data = decode_base64(match[2])
        if data is None or match[1] in values:
            return None
        values[match[1]] = data
        position = match.end()
    return values or None


def _canonical_lists(text: str) -> dict[str, tuple[str, str]] | None:
    lists: dict[str, tuple[str, str]] = {}
    position = 0
    while position < len(text) <= MAX_FIELD:
        match = _INNER_LIST.match(text, position)
        if match is None or match[1] in lists:
            return None
        lists[match[1]] = match[2], match[3]
        position = match.end()
    return lists or None


def _bare(text: str) -> Bare:
    if not text:
        return True
    if text[0] == '"':
        return _unquote(text)
    digits = text[1:] if text[0] == "-" else text
    return int(text) if digits.isdigit() else Other(text)


def _unquote(text: str) -> str:
    return _ESCAPED.sub(r"\1", text[1:-1]) if "\\" in text else text[1:-1]
