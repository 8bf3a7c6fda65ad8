"""The configuration: one strict tree, whose field docstrings are its manual."""

import os
import re
import textwrap
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct, field

from mcpwatch.config_faults import Fault, form_faults, read_file, refuse
from mcpwatch.errors import UsageError
from mcpwatch.files import config_file
from mcpwatch.manual import manual as manual
from mcpwatch.model.alerts import Severity
from mcpwatch.notify.options import MOST_PER_MINUTE, PER_MINUTE, SEVERITY, parse_webhook, place
from mcpwatch.program import program
from mcpwatch.toml_text import written, written_key


class IdentityConfig(Struct, forbid_unknown_fields=True, frozen=True):
    """How names become keys."""

    registry: str = ""
    """Base URL of the AIP registry that is asked for did:aip keys and vouches. Empty: nobody is asked."""
    jwks: tuple[str, ...] = ()
    """JWKS with keys that count: paths of files, from / or ~, and https URLs."""
    did_web: bool = False
    """Whether the hosts that did:web identities name are asked for their documents."""
    directories: bool = False
    """Whether the hosts that signatures name as key directories or JWKS are asked for them."""
    allow_private: bool = False
    """Whether hosts that requests name may lie on private addresses; localhost is then asked over http."""
    roots: tuple[str, ...] = ()
    """DIDs that trust starts from: whom they vouch for, and whom those vouch for in turn, has a path."""
    window: int = 300
    """Seconds a signature stays fresh."""


class WatchConfig(Struct, forbid_unknown_fields=True, frozen=True):
    """What the watcher keeps, and who acknowledges."""

    rows: int = 50_000
    """Entries kept in memory; counters and alerts outlive them."""
    author: str = ""
    """Who acknowledges, as written into the record. Empty: USER@HOST."""
    operators: tuple[str, ...] = ()
    """Whose acts on alerts count: fingerprints of operator keys, as `mcpwatch keys operator` prints them, each with a
    name behind a blank if you like. Empty: everybody's who signs, and the screen says that the key is not listed."""


class NotifyConfig(Struct, forbid_unknown_fields=True, frozen=True):
    """Who is told outside of the terminal when an alert fires, by watch and tail."""

    command: tuple[str, ...] = ()
    """A program and its arguments, run without a shell for each message, with the message on its standard input."""
    webhook: str = ""
    """URL that each message is posted to: https, or http on this machine. `config show` leaves its path out."""
    webhook_token_file: str = ""
    """File with the token that the webhook is sent as its bearer token: from / or ~, 0600."""
    severity: str = SEVERITY.name.lower()
    """The lowest severity that is told: low, medium, high or critical."""
    per_minute: int = PER_MINUTE
    """Messages a minute to each; what more there is to tell is summed up in the last of them."""

    def __repr__(self) -> str:
        """Without what may be a secret."""
        return f"NotifyConfig(severity={self.severity!r}, per_minute={self.per_minute})"


Principals = dict[str, tuple[str, ...]]


class Config(Struct, forbid_unknown_fields=True, frozen=True):
    """The whole file."""

    identity: IdentityConfig = field(default_factory=IdentityConfig)
    watch: WatchConfig = field(default_factory=WatchConfig)
    notify: NotifyConfig = field(default_factory=NotifyConfig)
    principals: Principals = field(default_factory=dict)
    """Who may sign for the holder of an access token: its subject, or issuer and subject with a space between, and a
    list of signers by id or name. A holder that is not listed may have any signer."""


class Key(Struct, frozen=True):
    """A key of the file: one row of the template and of the manual."""

    section: str
    name: str
    default: object
    meaning: str


MAX_AUTHOR = 200
"""Characters; an act by a longer name does not count."""

_EXAMPLE = Key("principals", '"https://issuer.example alice"', ["did:web:agent.example"], "")


def load(path: Path | None = None) -> Config:
    """Read the configuration; a missing file is the defaults.

    Raises UsageError that names the file and what is wrong in it.
    """
    path = config_file() if path is None else path
    hint = f"See: {program()} config template"
    try:
        text, document = read_file(path, hint)
    except FileNotFoundError:
        return Config()
    fault = next(form_faults(document, Config), None)
    config = Config() if fault else msgspec.convert(document, Config)
    fault = fault or next(value_faults(config), None)
    if fault:
        raise refuse(path, text, fault, hint)
    return config


class _Check(Struct, frozen=True):
    """A row: what must hold, and what to say where it does not."""

    key: str
    must: str
    holds: Callable[[Config], bool]


