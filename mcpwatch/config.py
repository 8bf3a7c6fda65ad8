"""The configuration: one strict tree, whose field docstrings are its manual."""

import ast
import inspect
import os
from pathlib import Path

import msgspec
from msgspec import Struct, field

from mcpwatch.errors import UsageError
from mcpwatch.files import config_file


class IdentityConfig(Struct, forbid_unknown_fields=True, frozen=True):
    """How names become keys."""

    registry: str = ""
    """Base URL of the AIP registry that is asked for did:aip keys. Empty: nobody is asked."""
    window: int = 300
    """Seconds a signature stays fresh."""


class WatchConfig(Struct, forbid_unknown_fields=True, frozen=True):
    """What the watcher keeps, and who acknowledges."""

    rows: int = 50_000
    """Entries kept in memory; counters and alerts outlive them."""
    author: str = ""
    """Who acknowledges, as written into the record. Empty: USER@HOST."""


class Config(Struct, forbid_unknown_fields=True, frozen=True):
    """The whole file."""

    identity: IdentityConfig = field(default_factory=IdentityConfig)
    watch: WatchConfig = field(default_factory=WatchConfig)


def load(path: Path | None = None) -> Config:
    """Read the configuration; a missing file is the defaults.

    Raises UsageError that names the file and what is wrong in it.
    """
    path = config_file() if path is None else path
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return Config()
    try:
        return check(msgspec.toml.decode(data, type=Config))
    except (msgspec.MsgspecError, UnicodeDecodeError, ValueError) as error:
        raise UsageError(f"{path}: {error}", "See: mcpwatch config template") from None


def check(config: Config) -> Config:
    """Return `config` when its values make sense; ValueError names the key otherwise."""
    if config.identity.registry and not config.identity.registry.startswith(("http://", "https://")):
        raise ValueError("identity.registry must be an http or https URL")
    if not 1 <= config.identity.window <= 86_400:
        raise ValueError("identity.window must lie between 1 and 86400 seconds")
    if not 100 <= config.watch.rows <= 10_000_000:
        raise ValueError("watch.rows must lie between 100 and 10000000")
    return config


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


def template() -> str:
    """A commented TOML file with every key at its default, made from the docstrings above."""
    lines: list[str] = []
    for section in msgspec.structs.fields(Config):
        table = section.type
        docs = manual(table)
        lines += [f"# {inspect.getdoc(table)}", f"[{section.name}]"]
        for key in msgspec.structs.fields(table):
            value = msgspec.json.encode(key.default).decode()
            lines += [f"# {docs[key.name]}", f"# {key.name} = {value}"]
        lines.append("")
    return "\n".join(lines)


def dump(config: Config) -> str:
    """The configuration in force, as TOML."""
    lines: list[str] = []
    for section in msgspec.structs.fields(Config):
        lines.append(f"[{section.name}]")
        values = msgspec.to_builtins(getattr(config, section.name))
        lines += [f"{key} = {msgspec.json.encode(value).decode()}" for key, value in values.items()]
        lines.append("")
    return "\n".join(lines)


def manual(table: type[Struct]) -> dict[str, str]:
    """The docstrings that follow a struct's fields."""
    body = ast.parse(inspect.getsource(table)).body[0]
    assert isinstance(body, ast.ClassDef)  # noqa: S101
    docs: dict[str, str] = {}
    for line, following in zip(body.body, body.body[1:], strict=False):
        if (
            isinstance(line, ast.AnnAssign)
            and isinstance(line.target, ast.Name)
            and isinstance(following, ast.Expr)
            and isinstance(following.value, ast.Constant)
        ):
            docs[line.target.id] = str(following.value.value)
    return docs
