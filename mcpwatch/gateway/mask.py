"""Masking: values under the names of secrets are replaced before anything enters the log.

JSON is cut open at the value and nowhere else: white space, key order, duplicate keys and number spellings
stay as they were. Objects are walked through, not masked, so a schema that describes a `password` keeps its
shape; strings that hold JSON themselves, as tool results do, are masked inside. Other text is searched for
`name=value` and `name: value`, which forms, queries and broken JSON are made of.
"""

import json
import re
import unicodedata
from functools import lru_cache
from urllib.parse import unquote_plus

import msgspec

from mcpwatch.gateway.tables import COUNT_NAMES, PROPERTY_LISTS, PUBLIC_NAMES, SECRET_ENDINGS, SECRET_NAMES
from mcpwatch.model.entries import MASK

MAX_NESTING = 16
"""Of JSON in strings in JSON; what lies deeper is masked whole."""

_STRING = r'"((?:[^"\\]++|\\.)*+)"'
_STRINGS = re.compile(_STRING + r"(\s*+:)?", re.S)
_TOKENS = re.compile(rf"{_STRING}(\s*+:)?|(-?\d[\d.eE+-]*+)|([\[\]{{}}])", re.S)
_NAMES = re.compile(r"""(?<![\w.%$\[\]-])([\w.%$\[\]-]{1,128}+)(?:\\*+["'])?\s*+[=:]\s*+""")
_VALUE = re.compile(
    r"""\\*+"(?:[^"\\]|\\.)*+"?
    | '[^']*+'?
    | (?:(?:bearer|basic|dpop)\s++)?[^\s"'&;,<>{}\[\]\\]++""",
    re.X | re.I | re.S,
)


def mask_body(text: str) -> tuple[str, int]:
    """`text` with its secrets replaced, and how many there were."""
    return mask_json(text) if is_json(text) else mask_text(text)


def is_json(text: str) -> bool:
    """Whether all of `text` is one JSON value."""
    try:
        msgspec.json.decode(text.encode(), type=msgspec.Raw)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        return False
    return True


def mask_json(text: str, nesting: int = 0) -> tuple[str, int]:
    """Mask `text`, which is JSON, `nesting` strings deep in other JSON."""
    if not any(_suspect(string, key) for string, key in _STRINGS.findall(text)):
        return text, 0
    pieces: list[str] = []
    done = count = 0
    name = ""
    inside: list[tuple[str, str]] = []  # of each open bracket: its own name, and the name its elements stand under
    for match in _TOKENS.finditer(text):
        string, key, number, bracket = match.groups()
        if key is not None:
            name = _unescape(string)
            continue
        if bracket is None:
            value, found = _mask_scalar(name, string, number, nesting)
            if found:
                pieces += (text[done : match.start()], value)
                done = match.end()
                count += found
        elif bracket in "[{":
            lists_names = bool(inside) and inside[-1][0] in PROPERTY_LISTS
            inside.append((name, name if bracket == "[" and not lists_names else ""))
        elif inside:
            inside.pop()
        name = inside[-1][1] if inside else ""
    return "".join((*pieces, text[done:])), count


def mask_text(text: str) -> tuple[str, int]:
    """Mask `text`, which is not JSON, wherever a secret's name stands before an equals sign or a colon."""
    pieces: list[str] = []
    done = count = 0
    for match in _NAMES.finditer(text):
        if match.start() < done or not secrecy(unquote_plus(match[1])):
            continue
        value = _VALUE.match(text, match.end())
        if value is not None:
            pieces += (text[done : value.start()], MASK)
            done = value.end()
            count += 1
    return "".join((*pieces, text[done:])), count


def mask_target(target: str) -> tuple[str, int]:
    """A request target with the secrets in its query replaced, and how many there were."""
    path, mark, query = target.partition("?")
    count = 0
    pairs = query.split("&")
    for at, pair in enumerate(pairs):
        name, equals, value = pair.partition("=")
        if value and secrecy(unquote_plus(name)):
            pairs[at] = name + equals + MASK
            count += 1
    return path + mark + "&".join(pairs), count


@lru_cache(4_096)
def secrecy(name: str) -> str:
    """What is masked under `name`: "all" for strings and numbers, "strings", or "" for nothing."""
    plain = "".join(filter(str.isalnum, unicodedata.normalize("NFKC", name).casefold()))
    if plain in SECRET_NAMES:
        return "strings" if plain in COUNT_NAMES else "all"
    return "strings" if plain.endswith(SECRET_ENDINGS) and plain not in PUBLIC_NAMES else ""


def _suspect(string: str, key: str) -> bool:
    return bool(secrecy(_unescape(string))) if key else _may_hold_json(string)


def _may_hold_json(string: str) -> bool:
    return '\\"' in string and "{" in string


def _mask_scalar(name: str, string: str | None, number: str | None, nesting: int) -> tuple[str, int]:
    """What stands in place of a scalar under `name`, with how many secrets it held; "" and 0 to leave it."""
    masked_kinds = secrecy(name)
    if string is None:
        return (f'"{MASK}"', 1) if masked_kinds == "all" and number is not None else ("", 0)
    if masked_kinds:
        return (f'"{MASK}"', 1) if string else ("", 0)
    if not _may_hold_json(string):
        return "", 0
    inner = _unescape(string)
    if not is_json(inner):
        return "", 0
    if nesting == MAX_NESTING:
        return f'"{MASK}"', 1
    masked, count = mask_json(inner, nesting + 1)
    return (json.dumps(masked, ensure_ascii=False), count) if count else ("", 0)


def _unescape(string: str) -> str:
    """The text of a JSON string's inside."""
    if "\\" not in string:
        return string
    try:
        text = json.loads(f'"{string}"', strict=False)
    except ValueError:
        return string
    return str(text)
