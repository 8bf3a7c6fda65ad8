"""The README's tables, made from the code's own: `uv run python tests/readme.py` writes them anew."""

import argparse
import importlib
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import msgspec

from mcpwatch.cli import COMMANDS as CLI_COMMANDS
from mcpwatch.config import keys as config_keys
from mcpwatch.detect.rules import CATALOGUE
from mcpwatch.export.head import ExportedFeed, Head
from mcpwatch.export.jsonl import ExportedEntry
from mcpwatch.identity.resolvers import RESOLVERS
from mcpwatch.identity.schemes import SCHEMES
from mcpwatch.identity.schemes.profiles import PROFILES, Profile
from mcpwatch.manual import manual
from mcpwatch.model.alerts import RuleInfo
from mcpwatch.model.identity import Word
from mcpwatch.notify.message import Message
from mcpwatch.policy.template import keys as policy_keys
from mcpwatch.report import report
from mcpwatch.ui.commands import COMMANDS, key_names
from mcpwatch.ui.looks import VERDICTS
from mcpwatch.watch import json_lines, json_signatures
from mcpwatch.watch.filter_words import WORDS

_CHECK_PARTS: dict[type[msgspec.Struct], str] = {
    report.CheckedFeed: "check.feeds[]",
    report.CheckedAlert: "check.alerts[]",
}
_EXPORT_PARTS: dict[type[msgspec.Struct], str] = {ExportedFeed: "export.feeds[]"}
_PARTS: dict[type[msgspec.Struct], str] = {
    **_CHECK_PARTS,
    **_EXPORT_PARTS,
    json_signatures.VerdictLine: "entry.verdict",
    json_signatures.SignerLine: "entry.verdict.identity",
    json_signatures.OtherLine: "entry.verdict.others[]",
    json_signatures.ReceiptLine: "entry.verdict.receipt",
    json_signatures.ServerProofLine: "entry.server_proof",
    json_lines.AcknowledgementLine: "alert.acknowledgement",
    json_lines.SilenceLine: "alert.silence",
    json_lines.EventLine: "alert.history[]",
}

