"""What is wrong in a configuration file, in the file's own words and with its line."""

import difflib
import re
from collections.abc import Collection, Iterator, Mapping
from types import GenericAlias

import msgspec
from msgspec import Struct

_FORMS: dict[object, str] = {
    str: "a text in quotes",
    bool: "true or false",
    int: "a whole number",
    tuple[str, ...]: 'a list of texts in quotes, such as ["one", "two"]',
}
"""What a value of each type is called."""
_HEADER = re.compile(r"\s*\[\s*([^\[\]]+?)\s*\]")
_KEY = re.compile(r"""\s*("[^"]*"|'[^']*'|[A-Za-z0-9_-]+)\s*=""")


class Fault(Struct, frozen=True):
    """A setting that cannot be as it is. It does not quote the value, which may be a secret."""

    section: str
    name: str
    """Empty where it is about the whole section."""
    what: str


def form_faults(document: Mapping[str, object], shape: type[Struct]) -> Iterator[Fault]:
    """The settings of a file that `shape` does not have, or whose values are of another type."""
    sections = {field.name: field.type for field in msgspec.structs.fields(shape)}
    for section, value in document.items():
        kind = sections.get(section)
        if kind is None:
            yield _unknown_section(section, value, sections)
        elif not isinstance(value, dict):
            yield Fault("", section, f"{section} must be a section: [{section}]")
        elif isinstance(kind, GenericAlias):
            yield from _wrong_types(section, value, dict.fromkeys(value, kind.__args__[1]))
        else:
            settings = {field.name: field.type for field in msgspec.structs.fields(kind)}
            for name in value:
                if name not in settings:
                    yield Fault(section, name, f"{section}.{name} is not a setting; {_meant(name, settings)}")
            yield from _wrong_types(section, value, settings)


def line_of(text: str, fault: Fault) -> int | None:
    """The line that a setting or section begins on, counted from 1; None where it is not written plainly."""
    current = ""
    for number, line in enumerate(text.split("\n"), 1):
        header = _HEADER.match(line)
        if header is not None:
            current = header[1]
            if not fault.name and current == fault.section:
                return number
            continue
        key = _KEY.match(line)
        if key is not None and current == fault.section and key[1].strip("\"'") == fault.name:
            return number
    return None


def _wrong_types(section: str, values: Mapping[str, object], types: Mapping[str, object]) -> Iterator[Fault]:
    for name, value in values.items():
        if name in types and not _is(value, types[name]):
            yield Fault(section, name, f"{section}.{name} must be {_FORMS[types[name]]}")


def _is(value: object, kind: object) -> bool:
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError:
        return False
    return True


def _unknown_section(name: str, value: object, sections: Mapping[str, object]) -> Fault:
    if isinstance(value, dict):
        return Fault(name, "", f"[{name}] is not a section; {_meant(name, sections)}")
    homes = [
        section
        for section, kind in sections.items()
        if isinstance(kind, type) and issubclass(kind, Struct) and name in kind.__struct_fields__
    ]
    return Fault(
        "", name, f"{name} stands in no section; {f'it belongs under [{homes[0]}]' if homes else _list(sections)}"
    )


def _meant(name: str, known: Collection[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    return f"did you mean {near[0]}?" if near else _list(known)


def _list(known: Collection[str]) -> str:
    return f"there are: {', '.join(known)}"
