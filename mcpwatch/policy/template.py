"""The policy's file as text: a template that explains every key, and the file in force."""

import textwrap
from collections.abc import Iterator
from datetime import datetime

import msgspec
from msgspec import Struct

from mcpwatch.manual import manual
from mcpwatch.policy.checks import Rules
from mcpwatch.policy.file import (
    AllowKeys,
    MemberKeys,
    OwnRuleKeys,
    PolicyKeys,
    SignatureKeys,
    ToolKeys,
    UpstreamKeys,
)
from mcpwatch.toml_text import document_text, written

_WIDTH = 118
_NOTHING = "# Nothing is set: any agent may call anything, and unsigned calls raise alerts of medium severity.\n"


class Section(Struct, frozen=True):
    """A section of the file: one part of the template and of the manual."""

    header: str
    """As it is written; empty at the top."""
    keys: type[Struct]
    example: dict[str, object]
    """Key -> a value to show."""


_SIGNATURES: dict[str, object] = {"signatures": "expected", "covers": ["body"], "max_age": 300}
_CALLERS: dict[str, object] = {
    "identities": ["did:web:agent.example", "ledger"],
    "principals": ["https://issuer.example alice"],
    "roles": ["user", "admin"],
}
_RULE = "identity/unsigned-call"
_MEMBERS: dict[str, object] = {"identities": ["did:web:ops.example"], "principals": ["https://issuer.example root"]}

SECTIONS: tuple[Section, ...] = (
    Section("", SignatureKeys, _SIGNATURES),
    Section("[upstream.files]", UpstreamKeys, _SIGNATURES | {"signatures": "required"} | _CALLERS),
    Section('[upstream.files.tool."delete_*"]', ToolKeys, _SIGNATURES | _CALLERS | {"roles": ["admin"]}),
    Section("[role.admin]", MemberKeys, _MEMBERS),
    Section("[role.user]", MemberKeys, {"identities": ["ledger"], "principals": ["https://issuer.example alice"]}),
    Section(f"[rule.{written(_RULE)}]", OwnRuleKeys, {"severity": "high", "off": False}),
    Section(
        "[[allow]]",
        AllowKeys,
        {
            "rule": _RULE,
            "subject": "*",
            "upstream": "files",
            "reason": "The nightly build has no key so far.",
            "until": "2030-12-31T18:00:00Z",
        },
    ),
)


class Key(Struct, frozen=True):
    """A key of the file: a row of the manual."""

    section: str
    name: str
    meaning: str


def keys() -> Iterator[Key]:
    """Every key of the file, those that several sections share in the first."""
    told: set[tuple[str, str]] = set()
    for section in SECTIONS:
        for name, meaning in _manual(section.keys).items():
            if (name, meaning) not in told:
                told.add((name, meaning))
                yield Key(section.header, name, meaning)


def template(rules: Rules) -> str:
    """A commented TOML file with every key and an example of each, made from the docstrings of the file's structs."""
    lines = [
        "# Who may do what, what has to be signed, and how the rules are set. Lines without a blank after the #",
        "# are settings, given as examples: take the # away.",
    ]
    told: set[str] = set()
    for section in SECTIONS:
        lines.append("")
        if section.header:
            said = _plain(section.keys.__doc__)
            lines += [] if said in told else _prose(said)
            told.add(said)
            lines.append(f"#{section.header}")
        for name, meaning in _manual(section.keys).items():
            lines += [] if meaning in told else _prose(meaning)
            told.add(meaning)
            value = section.example[name]
            lines.append(f"#{name} = {value if name == 'until' else written(value)}")
        if section.keys is OwnRuleKeys:
            lines += _thresholds(rules, _RULE)
    return "\n".join(lines) + "\n"


def dump(keys: PolicyKeys) -> str:
    """A file without its comments; of one that says nothing, what holds then."""
    said = {key: value for key, value in msgspec.to_builtins(keys, builtin_types=(datetime,)).items() if value != {}}
    return document_text(said) if said else _NOTHING


def _thresholds(rules: Rules, shown: str) -> Iterator[str]:
    """The rules that have thresholds of their own, at their defaults; the header of `shown` is there already."""
    for info in sorted(rules.values(), key=lambda info: info.id != shown):
        if info.settings and info.id != shown:
            yield ""
            yield f"#[rule.{written(info.id)}]"
        for row in info.settings:
            yield from _prose(row.meaning)
            yield f"#{row.name} = {row.default:g}"


def _manual(table: type[Struct]) -> dict[str, str]:
    """What each key of a section means, in the order of its fields."""
    docs: dict[str, str] = {}
    for base in reversed(table.__mro__):
        if issubclass(base, Struct) and base is not Struct:
            docs |= manual(base)
    return {name: _plain(docs[name]) for name in table.__struct_fields__ if name in docs}


def _plain(text: str | None) -> str:
    return " ".join((text or "").split())


def _prose(text: str) -> list[str]:
    return textwrap.wrap(text, _WIDTH, initial_indent="# ", subsequent_indent="# ")
