"""Masking: values under the names of secrets are replaced before anything enters the log.

JSON is cut open at the value and nowhere else: white space, key order, duplicate keys and number spellings
stay as they were. Objects are walked through, not masked, so a schema that describes a `password` keeps its
shape; strings that hold JSON themselves, as tool results do, or addresses are masked inside. Other text is searched
for `name=value` and `name: value`, which forms, queries and broken JSON are made of.
"""

import json
import re
import unicodedata
from functools import lru_cache
from urllib.parse import unquote_plus

import msgspec

from mcpwatch.encoding import decode_base64
from mcpwatch.gateway.tables import COUNT_NAMES, PROPERTY_LISTS, PUBLIC_NAMES, SECRET_ENDINGS, SECRET_NAMES
from mcpwatch.model.entries import MASK

MAX_NESTING = 16
"""Of JSON in strings in JSON; what lies deeper is masked whole."""

MAX_NAME = 128
"""Characters at the end of a name that are looked at."""

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

_SENTINEL = re.compile(r"=\?base64\?(.*)\?=", re.S)
_PAIR = re.compile(r"(?<=[?&;#])([^=&;#?\s]{1,128}+)=")
_QUERY = re.compile(r"[?#]")
_QUERY_VALUE = re.compile(r"[^&#]++")
_ADDRESS_VALUE = re.compile(r"""[^&#\s"'<>]++""")
_QUERY_MARKS = frozenset("?&#\\")
_USERINFO = re.compile(r"""(?<=://)([^\s/?#@:"'<>]*+):[^\s/?#@"'<>]++@""")


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
    """A request target with the secrets in its query and fragment replaced, and how many there were."""
    start = _QUERY.search(target)
    cut = start.start() if start else len(target)
    path, passwords = _USERINFO.subn(rf"\1:{MASK}@", target[:cut])
    query, count = _mask_pairs(target[cut:], _QUERY_VALUE)
    return path + query, passwords + count


def mask_addresses(text: str) -> tuple[str, int]:
    """`text` with the secrets in the queries and the passwords of the addresses in it replaced."""
    masked, count = _mask_pairs(text, _ADDRESS_VALUE)
    masked, passwords = _USERINFO.subn(rf"\1:{MASK}@", masked)
    return masked, count + passwords


def mask_name(name: str) -> tuple[str, int]:
    """What stands in a Mcp-Name field, masked as a target is; in its base64 form (SEP-2243) it is looked into."""
    inner = _SENTINEL.fullmatch(name)
    if inner is None:
        return mask_target(name)
    data = decode_base64(inner[1])
    masked, count = mask_target(data.decode("utf-8", "replace")) if data is not None else (MASK, 1)
    return (masked.encode("ascii", "backslashreplace").decode(), count) if count else (name, 0)


def mask_authority(authority: str) -> str:
    """Host and port; a user and a password before them, which do not belong there, are replaced."""
    _, at, host = authority.rpartition("@")
    return f"{MASK}@{host}" if at else authority


def secrecy(name: str) -> str:
    """What is masked under `name`: "all" for strings and numbers, "strings", or "" for nothing."""
    return _secrecy(name[-MAX_NAME:])


@lru_cache(4_096)
def _secrecy(name: str) -> str:
    plain = "".join(filter(str.isalnum, unicodedata.normalize("NFKC", name).casefold()))
    if plain in SECRET_NAMES:
        return "strings" if plain in COUNT_NAMES else "all"
    return "strings" if plain.endswith(SECRET_ENDINGS) and plain not in PUBLIC_NAMES else ""


def _mask_pairs(text: str, value: re.Pattern[str]) -> tuple[str, int]:
    """Replace what `value` matches after the name of a secret in a query."""
    pieces: list[str] = []
    done = count = 0
    for match in _PAIR.finditer(text):
        if match.start() < done or not secrecy(unquote_plus(match[1])):
            continue
        found = value.match(text, match.end())
        if found is not None:
            pieces += (text[done : found.start()], MASK)
            done = found.end()
            count += 1
    return "".join((*pieces, text[done:])), count


def _suspect(string: str, key: str) -> bool:
    return bool(secrecy(_unescape(string))) if key else _may_hold_json(string) or _may_hold_address(string)


def _may_hold_json(string: str) -> bool:
    return '\\"' in string and "{" in string


def _may_hold_address(string: str) -> bool:
    return ("=" in string and not _QUERY_MARKS.isdisjoint(string)) or ("@" in string and ":" in string)


def _mask_scalar(name: str, string: str | None, number: str | None, nesting: int) -> tuple[str, int]:
    """What stands in place of a scalar under `name`, with how many secrets it held; "" and 0 to leave it."""
    masked_kinds = secrecy(name)
    if string is None:
        return (f'"{MASK}"', 1) if masked_kinds == "all" and number is not None else ("", 0)
    if masked_kinds:
        return (f'"{MASK}"', 1) if string else ("", 0)
    if not _suspect(string, ""):
        return "", 0
    inner = _unescape(string)
    if not _may_hold_json(string):
        masked, count = mask_addresses(inner)
    elif is_json(inner):
        if nesting == MAX_NESTING:
            return f'"{MASK}"', 1
        masked, count = mask_json(inner, nesting + 1)
    elif inner.lstrip().startswith(("{", "[")):
        masked, count = mask_text(inner)
    else:
        masked, count = mask_addresses(inner)
    return (_quote(masked), count) if count else ("", 0)


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
