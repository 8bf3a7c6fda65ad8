"""What may be typed after `mcpwatch`, read from the parsers of its commands."""

import argparse
import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import cast

from msgspec import Struct

from mcpwatch.cli import COMMANDS, Command

_FILES = frozenset({"FILE", "SOURCE"})
"""What the parsers call a value that may be a file's name, besides those whose type says so."""


class Value(Struct, frozen=True):
    """What follows an option, or stands by itself."""

    called: str
    words: tuple[str, ...] = ()
    """All that it may be; empty where it may be anything."""
    is_file: bool = False


class Option(Struct, frozen=True):
    """An option under all its names."""

    names: tuple[str, ...]
    help: str
    value: Value | None
    repeats: bool


class Argument(Struct, frozen=True):
    """A value that is told by its place."""

    value: Value
    repeats: bool


class Words(Struct, frozen=True):
    """What may follow a command, or a command of it."""

    path: tuple[str, ...]
    """The words before; none for what may follow the program's name."""
    help: str
    commands: tuple["Words", ...] = ()
    options: tuple[Option, ...] = ()
    arguments: tuple[Argument, ...] = ()

    @property
    def name(self) -> str:
        """The last of its words."""
        return self.path[-1]

    def all(self) -> Iterator["Words"]:
        """This, and whatever lies below it."""
        yield self
        for command in self.commands:
            yield from command.all()


def words() -> Words:
    """All of it. Without a command it is the first, so that what may follow that may follow the program's name."""
    commands = []
    for row in COMMANDS:
        parser = argparse.ArgumentParser()
        cast(Command, importlib.import_module(f"mcpwatch.commands.{row.name}")).arguments(parser)
        commands.append(_words((row.name,), row.help, parser))
    default = commands[0]
    version = Option(("--version",), "print the version and leave", None, False)
    return Words((), "", tuple(commands), (*default.options, version), default.arguments)


def _words(path: tuple[str, ...], help: str, parser: argparse.ArgumentParser) -> Words:
    commands: list[Words] = []
    options: list[Option] = []
    arguments: list[Argument] = []
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            helps = {choice.dest: choice.help or "" for choice in action._choices_actions}
            commands += (_words((*path, name), helps.get(name, ""), sub) for name, sub in action.choices.items())
        elif action.help == argparse.SUPPRESS:
            continue
        elif action.option_strings:
            value = _value(action) if action.nargs != 0 else None
            repeats = isinstance(action, argparse._AppendAction)
            options.append(Option(tuple(action.option_strings), _help(action, parser), value, repeats))
        else:
            arguments.append(Argument(_value(action), action.nargs == "*"))
    return Words(path, help, tuple(commands), tuple(options), tuple(arguments))


def _value(action: argparse.Action) -> Value:
    called = action.metavar if isinstance(action.metavar, str) else action.dest.upper()
    words = tuple(map(str, action.choices or ()))
    return Value(called, words, not words and (action.type is Path or called in _FILES))


def _help(action: argparse.Action, parser: argparse.ArgumentParser) -> str:
    """What the help says of it, with its default filled in."""
    return (action.help or "") % {**vars(action), "prog": parser.prog}
