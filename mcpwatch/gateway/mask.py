"""Masking: secrets are replaced before anything enters the log, for their names or for what they look like.

JSON is cut open at the value and nowhere else: white space, key order, duplicate keys and number spellings
stay as they were. Objects are walked through, not masked, so a schema that describes a `password` keeps its
shape; strings that hold JSON themselves, as tool results do, addresses or prose are masked inside.
"""

import json
import re

import msgspec

from mcpwatch.gateway.mask_text import Masked, mask_prose, mask_secrets, mask_text, may_name_secret
from mcpwatch.gateway.secret_names import is_masked, secrecy
from mcpwatch.gateway.tables import PROOF_NAME, PROPERTY_LISTS
from mcpwatch.model.entries import MASK
from mcpwatch.secret_kinds import JWT, may_hold_secret

MAX_NESTING = 16
"""Of JSON in strings in JSON; what lies deeper is masked whole."""

_STRING = r'"((?:[^"\\]++|\\.)*+)"'
_STRINGS = re.compile(_STRING + r"(\s*+:)?", re.S)
_TOKENS = re.compile(rf"{_STRING}(\s*+:)?|(-?\d[\d.eE+-]*+)|([\[\]{{}}])", re.S)


def mask_body(text: str) -> Masked:
    """`text` with its secrets replaced, and how many there were."""
    return mask_json(text) if is_json(text) else mask_text(text)


def is_json(text: str) -> bool:
    """Whether all of `text` is one JSON value."""
    try:
        msgspec.json.decode(text.encode(), type=msgspec.Raw)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        return False
    return True


def mask_json(text: str, nesting: int = 0) -> Masked:
    """Mask `text`, which is JSON, `nesting` strings deep in other JSON."""
    # An escape can hide any character.
    has_shapes = "\\u" in text or may_hold_secret(text)
    if not has_shapes and not any(_suspect(string, key) for string, key in set(_STRINGS.findall(text))):
        return text, 0
    pieces: list[str] = []
    done = count = 0
    name = ""
    inside: list[tuple[str, str]] = []  # of each open bracket: its own name, and the name its elements stand under
    for match in _TOKENS.finditer(text):
        string, key, number, bracket = match.groups()
        if bracket is None:
            if key is None:
                value, found = _mask_string(name, string, nesting) if number is None else _mask_number(name, number)
            else:
                name = _unescape(string)
                value, found = _mask_key(name) if has_shapes else ("", 0)
            if found:
                pieces += (text[done : match.start()], value, key or "")
                done = match.end()
                count += found
            if key is not None:
                continue
        elif bracket in "[{":
            lists_names = bool(inside) and inside[-1][0] in PROPERTY_LISTS
            inside.append((name, name if bracket == "[" and not lists_names else ""))
        elif inside:
            inside.pop()
        name = inside[-1][1] if inside else ""
    return ("".join((*pieces, text[done:])), count) if count else (text, 0)


def _suspect(string: str, key: str) -> bool:
    if key:
        return secrecy(string if "\\" not in string else _unescape(string)) != ""
    return ('\\"' in string and "{" in string) or may_name_secret(string)


def _mask_key(name: str) -> Masked:
    masked, count = mask_prose(name)
    return (_quote(masked), count) if count else ("", 0)


def _mask_number(name: str, number: str) -> Masked:
    """What stands in place of a number under `name`, and 1 where it was a secret; "" and 0 to leave it."""
    if secrecy(name) == "all":
        return f'"{MASK}"', 1
    masked, count = mask_secrets(number)
    return (f'"{masked}"', 1) if count else ("", 0)


def _mask_string(name: str, string: str, nesting: int) -> Masked:
    """The same of a string's inside, with how many secrets it held."""
    if not string:
        return "", 0
    inner = string
    if secrecy(name):
        inner = _unescape(string)
        if is_masked(name, inner):
            return f'"{MASK}"', 1
    if not ("\\" in string or may_name_secret(string) or may_hold_secret(string)):
        return "", 0
    masked, count = _mask_inside(_unescape(string), name, nesting)
    return (_quote(masked), count) if count else ("", 0)


def _mask_inside(text: str, name: str, nesting: int) -> Masked:
    if name == PROOF_NAME:
        return mask_secrets(text, spared=JWT)
    if "{" in text and '"' in text:
        if is_json(text):
            return mask_json(text, nesting + 1) if nesting < MAX_NESTING else (MASK, 1)
        if text.lstrip().startswith(("{", "[")):
            return mask_text(text)
    return mask_prose(text)


def _quote(text: str) -> str:
    """A JSON string; half a surrogate pair stays escaped, since UTF-8 has none."""
    return json.dumps(text, ensure_ascii=any("\ud800" <= char <= "\udfff" for char in text))


def _unescape(string: str) -> str:
    """The text of a JSON string's inside."""
    if "\\" not in string:
        return string
    try:
        text = json.loads(f'"{string}"', strict=False)
    except ValueError:
        return string
    return str(text)
