"""`mcpwatch config`: where the configuration and the policy are, what they say, a template of each."""

import argparse
from collections.abc import Callable, Mapping

from mcpwatch import config
from mcpwatch.commands.config_warnings import warn
from mcpwatch.detect.rules import CATALOGUE
from mcpwatch.files import config_file, state_dir
from mcpwatch.policy import template
from mcpwatch.policy.load import NAME, read_keys
from mcpwatch.text import show

_ACTIONS: Mapping[str, Mapping[str, Callable[[], str]]] = {
    "config": {
        "path": lambda: str(config_file()),
        "show": lambda: config.dump(config.load()),
        "template": config.template,
    },
    "policy": {
        "path": lambda: str(config_file().with_name(NAME)),
        "show": lambda: template.dump(read_keys(config_file().with_name(NAME), CATALOGUE)),
        "template": lambda: template.template(CATALOGUE),
    },
}


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=tuple(_ACTIONS["config"]), help="what to print")
    parser.add_argument(
        "file", nargs="?", choices=tuple(_ACTIONS), default="config", help="of which file (%(default)s)"
    )


def run(options: argparse.Namespace) -> int:
    for line in _ACTIONS[options.file][options.action]().rstrip("\n").split("\n"):
        print(show(line))
    if (options.file, options.action) == ("config", "show"):
        warn(config.load(), state_dir())
    return 0
