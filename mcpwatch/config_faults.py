"""What is wrong in a TOML file of ours, in the file's own words and with its place."""

import difflib
from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from enum import StrEnum
from pathlib import Path as File
from types import NoneType, UnionType
from typing import NamedTuple, get_args, get_origin

import msgspec
from msgspec import Struct

from mcpwatch.errors import UsageError
from mcpwatch.toml_places import place_of
from mcpwatch.toml_text import Malformed, Path, Place, dotted, read

MAX_SIZE = 1024 * 1024
"""Octets."""
_MAX_NAME = 80
_FORMS: dict[object, str] = {
    str: "a text in quotes",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    bool | float | str: "true or false, a number, or a text in quotes",
    datetime: "a date and time with its offset, such as 2026-12-31T18:00:00Z",
    tuple[str, ...]: 'a list of texts in quotes, such as ["one", "two"]',
}
"""What a value of each type is called."""


class Fault(Struct, frozen=True):
    """A setting that cannot be as it is. It does not quote the value, which may be a secret."""

    at: Path
    what: str


class Written(NamedTuple):
    """A file and what it holds."""

    text: str
    document: dict[str, object]


def read_file(path: File, hint: str) -> Written:
    """A TOML file.

    Raises UsageError, which names file, line and column and ends in `hint`, and FileNotFoundError.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}", hint) from None
    if len(data) > MAX_SIZE:
        raise UsageError(f"{path} is larger than {MAX_SIZE:,} octets", hint)
    try:
        text = data.decode()
        return Written(text, read(text))
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is no text in UTF-8: octet {error.start + 1} fits nothing", hint) from None
    except Malformed as error:
        raise UsageError(f"{path}{_said(error.place)} is no TOML: {error}", hint) from None


def refuse(path: File, text: str, fault: Fault, hint: str) -> UsageError:
    """The error that tells of a fault with its place."""
    return UsageError(f"{path}{_said(place_of(text, fault.at))}: {fault.what}", hint)


def form_faults(document: Mapping[str, object], shape: type[Struct], at: Path = ()) -> Iterator[Fault]:
    """The settings of a file, or of its section `at`, that `shape` does not have, or that are of another type."""
    fields = msgspec.structs.fields(shape)
    kinds = {field.name: field.type for field in fields}
    for field in fields:
        if field.required and field.name not in document:
            yield Fault(at, f"{called(at)} needs its {field.name}")
    for name, value in document.items():
        place = (*at, name)
        if name in kinds:
            yield from _form_faults(value, kinds[name], place)
        else:
            yield _unknown(place, value, kinds)


def meant(name: str, known: Collection[str]) -> str:
    """What a word was probably meant to be, or all that there is."""
    near = difflib.get_close_matches(name, known, n=1)
    return f"did you mean {near[0]}?" if near else _list(known)


def called(path: Path) -> str:
    """A path as a person writes it, bounded."""
    name = dotted(path)
    return name if len(name) <= _MAX_NAME else f"{name[:_MAX_NAME]}…"


def _form_faults(value: object, kind: object, at: Path) -> Iterator[Fault]:
    kind = _wanted(kind)
    arguments = get_args(kind)
    if get_origin(kind) is dict or _is_struct(kind):
        if not isinstance(value, dict):
            yield Fault(at, f"{called(at)} must be a section: [{called(at)}]")
        elif isinstance(kind, type) and issubclass(kind, Struct):
            yield from form_faults(value, kind, at)
        else:
            for name, each in value.items():
                yield from _form_faults(each, arguments[1], (*at, name))
    elif get_origin(kind) is tuple and _is_struct(arguments[0]):
        if not isinstance(value, list):
            yield Fault(at, f"{called(at)} must be a list of sections: [[{called(at)}]]")
            return
        for index, each in enumerate(value):
            yield from _form_faults(each, arguments[0], (*at, index))
    elif not _is(value, kind):
        yield Fault(at, f"{called(at)} must be {_form(kind)}")


def _unknown(at: Path, value: object, kinds: Mapping[str, object]) -> Fault:
    name = str(at[-1])
    if len(at) > 1:
        return Fault(at, f"{called(at)} is not a setting; {meant(name, kinds)}")
    if isinstance(value, dict):
        return Fault(at, f"[{called(at)}] is not a section; {meant(name, kinds)}")
    homes = [section for section, kind in kinds.items() if _is_struct(kind) and name in _names(kind)]
    if not all(map(_is_section, kinds.values())):
        return Fault(at, f"{called(at)} is not a setting of the whole; {meant(name, kinds)}")
    if homes:
        return Fault(at, f"{called(at)} stands in no section; it belongs under [{homes[0]}]")
    return Fault(at, f"{called(at)} stands in no section; {meant(name, kinds)}")


def _wanted(kind: object) -> object:
    """A type without the None that stands for a setting that is not there."""
    others = [one for one in get_args(kind) if one is not NoneType] if isinstance(kind, UnionType) else []
    return others[0] if len(others) == 1 else kind


def _form(kind: object) -> str:
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return f"one of these, in quotes: {', '.join(kind)}"
    if kind in _FORMS:
        return _FORMS[kind]
    (each, *_) = get_args(kind)
    return f"a list of these, in quotes: {', '.join(each)}"


def _is_section(kind: object) -> bool:
    return _is_struct(kind) or get_origin(kind) is dict


def _is_struct(kind: object) -> bool:
    return isinstance(kind, type) and issubclass(kind, Struct)


def _names(kind: object) -> tuple[str, ...]:
    return kind.__struct_fields__ if isinstance(kind, type) and issubclass(kind, Struct) else ()


def _is(value: object, kind: object) -> bool:
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError:
        return False
    return True


def _list(known: Collection[str]) -> str:
    return f"there are: {', '.join(known)}"


def _said(place: Place | None) -> str:
    return f", line {place.line}, column {place.column}" if place else ""
