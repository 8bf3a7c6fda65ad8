"""The `:` line: reading it and completing it."""

import difflib
from collections.abc import Callable, Iterable
from typing import NamedTuple

from mcpwatch.text import show
from mcpwatch.ui.commands import COMMANDS, Command
from mcpwatch.ui.widgets.offers import MAX_OFFERS, Offer

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


def complete(text: str, available: Iterable[Command], choices: Choices) -> list[Offer]:
    """What `text` may be the beginning of: commands, and then what may follow one."""
    word, gap, argument = text.lstrip().partition(" ")
    if not gap:
        begun = [c for c in available if word and c.id.startswith(word)]
        offers = [Offer(f"{c.id} " if c.argument else c.id, c.id, is_begun=bool(c.argument)) for c in begun]
    else:
        taking = next((c.argument for c in available if c.id == word and c.argument), "")
        values = [value for value in choices(taking) if value.startswith(argument)] if taking else []
        offers = [Offer(f"{word} {value}", value) for value in dict.fromkeys(values)]
    # Names of sessions come from outside; only what can be drawn as it is may be typed for somebody.
    return [offer for offer in offers if offer.text != text and show(offer.text) == offer.text][:MAX_OFFERS]


def _unknown(word: str, commands: list[Command]) -> str:
    if not word:
        return "type a command; ? lists them"
    if any(c.id == word for c in COMMANDS):
        return f"{word} does nothing on this screen"
    near = difflib.get_close_matches(word, [c.id for c in commands], 1)
    return f"there is no command {word}" + (f"; did you mean {near[0]}?" if near else "; ? lists them")
