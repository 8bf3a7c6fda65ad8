"""TOML beside what tomllib gives: what is wrong with a text and where, and how a document is written."""

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

import msgspec

Path = tuple[str | int, ...]
"""The keys that lead to a value; numbers count the elements of a list, from 0."""

BARE = re.compile(r"[A-Za-z0-9_-]+")
_AT = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")


class Place(NamedTuple):
    """Line and column, counted from 1."""

    line: int
    column: int


class Malformed(Exception):
    """A text that is no TOML: why, and where if that is known. Quotes no value."""

    def __init__(self, why: str, place: Place | None = None) -> None:
        super().__init__(why)
        self.place = place


def read(text: str) -> dict[str, object]:
    """The document; raises Malformed."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        why = str(error)
        at = _AT.search(why)
        if at is None:
            raise Malformed(why) from None
        place = Place(int(at[1]), int(at[2])) if at[1] else place_at(text, len(text))
        raise Malformed(why[: at.start()], place) from None
    except RecursionError:
        raise Malformed("its lists or tables are nested too deep") from None
    except ValueError:
        raise Malformed("a number in it is too long") from None


def place_at(text: str, at: int) -> Place:
    """The place of a character, by its offset."""
    return Place(text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at))


def written(value: object) -> str:
    """A value as TOML writes it; JSON's strings, numbers and lists are the same there, except for DEL."""
    if isinstance(value, datetime):
        return value.isoformat()
    return msgspec.json.format(msgspec.json.encode(value), indent=0).decode().replace("\x7f", "\\u007f")


def document_text(document: Mapping[str, object], at: Path = ()) -> str:
    """A document as TOML: of each table its values, then the tables in it."""
    return "\n".join(_lines(document, at)).lstrip("\n") + "\n"


def written_key(name: str) -> str:
    """A key, in quotes where it needs them."""
    return name if BARE.fullmatch(name) else written(name)


def dotted(path: Path) -> str:
    """A path as a person writes it: `upstream.files.tool."delete_*"`, `allow[2]` counted from 1."""
    steps = (f"[{step + 1}]" if isinstance(step, int) else f".{written_key(step)}" for step in path)
    return "".join(steps).removeprefix(".")


def _lines(table: Mapping[str, object], at: Path) -> Iterator[str]:
    tables = {name: value for name, value in table.items() if isinstance(value, Mapping) or _is_tables(value)}
    for name, value in table.items():
        if name not in tables:
            yield f"{written_key(name)} = {written(value)}"
    for name, value in tables.items():
        path = (*at, name)
        if isinstance(value, Mapping):
            if not value or not all(isinstance(each, Mapping) for each in value.values()):
                yield from ("", f"[{dotted(path)}]")
            yield from _lines(value, path)
        elif isinstance(value, Sequence):
            for each in value:
                yield from ("", f"[[{dotted(path)}]]", *_lines(each, path))


def _is_tables(value: object) -> bool:
    return isinstance(value, list | tuple) and bool(value) and all(isinstance(each, Mapping) for each in value)
