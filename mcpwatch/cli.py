"""The command line: one table of commands, each imported only when it runs."""

import argparse
import importlib
import signal
import sys
from collections.abc import Callable, Sequence
from typing import Protocol, cast

from msgspec import Struct

from mcpwatch.errors import McpwatchError
from mcpwatch.text import show

EPILOG = """\
exit codes: 0 done, 1 failed, 2 wrong usage or configuration, 3 cannot connect or not a feed,
4 refused (token), 5 this machine says no (port, file, terminal), 6 integrity, 130 interrupted
"""


class Command(Protocol):
    """What a module of `mcpwatch.commands` offers."""

    def arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the command's arguments."""

    def run(self, options: argparse.Namespace) -> int:
        """Do it and return the exit code."""


class CommandRow(Struct, frozen=True):
    """A row of the table of commands: its module is `mcpwatch.commands.NAME`."""

    name: str
    help: str


COMMANDS = (
    CommandRow("watch", "the dashboard on a feed (this is the default command)"),
    CommandRow("demo", "a gateway, servers and agents on this machine, watched live"),
    CommandRow("gateway", "a transparent proxy before MCP servers that publishes the feed"),
    CommandRow("tail", "the same as watch without a screen, for pipes"),
    CommandRow("keys", "keys pinned by the operator"),
    CommandRow("config", "where the configuration is, what it says, a commented template"),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; errors meant for a person go to stderr."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        return _run(words)
    except McpwatchError as error:
        print(f"mcpwatch: {show(error.title)}", file=sys.stderr)
        if error.hint:
            print(f"  {show(error.hint)}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    except BrokenPipeError:
        # The reader of our output went away; nothing more can be said to it.
        sys.stdout = None
        return 0


def _run(words: list[str]) -> int:
    names = {row.name for row in COMMANDS}
    if not words or (words[0] not in names and words[0] not in ("-h", "--help", "--version")):
        words.insert(0, "watch")
    if words[0] == "--version":
        print(f"mcpwatch {_version()}")
        return 0
    parser = argparse.ArgumentParser(
        prog="mcpwatch",
        description="Watch live MCP traffic and verify every signed call yourself.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="store_true", help="print the version and leave")
    commands = parser.add_subparsers(metavar="COMMAND")
    run: Callable[[argparse.Namespace], int] | None = None
    for row in COMMANDS:
        chosen = row.name == words[0]
        sub = commands.add_parser(row.name, help=row.help, description=_sentence(row.help), add_help=chosen)
        if chosen:
            command = cast(Command, importlib.import_module(f"mcpwatch.commands.{row.name}"))
            command.arguments(sub)
            run = command.run
    options = parser.parse_args(words)
    if run is None:
        parser.print_help()
        return 0
    return run(options)


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:] + "."


def _version() -> str:
    from importlib.metadata import version

    return version("mcpwatch-tui")
