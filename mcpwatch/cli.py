"""The command line: one table of commands, each imported only when it runs."""

import argparse
import difflib
import errno
import importlib
import signal
import sys
from collections.abc import Callable, Collection, Sequence
from io import TextIOWrapper
from typing import Protocol, cast

from msgspec import Struct

from mcpwatch.errors import LocalError, McpwatchError, UsageError
from mcpwatch.garbage import collect_seldom, no_look
from mcpwatch.program import program
from mcpwatch.text import show

EPILOG = """\
exit codes: 0 done, 1 failed, 2 wrong usage or configuration,
3 cannot connect or not a feed, 4 refused (token), 5 this machine says no
(port in use, no terminal, file readable by others), 6 the log does not hold,
130 interrupted, 143 terminated
"""
_DISK = frozenset({errno.EACCES, errno.EDQUOT, errno.ENOSPC, errno.EPERM, errno.EROFS})


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
    CommandRow("keygen", "make an agent's key, and print the names it signs under"),
    CommandRow("sign", "a local proxy that signs what an agent's client sends"),
    CommandRow("tail", "the same as watch without a screen, for pipes"),
    CommandRow("check", "verify and detect over all of a feed, then exit 0 or 1: for CI"),
    CommandRow("compare", "whether two watchers saw one log, or were shown two"),
    CommandRow("alerts", "what is wrong, from a shell"),
    CommandRow("record", "keep a feed in a file that proves itself"),
    CommandRow("verify", "prove a recording, to the entry, and every signature in it"),
    CommandRow("replay", "the dashboard on a recording, as it happened"),
    CommandRow("serve", "the dashboard in a browser on this machine"),
    CommandRow("ack", "say of an alert that it was seen, is over, or should be silent"),
    CommandRow("prove", "one entry with its proof in a file that a third party can check"),
    CommandRow("export", "what passes a filter, as JSON lines, CSV, Markdown or HAR"),
    CommandRow("rules", "what is looked for: every rule, what it means and what to do"),
    CommandRow("keys", "keys pinned by the operator"),
    CommandRow("config", "where the configuration is, what it says, a commented template"),
    CommandRow("completion", "the script by which bash, zsh or fish completes what you type"),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; errors meant for a person go to stderr."""
    if arguments is None:
        collect_seldom()
    words = list(sys.argv[1:] if arguments is None else arguments)
    if isinstance(sys.stdout, TextIOWrapper):
        # A locale that lacks a character must not end a command in its middle.
        sys.stdout.reconfigure(errors="backslashreplace")
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
    except OSError as error:
        if error.errno not in _DISK:
            raise
        # What is kept is written at many places; wherever it is, the disk's own words say what to do.
        print(f"mcpwatch: {show(f'{error.filename}: ' if error.filename else '')}{error.strerror}", file=sys.stderr)
        return LocalError.exit_code


def _run(words: list[str]) -> int:
    names = {row.name for row in COMMANDS}
    if words[:1] == ["help"]:
        words = [*words[1:2], "--help"]
    if words and _is_mistyped(words[0], names):
        near = difflib.get_close_matches(words[0], names, n=1)
        meant = (
            f"Did you mean: {program()} {near[0]}" if near else f"There are: {', '.join(row.name for row in COMMANDS)}"
        )
        raise UsageError(f"There is no command {words[0]}", meant)
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
            with no_look():
                command = cast(Command, importlib.import_module(f"mcpwatch.commands.{row.name}"))
            command.arguments(sub)
            run = command.run
    options = parser.parse_args(words)
    if run is None:
        parser.print_help()
        return 0
    return run(options)


def _is_mistyped(word: str, names: Collection[str]) -> bool:
    """Whether a first word is neither a command, an option, nor anything like a feed's address."""
    return bool(word) and word not in names and not word.startswith("-") and not any(mark in word for mark in ":/.[")


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:] + "."


def _version() -> str:
    from importlib.metadata import version

    return version("mcpwatch-tui")
