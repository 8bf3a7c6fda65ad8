"""The configuration as text: its template, its manual, and what is in force."""

import textwrap
from collections.abc import Iterator
from typing import get_args

import msgspec
from msgspec import NODEFAULT, Struct

from mcpwatch.config.tree import Config
from mcpwatch.manual import manual
from mcpwatch.notify.options import place
from mcpwatch.toml_text import document_text, written, written_key

_WIDTH = 118
_NAME = "NAME"


class Key(Struct, frozen=True):
    """A key of the file: one row of the template and of the manual."""

    section: str
    name: str
    default: object
    meaning: str


_EXAMPLES: dict[str, tuple[str, object]] = {
    "filters": ("bad", "sig:bad | sev>=high"),
    "keys": ("freeze", "space,p"),
    "principals": ("https://issuer.example alice", ["did:web:agent.example"]),
}
"""What the template shows of a section whose keys are names of the operator's."""
_REQUIRED: dict[str, object] = {"address": "http://127.0.0.1:4181"}
"""What it shows of a key that has no default."""


def keys() -> Iterator[Key]:
    """Every key of the file with its default, in the order of the tree; `NAME` is one that the operator gives."""
    docs = manual(Config)
    for section in msgspec.structs.fields(Config):
        table: object = section.type
        if isinstance(table, type) and issubclass(table, Struct):
            yield from _fields(section.name, table)
            continue
        (_, each) = get_args(table)
        if isinstance(each, type) and issubclass(each, Struct):
            yield from _fields(f"{section.name}.{_NAME}", each)
        else:
            yield Key(section.name, "", {}, docs[section.name])


def _fields(section: str, table: type[Struct]) -> Iterator[Key]:
    docs = manual(table)
    for key in msgspec.structs.fields(table):
        default = _REQUIRED[key.name] if key.default is NODEFAULT else key.default
        yield Key(section, key.name, default, docs[key.name])


def template() -> str:
    """A commented TOML file with every key at its default, made from the docstrings of the tree."""
    lines: list[str] = []
    docs, before = manual(Config), ""
    for key in keys():
        if key.section != before:
            before = key.section
            section, _, named = before.partition(".")
            lines += ["", *(_comment(docs[section]) if named else ()), f"{'# ' if named else ''}[{before}]"]
        name, default = (key.name, key.default) if key.name else _EXAMPLES[key.section]
        lines += [*_comment(key.meaning), f"# {written_key(name)} = {written(default)}"]
    return "\n".join(lines[1:]) + "\n"


def dump(config: Config) -> str:
    """The configuration in force, as TOML; a webhook's path is a secret at many services, and is left out."""
    webhook = f"{place(config.notify.webhook)}/…" if config.notify.webhook else ""
    shown = msgspec.structs.replace(config, notify=msgspec.structs.replace(config.notify, webhook=webhook))
    document: dict[str, object] = msgspec.to_builtins(shown)
    return document_text(document)


def _comment(text: str) -> list[str]:
    return textwrap.wrap(" ".join(text.split()), _WIDTH, initial_indent="# ", subsequent_indent="# ")