CHECKS: tuple[_Check, ...] = (
    _Check(
        "identity.registry",
        "be an http or https URL without a user",
        lambda config: not config.identity.registry or _is_address(config.identity.registry, ("http", "https")),
    ),
    _Check("identity.window", "lie between 1 and 86400 seconds", lambda config: 1 <= config.identity.window <= 86_400),
    _Check(
        "identity.jwks",
        "list paths that begin with / or ~/, and https URLs without a user",
        lambda config: all(_is_jwks(place) for place in config.identity.jwks),
    ),
    _Check(
        "identity.roots",
        "list DIDs, without a fragment; a did:aip ends in 32 lower-case hex digits",
        lambda config: all(_is_did(root) for root in config.identity.roots),
    ),
    _Check("watch.rows", "lie between 100 and 10000000", lambda config: 100 <= config.watch.rows <= 10_000_000),
    _Check(
        "watch.author",
        f"be printable and have at most {MAX_AUTHOR} characters",
        lambda config: config.watch.author.isprintable() and len(config.watch.author) <= MAX_AUTHOR,
    ),
    _Check(
        "watch.operators",
        "list fingerprints of 43 characters, none twice, each with nothing or a blank and a name behind it",
        lambda config: _are_operators(config.watch.operators),
    ),
    _Check(
        "notify.webhook",
        "be an https URL without a user, or an http one of this machine",
        lambda config: not config.notify.webhook or _is_webhook(config.notify.webhook),
    ),
    _Check(
        "notify.webhook_token_file",
        "be a path that begins with / or ~/",
        lambda config: config.notify.webhook_token_file.startswith(("/", "~/")) or not config.notify.webhook_token_file,
    ),
    _Check(
        "notify.command",
        "list a program and its arguments",
        lambda config: all(map(str.isprintable, config.notify.command)) and all(config.notify.command[:1]),
    ),
    _Check(
        "notify.severity",
        f"be one of {', '.join(severity.name.lower() for severity in Severity)}",
        lambda config: config.notify.severity.upper() in Severity.__members__ and config.notify.severity.islower(),
    ),
    _Check(
        "notify.per_minute",
        f"lie between 1 and {MOST_PER_MINUTE}",
        lambda config: 1 <= config.notify.per_minute <= MOST_PER_MINUTE,
    ),
    _Check(
        "principals",
        "give each subject a list of at least one signer",
        lambda config: all(who.strip() and ids and all(ids) for who, ids in config.principals.items()),
    ),
)


def value_faults(config: Config) -> Iterator[Fault]:
    """The settings whose values make no sense."""
    for row in CHECKS:
        if not row.holds(config):
            yield Fault(tuple(row.key.split(".")), f"{row.key} must {row.must}")


def _is_address(text: str, schemes: Sequence[str]) -> bool:
    """Whether it is a URL that a resolver can ask; a password in it would be told in logs and on the screen."""
    try:
        parts = urlsplit(text)
        return parts.scheme in schemes and bool(parts.hostname) and "@" not in parts.netloc and parts.port != 0
    except ValueError:
        return False


def _is_webhook(text: str) -> bool:
    try:
        return bool(parse_webhook(text))
    except UsageError:
        return False


def _is_jwks(text: str) -> bool:
    return text.isprintable() and (text.startswith(("/", "~/")) or _is_address(text, ("https",)))


def _is_did(text: str) -> bool:
    return bool(re.fullmatch(r"did:(?:aip:[0-9a-f]{32}|(?!aip:)[a-z0-9]+:[A-Za-z0-9._:%-]+)", text))


def _are_operators(listed: Sequence[str]) -> bool:
    found = [re.fullmatch(r"([A-Za-z0-9_-]{43})(?: .*\S)?", entry) for entry in listed]
    fingerprints = {match[1] for match in found if match and match.string.isprintable()}
    return len(fingerprints) == len(listed)


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


def keys() -> Iterator[Key]:
    """Every key of the file with its default, in the order of the classes above."""
    for section in msgspec.structs.fields(Config):
        table: object = section.type
        if isinstance(table, type) and issubclass(table, Struct):
            docs = manual(table)
            for key in msgspec.structs.fields(table):
                yield Key(section.name, key.name, key.default, docs[key.name])
        else:
            yield Key(section.name, "", {}, manual(Config)[section.name])


def template() -> str:
    """A commented TOML file with every key at its default, made from the docstrings above."""
    lines: list[str] = []
    before = ""
    for key in keys():
        if key.section != before:
            before = key.section
            lines += ["", f"[{key.section}]"]
        shown = key if key.name else _EXAMPLE
        lines += textwrap.wrap(" ".join(key.meaning.split()), 118, initial_indent="# ", subsequent_indent="# ")
        lines.append(f"# {shown.name} = {written(shown.default)}")
    return "\n".join(lines[1:]) + "\n"


def dump(config: Config) -> str:
    """The configuration in force, as TOML; a webhook's path is a secret at many services, and is left out."""
    webhook = f"{place(config.notify.webhook)}/…" if config.notify.webhook else ""
    shown = msgspec.structs.replace(config, notify=msgspec.structs.replace(config.notify, webhook=webhook))
    lines: list[str] = []
    for section, values in msgspec.to_builtins(shown).items():
        lines.append(f"[{section}]")
        lines += [f"{written_key(key)} = {written(value)}" for key, value in values.items()]
        lines.append("")
    return "\n".join(lines)
