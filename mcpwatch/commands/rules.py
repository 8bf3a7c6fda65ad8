"""`mcpwatch rules`: what is looked for, from the catalogue itself."""

import argparse
import difflib
import json
import textwrap
from collections.abc import Callable, Sequence

import msgspec

from mcpwatch.errors import UsageError
from mcpwatch.model.alerts import RuleInfo
from mcpwatch.program import program
from mcpwatch.text import show, width

_WIDTH = 100
"""Cells of a line of prose."""


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "rule", nargs="?", default="", metavar="RULE", help="one rule in full, or the rules of a family"
    )
    parser.add_argument(
        "--format", choices=tuple(_FORMATS), default="text", help="lines for a person, or one JSON array (%(default)s)"
    )


def run(options: argparse.Namespace) -> int:
    from mcpwatch.detect.rules import CATALOGUE

    chosen = _choose(options.rule, tuple(CATALOGUE.values()))
    for line in _FORMATS[options.format](chosen):
        print(line)
    return 0


def _choose(word: str, catalogue: Sequence[RuleInfo]) -> list[RuleInfo]:
    """The rules that a word means: all without one, one by its id, or a family's; raises UsageError for none."""
    chosen = [info for info in catalogue if word in ("", info.id, info.id.partition("/")[0])]
    if chosen:
        return chosen
    near = difflib.get_close_matches(word, [info.id for info in catalogue], n=1)
    hint = f"Did you mean: {program()} rules {near[0]}" if near else f"See: {program()} rules"
    raise UsageError(f"There is no rule {word}", hint)


def _text(chosen: Sequence[RuleInfo]) -> list[str]:
    return _in_full(chosen[0]) if len(chosen) == 1 else _in_short(chosen)


def _in_short(chosen: Sequence[RuleInfo]) -> list[str]:
    """One line a rule."""
    cells = max(width(info.id) for info in chosen)
    return [show(f"{info.id:{cells}}  {info.severity.name.lower():8}  {info.title}") for info in chosen]


def _in_full(info: RuleInfo) -> list[str]:
    """All that is known of a rule."""
    parts = [
        f"{info.id}: {info.title} ({info.severity.name.lower()})",
        "",
        *textwrap.wrap(info.meaning, _WIDTH),
        "",
        *textwrap.wrap(f"What to do: {info.action}", _WIDTH),
    ]
    if info.references:
        parts += ["", f"References: {', '.join(info.references)}"]
    if info.settings:
        parts += ["", f'Settings, under [rule."{info.id}"] in the policy:']
        parts += [f"  {row.name} = {row.default:g}  {row.meaning}" for row in info.settings]
    return [show(part) for part in parts]


def _json(chosen: Sequence[RuleInfo]) -> list[str]:
    rules = [{**msgspec.to_builtins(info), "severity": info.severity.name.lower()} for info in chosen]
    return [json.dumps(rules, indent=2)]


_FORMATS: dict[str, Callable[[Sequence[RuleInfo]], list[str]]] = {"text": _text, "json": _json}
