"""`mcpwatch config`: where the configuration is, what it says, a template."""

import argparse
from collections.abc import Callable

from mcpwatch import config
from mcpwatch.files import config_file
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
    return 0
