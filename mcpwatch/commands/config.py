"""`mcpwatch config`: where the configuration is, what it says, a template."""

import argparse
from collections.abc import Callable

from mcpwatch import config
from mcpwatch.commands.config_warnings import warn
from mcpwatch.files import config_file, state_dir
from mcpwatch.text import show

_ACTIONS: dict[str, Callable[[], str]] = {
    "path": lambda: str(config_file()),
    "show": lambda: config.dump(config.load()),
    "template": config.template,
}


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=tuple(_ACTIONS), help="what to print")


def run(options: argparse.Namespace) -> int:
    for line in _ACTIONS[options.action]().rstrip("\n").split("\n"):
        print(show(line))
    if options.action == "show":
        warn(config.load(), state_dir())
    return 0
