"""What values make sense in the configuration, beyond their form."""

import re
from collections.abc import Callable, Iterator, Sequence
from urllib.parse import urlsplit

from msgspec import Struct, structs

from mcpwatch.config.tree import Config
from mcpwatch.config_faults import Fault
from mcpwatch.errors import UsageError
from mcpwatch.model.alerts import Severity
from mcpwatch.notify.options import MOST_PER_MINUTE, parse_webhook
from mcpwatch.toml_text import dotted

MAX_AUTHOR = 200
"""Characters; an act by a longer name does not count."""
TIMES = ("clock", "age", "step")
"""How times are told."""
CHARACTERS = ("auto", "unicode", "ascii")
"""What is drawn with."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}")
_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")


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
    _Check("ui.times", f"be one of {', '.join(TIMES)}", lambda config: config.ui.times in TIMES),
    _Check(
        "ui.characters",
        f"be one of {', '.join(CHARACTERS)}",
        lambda config: config.ui.characters in CHARACTERS,
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
    yield from _named_faults(config)


def _named_faults(config: Config) -> Iterator[Fault]:
    """The same of what goes by names of the operator's."""
    for section, named in (("sources", config.sources), ("filters", config.filters), ("themes", config.themes)):
        for name in named:
            if not _NAME.fullmatch(name):
                must = "have a name of at most 40 letters, digits, - and _"
                yield Fault((section, name), f"{dotted((section, name))} must {must}")
    for name, source in config.sources.items():
        if not _is_source(source.address):
            must = "be an http or https URL without a user, or the path of a recording from / or ~/"
            yield Fault(("sources", name, "address"), f"sources.{name}.address must {must}")
        if source.token_file and not source.token_file.startswith(("/", "~/")):
            yield Fault(("sources", name, "token_file"), f"sources.{name}.token_file must be a path from / or ~/")
    for name, theme in config.themes.items():
        for colour, value in structs.asdict(theme).items():
            if colour != "base" and value and not _COLOUR.fullmatch(value):
                yield Fault(("themes", name, colour), f"themes.{name}.{colour} must be a colour such as #1f5fa8")


def _is_source(text: str) -> bool:
    return _is_address(text, ("http", "https")) or (text.startswith(("/", "~/")) and text.isprintable())


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
