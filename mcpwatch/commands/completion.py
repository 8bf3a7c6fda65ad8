"""`mcpwatch completion`: the script by which a shell completes commands, options and their values."""

import argparse
from collections.abc import Callable, Mapping

from mcpwatch.completion import bash, fish, zsh
from mcpwatch.completion.words import Words, words

SHELLS: Mapping[str, Callable[[Words], str]] = {"bash": bash.script, "zsh": zsh.script, "fish": fish.script}
"""Shell -> what writes its script."""


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("shell", choices=tuple(SHELLS), help="whose script to print")


def run(options: argparse.Namespace) -> int:
    print(SHELLS[options.shell](words()), end="")
    return 0
