"""The configuration read from its file, and who acts by it."""

import os
from pathlib import Path

import msgspec

from mcpwatch.config.checks import value_faults
from mcpwatch.config.tree import Config
from mcpwatch.config_faults import Fault, form_faults, read_file, refuse
from mcpwatch.errors import UsageError
from mcpwatch.files import config_file
from mcpwatch.program import program


def load(path: Path | None = None) -> Config:
    """Read the configuration; a missing file is the defaults.

    Raises UsageError that names the file and what is wrong in it.
    """
    path = config_file() if path is None else path
    try:
        text, document = read_file(path, _hint())
    except FileNotFoundError:
        return Config()
    fault = next(form_faults(document, Config), None)
    config = Config() if fault else msgspec.convert(document, Config)
    fault = fault or next(value_faults(config), None)
    if fault:
        raise refuse(path, text, fault, _hint())
    return config


def refused(path: Path, fault: Fault) -> UsageError:
    """The error that tells of a fault which only a command could find, with its place in the file."""
    try:
        text = read_file(path, _hint()).text
    except FileNotFoundError:
        text = ""
    return refuse(path, text, fault, _hint())


def author(config: Config) -> str:
    """Who acknowledges: the configured name, or USER@HOST."""
    if config.watch.author:
        return config.watch.author
    import getpass
    import socket

    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = str(os.getuid())
    return f"{user}@{socket.gethostname()}"


def _hint() -> str:
    return f"See: {program()} config template"
