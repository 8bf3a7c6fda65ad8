"""The `:` line: reading it and completing it."""

import difflib
from collections.abc import Callable, Iterable
from typing import NamedTuple

from mcpwatch.ui.commands import COMMANDS, Command

Choices = Callable[[str], Iterable[str]]
"""Given the name of an argument, the values that make sense for it."""


class CommandLine(NamedTuple):
    """What was typed: a command and what follows it, or why it is none."""

    command: Command | None
    argument: str = ""
    fault: str = ""


def read(text: str, available: Iterable[Command]) -> CommandLine:
    """Find the command that `text` names; the shortest unambiguous beginning will do."""
    word, _, argument = text.strip().partition(" ")
    argument = argument.strip()
    commands = list(available)
    found = [c for c in commands if c.id == word] or [c for c in commands if word and c.id.startswith(word)]
    if len(found) > 1:
        return CommandLine(None, fault=f"{word} could be {', '.join(c.id for c in found)}")
    if not found:
        return CommandLine(None, fault=_unknown(word, commands))
    if argument and not found[0].argument:
        return CommandLine(None, fault=f"{found[0].id} takes nothing after it")
    return CommandLine(found[0], argument)


def complete(text: str, available: Iterable[Command], choices: Choices) -> str | None:
    """The whole line that `text` is most likely the beginning of, or None."""
    word, gap, argument = text.lstrip().partition(" ")
    commands = list(available)
    if not gap:
        return next((c.id for c in commands if word and c.id.startswith(word)), None)
    command = next((c for c in commands if c.id == word and c.argument), None)
    if command is None:
        return None
    value = next((v for v in choices(command.argument) if v.startswith(argument)), None)
    return f"{word} {value}" if value is not None else None


def _unknown(word: str, commands: list[Command]) -> str:
    if not word:
        return "type a command; ? lists them"
    if any(c.id == word for c in COMMANDS):
        return f"{word} does nothing on this screen"
    near = difflib.get_close_matches(word, [c.id for c in commands], 1)
    return f"there is no command {word}" + (f"; did you mean {near[0]}?" if near else "; ? lists them")