README = Path(__file__).resolve().parents[1] / "README.md"
_MARK = re.compile(r"(<!-- table: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """A Markdown table."""
    lines = [head, ("---",) * len(head), *rows]
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |\n" for line in lines)


def _commands() -> str:
    return table(("command", "what it does"), ((f"`mcpwatch {row.name}`", row.help) for row in CLI_COMMANDS))


def _options() -> str:
    rows = (row for command in CLI_COMMANDS for row in _options_of(f"mcpwatch {command.name}", _parser(command.name)))
    return table(("command", "argument", "what it does"), rows)


def _parser(name: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(add_help=False)
    importlib.import_module(f"mcpwatch.commands.{name}").arguments(parser)
    return parser


def _options_of(command: str, parser: argparse.ArgumentParser) -> Iterator[tuple[str, ...]]:
    """A row for each argument, those of actions under their action."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, sub in action.choices.items():
                yield from _options_of(f"{command} {name}", sub)
        elif action.help != argparse.SUPPRESS and not isinstance(action, argparse._HelpAction):
            word = "" if action.nargs == 0 else action.dest.upper()
            value = action.metavar or "|".join(action.choices or ()) or word
            usage = " ".join([", ".join(action.option_strings), str(value)]).strip()
            yield f"`{command}`", f"`{usage}`", (action.help or "") % {"default": action.default}


def _verdicts() -> str:
    return table(("word", "what it says"), ((f"`{word.value}`", VERDICTS[word].means) for word in Word))


def _schemes() -> str:
    rows = (
        (scheme.title, f"`{name}`", "" if title == scheme.title else title)
        for scheme in SCHEMES
        for name, title in scheme.variants.items()
    )
    return table(("scheme", "name", "what it is"), rows)


def _profiles() -> str:
    rows = ((f"`{profile.name}`", profile.title, _departures(profile)) for profile in PROFILES)
    return table(("profile", "what it is", "told as a departure from it"), rows)


def _departures(profile: Profile) -> str:
    """What a profile asks for, with what is asked of several things said once."""
    grouped: dict[str, list[str]] = {}
    for departure in (demand.departure for demand in profile.demands):
        name = departure.removesuffix(" is not covered")
        if name != departure and " " not in name:
            grouped.setdefault("not covered: ", []).append(f"`{name}`")
        elif departure.startswith("the parameter "):
            grouped.setdefault("missing: ", []).append(f"`{departure.split()[2]}`")
        else:
            grouped[departure] = []
    return "; ".join(f"{what}{', '.join(names)}" for what, names in grouped.items()) or "nothing"


def _resolvers() -> str:
    rows = ((f"`{row.prefix}…`" if row.prefix else "any other", row.title, row.resolution.value) for row in RESOLVERS)
    return table(("signer", "where its key is looked for", "told as"), rows)


def _keys() -> str:
    rows = ((key_names(row.keys), f"`:{row.id}`", row.help, _places(row.scopes)) for row in COMMANDS)
    return table(("keys", "command", "what it does", "where"), rows)


def _places(scopes: Iterable[str]) -> str:
    return ", ".join(scopes)


def _filter() -> str:
    return table(("word", "what it reads"), ((f"`{word.name}`", word.help) for word in WORDS))


def _rules() -> str:
    rows = (
        (f"`{info.id}`", info.severity.name.lower(), info.meaning, ", ".join(info.references), _settings(info))
        for info in CATALOGUE.values()
    )
    return table(("rule", "severity", "what it means", "references", "settings"), rows)


def _settings(info: RuleInfo) -> str:
    return "; ".join(f"`{row.name}` {row.default:g}: {row.meaning}" for row in info.settings)


def _json() -> str:
    lines = (json_lines.EntryLine, json_lines.VerdictChangeLine, json_lines.AlertLine, json_lines.FeedLine)
    return _fields(lines[0], *(part for part in _PARTS if part not in _CHECK_PARTS | _EXPORT_PARTS), *lines[1:])


def _check() -> str:
    return _fields(report.Report, *_CHECK_PARTS)


def _export() -> str:
    return _fields(Head, *_EXPORT_PARTS, ExportedEntry)


def _notification() -> str:
    return _fields(Message)


def _fields(*shapes: type[msgspec.Struct]) -> str:
    rows = (
        (_title(shape), f"`{field.name}`", manual(shape).get(field.name, "").replace("\n", " "))
        for shape in shapes
        for field in msgspec.structs.fields(shape)
        if field.name in shape.__annotations__
    )
    return table(("object", "field", "what it holds"), rows)


def _title(shape: type[msgspec.Struct]) -> str:
    return _PARTS.get(shape) or str(shape.__struct_config__.tag)


def _config() -> str:
    rows = (
        (f"`{key.section}.{key.name}`".replace(".`", "`"), f"`{key.default!r}`", " ".join(key.meaning.split()))
        for key in config_keys()
    )
    return table(("key", "default", "what it does"), rows)


def _policy() -> str:
    rows = ((f"`{key.section}`" * bool(key.section), f"`{key.name}`", key.meaning) for key in policy_keys())
    return table(("section", "key", "what it does"), rows)


TABLES: dict[str, Callable[[], str]] = {
    "commands": _commands,
    "options": _options,
    "verdicts": _verdicts,
    "schemes": _schemes,
    "profiles": _profiles,
    "resolvers": _resolvers,
    "keys": _keys,
    "filter": _filter,
    "rules": _rules,
    "json": _json,
    "check": _check,
    "export": _export,
    "notification": _notification,
    "config": _config,
    "policy": _policy,
}


def renew(text: str) -> str:
    """The README with each table as the code has it."""
    return _MARK.sub(lambda match: match[1] + TABLES[match[2]]() + match[3], text)


if __name__ == "__main__":
    README.write_text(renew(README.read_text()))
