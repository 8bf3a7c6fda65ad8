"""What a tool reaches, and whether it is one for few, as far as its definition tells.

A claim may add a class and never takes one away. Pure, and bounded whatever the definition is.
"""

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Final, NamedTuple

from mcpwatch.model.entries import Json
from mcpwatch.model.tools import ToolClass
from mcpwatch.traffic.claims import fields, text
from mcpwatch.traffic.tool_signals import CHANGES, FEW, FEW_FLAG, FOR_FEW, LEVEL, SIGNALS, View

MAX_NAME: Final = 200
MAX_TEXT: Final = 2_000
"""Characters read of a description."""
MAX_PARAMETERS: Final = 200

DESTRUCTIVE: Final = "its annotations say destructiveHint"
"""Why a tool is for few where nothing names a role: it destroys, though anybody may be meant to call it."""

_CACHED = 4_096


class Classed(NamedTuple):
    """What a definition tells."""

    classes: tuple[ToolClass, ...]
    why: str
    """Class by class; quotes the definition."""
    privileged: str
    """Why it is a tool for few; empty where nothing says so."""


_SAYS: dict[View, str] = {
    "name": "its name says",
    "parameters": "it takes",
    "description": "its description says",
    "annotations": "its annotations say",
}
_SIGNALS = tuple((kind, view, re.compile(pattern, re.MULTILINE | re.DOTALL)) for kind, view, pattern in SIGNALS)
_FOR_FEW = tuple((view, re.compile(pattern)) for view, pattern in FOR_FEW)
_LEVEL = re.compile(LEVEL)
_FEW_FLAG = re.compile(FEW_FLAG)
_GIVES = re.compile(rf"^(?:{CHANGES}|upload|send|post|push)\b")
"""Names of tools that read nothing from the file or the address that they take."""
_TAKEN = frozenset({(ToolClass.FILE, "parameters"), (ToolClass.FETCH, "parameters")})
_HINTS = frozenset({"destructivehint", "openworldhint", "readonlyhint"})
_PARTS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|[\W_]+")
_SCHEMES = {"file": (ToolClass.FILE,), "http": (ToolClass.FETCH,), "https": (ToolClass.FETCH,)}


def classify(name: str, definition: Json = None) -> Classed:
    """What a tool reaches and why, and whether it is for few; by its name alone where it was never listed."""
    said = fields(definition)
    views = _views(name, said)
    reasons: dict[ToolClass, str] = {}
    for kind, view, pattern in _SIGNALS:
        if kind in reasons:
            continue
        found = pattern.search(views[view])
        if found is None or ((kind, view) in _TAKEN and _GIVES.search(views["name"])):
            continue
        quoted = [part for part in found.groups() if part] or [found.group()]
        reasons[kind] = f"{_SAYS[view]} " + " and ".join(f'"{part.strip()}"' for part in quoted)
    why = "; ".join(f"{kind}: {reason}" for kind, reason in reasons.items())
    return Classed(tuple(reasons), why, restriction(definition) or _privileged(views))


@lru_cache(_CACHED)
def classes_of_name(name: str) -> tuple[ToolClass, ...]:
    """What a tool that nobody listed reaches, by its name."""
    return classify(name).classes


def classes_of_uri(uri: str) -> tuple[ToolClass, ...]:
    """What reading a resource reaches, by the scheme of its URI."""
    scheme, colon, _ = uri[:6].partition(":")
    return _SCHEMES.get(scheme.lower(), ()) if colon else ()


def _views(name: str, definition: Mapping[str, Json]) -> dict[View, str]:
    annotations = fields(definition.get("annotations"))
    titles = text(definition.get("title"), MAX_NAME), text(annotations.get("title"), MAX_NAME)
    description = " ".join((*titles, text(definition.get("description"), MAX_TEXT)))
    hints = {key[:MAX_NAME].lower() for key, value in annotations.items() if value is True}
    return {
        "name": words_of(name),
        "parameters": "\n".join(sorted(set(_parameters(definition.get("inputSchema"))))),
        "description": " ".join(description.lower().split()),
        "annotations": " ".join(sorted(hints & _HINTS)),
    }


def _parameters(schema: Json) -> Iterator[str]:
    """The words of each parameter's name, nested ones too; one whose format is a URI is also a `url`."""
    stack, seen = [fields(schema)], 0
    while stack and seen < MAX_PARAMETERS:
        at = stack.pop()
        seen += 1
        for name, value in list(fields(at.get("properties")).items())[: MAX_PARAMETERS - seen]:
            seen += 1
            inner = fields(value)
            yield words_of(name)
            if inner.get("format") in ("uri", "url", "iri"):
                yield "url"
            stack.append(inner)
        if items := fields(at.get("items")):
            stack.append(items)


def words_of(name: str) -> str:
    """A name as lower-case words with a blank between them, cut."""
    return _PARTS.sub(" ", name[:MAX_NAME]).strip().lower()


def restriction(definition: Json) -> str:
    """What a definition says in so many fields of a tool being for few; empty where nothing does."""
    said = fields(definition)
    for part in (said, fields(said.get("annotations")), fields(said.get("_meta"))):
        for key in list(part)[:MAX_PARAMETERS]:
            words, value = words_of(key), part[key]
            if value is True and _FEW_FLAG.fullmatch(words):
                return f"it says {words}"
            if _LEVEL.fullmatch(words) and (levels := _levels(value)) and all(map(_is_for_few, levels)):
                return f'its {words} is "{", ".join(levels)[:MAX_NAME]}"'
    return ""


def _privileged(views: Mapping[View, str]) -> str:
    for view, pattern in _FOR_FEW:
        if found := pattern.search(views[view]):
            return f'{_SAYS[view]} "{found.group()}"'
    return DESTRUCTIVE if "destructivehint" in views["annotations"] else ""


def _levels(value: Json) -> list[str]:
    """The levels or roles that a field names; one that is more than text names none."""
    values = value[:MAX_PARAMETERS] if isinstance(value, list) else [value]
    levels = [each[:MAX_NAME] for each in values if isinstance(each, str)]
    return levels if len(levels) == len(values) else []


def _is_for_few(level: str) -> bool:
    return not FEW.isdisjoint(words_of(level).split())
