"""The word that starts this program, for the lines that a person is told to type."""

import os
import shlex
import shutil
import sys
from pathlib import Path

NAME = "mcpwatch"
_MOVING = ("MCPWATCH_STATE", "MCPWATCH_CONFIG")
"""Variables that say where the files are, which another terminal does not have."""


def program() -> str:
    """`mcpwatch`, or what was typed for it where the shell may not find it by that name.

    That is `uv run mcpwatch` where uv runs it out of a clone, and the path of a program that is not on the path.
    """
    if "UV_RUN_RECURSION_DEPTH" in os.environ:
        return f"uv run {NAME}"
    typed = Path(sys.argv[0])
    is_elsewhere = typed.name == NAME and typed.is_file() and shutil.which(NAME) not in (str(typed), sys.argv[0])
    return shlex.quote(sys.argv[0]) if is_elsewhere else NAME


def program_elsewhere() -> str:
    """The same for another terminal in the same folder: with the variables that say where the files are."""
    moved = (f"{name}={shlex.quote(os.environ[name])}" for name in _MOVING if os.environ.get(name))
    return " ".join((*moved, program()))
