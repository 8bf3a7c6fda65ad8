"""`mcpwatch config`: where the configuration and the policy are, what they say, a template of each."""

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path

from mcpwatch import config
from mcpwatch.commands.config_warnings import warn
from mcpwatch.detect.rules import CATALOGUE
from mcpwatch.errors import LocalError, UsageError
from mcpwatch.files import config_file, create_private, state_dir
from mcpwatch.policy import template
from mcpwatch.policy.load import NAME, read_keys
from mcpwatch.program import program
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
    parser.add_argument(
        "--write", action="store_true", help="put the template where the file is read from, unless there is one"
    )


def run(options: argparse.Namespace) -> int:
    if options.write:
        return _write(options.file, options.action)
    for line in _ACTIONS[options.file][options.action]().rstrip("\n").split("\n"):
        print(show(line))
    if (options.file, options.action) == ("config", "show"):
        warn(config.load(), state_dir())
    return 0


def _write(file: str, action: str) -> int:
    """Make the file of a template; raises UsageError for another action, and where there is one."""
    if action != "template":
        raise UsageError("--write is for a template only", f"Type: {program()} config template {file} --write")
    path = Path(_ACTIONS[file]["path"]())
    try:
        is_made = create_private(path, _ACTIONS[file][action]().encode())
    except OSError as error:
        raise LocalError(f"{path} cannot be written: {error.strerror}") from None
    if not is_made:
        raise UsageError(f"{path} is there already, and stays as it is", "Edit it, or move it away.")
    print(show(f"written: {path}"))
    return 0
