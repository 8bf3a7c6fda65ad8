"""From the words of a command line to a watcher: its feeds, and the pins, configuration and policy for them."""

import argparse
import math
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from msgspec import Struct

from mcpwatch.commands.config_warnings import warn
from mcpwatch.commands.named_sources import TOKEN_VARIABLE, Feed, Named, Recorded, Words, named, token_at
from mcpwatch.commands.opening import open_each, open_once_one_answers
from mcpwatch.config import Config, load, refused
from mcpwatch.config_faults import Fault
from mcpwatch.detect.rules import CATALOGUE
from mcpwatch.errors import ConnectError, IntegrityError, McpwatchError, RefusedError, UsageError
from mcpwatch.feed.discover import running
from mcpwatch.feed.recording import Recording
from mcpwatch.feed.recording_format import SUFFIX
from mcpwatch.feed.source import Source
from mcpwatch.feed.upto import Until, UpTo
from mcpwatch.files import config_file, state_dir
from mcpwatch.model.feed import FeedState, FeedStatus
from mcpwatch.policy.kept import KeptPolicy
from mcpwatch.policy.load import NAME
from mcpwatch.watch import build
from mcpwatch.watch.query import BadQuery, Query, check_saved, parse
from mcpwatch.watch.watcher import Watcher

EVERY = ("--all", "--all-gateways")
"""The option for every gateway of the user's that runs on this machine."""


class Target(Struct, frozen=True):
    """The feeds and recordings to watch, with the state folder, configuration and policy to watch them by."""

    sources: tuple[Named, ...]
    state: Path
    config: Config
    config_path: Path
    policy: KeptPolicy

    @property
    def feed(self) -> Feed | None:
        """The one feed; None for several, and for a recording."""
        only = self.sources[0] if len(self.sources) == 1 else None
        return only if isinstance(only, Feed) else None

    @property
    def recordings(self) -> tuple[Path, ...]:
        """The recordings among them."""
        return tuple(source.path for source in self.sources if isinstance(source, Recorded))


def arguments(
    parser: argparse.ArgumentParser, *, filtering: str = "show what passes", every: Sequence[str] = EVERY
) -> None:
    """The arguments of every command that watches; there is no filter where it does nothing.

    `every` are the names of the option for all gateways.
    """
    parser.add_argument(
        "sources",
        nargs="*",
        metavar="SOURCE",
        help="feeds and recordings, one or several: an address such as http://127.0.0.1:4181, the name of a server "
        f"behind a gateway of yours, FILE{SUFFIX}, or a NAME under sources in the configuration (those there that are "
        "watched, else the one gateway running on this machine)",
    )
    parser.add_argument(
        *every, action="store_true", dest="every", help="every gateway of yours running on this machine"
    )
    token_argument(parser)
    parser.add_argument(
        "--policy", type=Path, metavar="FILE", help="the policy to watch by (policy.toml beside the configuration)"
    )
    if filtering:
        parser.add_argument("--filter", default="", metavar="FILTER", help=f"{filtering}, e.g. 'sig:bad | sev>=high'")


def token_argument(parser: argparse.ArgumentParser) -> None:
    """The argument of every command that asks a feed."""
    parser.add_argument(
        "--token-file",
        type=Path,
        metavar="FILE",
        help=f"the gateway's feed.token, 0600; {TOKEN_VARIABLE} may hold the token instead",
    )


def until_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of every command that reads a feed to its end."""
    parser.add_argument(
        "--for",
        type=seconds,
        dest="seconds",
        metavar="SECONDS",
        help="go on for so long, instead of ending at the newest checkpoint there is",
    )
    parser.add_argument(
        "--until-idle", type=seconds, metavar="SECONDS", help="go on until no entry came for so long, instead"
    )


def seconds(text: str) -> float:
    """A number of seconds on a command line; none is without end."""
    number = float(text)
    if not 0 <= number < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds")
    return number


def until(options: argparse.Namespace) -> Until:
    """When a command line wants a feed to end."""
    return Until(seconds=options.seconds, idle=options.until_idle)


def find(options: argparse.Namespace) -> Target:
    """The feeds and recordings that a command line means.

    A gateway that keeps its operator's pins in a folder of its own, as the demo does, is watched by those where it is
    watched alone. Raises UsageError for a bad configuration or policy, and as `named` does.
    """
    known, config = running(state_dir()), load(config_file())
    try:
        found = tuple(named(Words(options.sources, options.every, options.token_file), config.sources, known))
    except McpwatchError:
        # A mistake in the words comes first: mending it needs nothing that is missing.
        query(getattr(options, "filter", ""), config)
        raise
    only = found[0] if len(found) == 1 else None
    kept = next((gateway for gateway in known if isinstance(only, Feed) and gateway.address == only.address), None)
    if isinstance(only, Feed) and kept is not None and kept.state:
        return target_of(only, Path(kept.state), options.policy)
    return _target(found, state_dir(), config_file(), options.policy)


def recorded(path: Path, policy: Path | None = None) -> Target:
    """One recording, watched by the user's own state and configuration; raises as `Recording` does."""
    Recording(path).close()
    return _target((Recorded(path),), state_dir(), config_file(), policy)


def feed_at(address: str, token_file: Path | None) -> Feed:
    """The feed at an address, with its token; raises RefusedError without one."""
    return Feed(address, token_at(address, running(state_dir()), token_file))


def target_of(feed: Feed, state: Path, policy: Path | None = None) -> Target:
    """A feed with a state folder, a configuration and a policy of its own, unless another `policy` is named."""
    return _target((feed,), state, state / "config.toml", policy)


def _target(found: tuple[Named, ...], state: Path, config_path: Path, policy: Path | None) -> Target:
    config = load(config_path)
    _require_filters(config, config_path)
    warn(config, state)
    kept = KeptPolicy(policy or config_path.with_name(NAME), CATALOGUE, is_named=policy is not None)
    return Target(found, state, config, config_path, kept)


def _require_filters(config: Config, path: Path) -> None:
    """Raise UsageError with the place of a saved filter that is none."""
    try:
        check_saved(config.filters)
    except BadQuery as bad:
        what = f"filters.{bad.saved} is no filter: {bad.reason} (at its character {bad.position + 1})"
        raise refused(path, Fault(("filters", bad.saved), what)) from None


def query(text: str, config: Config) -> Query:
    """The filter of a command line; raises UsageError that points at what is wrong in it."""
    try:
        return parse(text, config.filters)
    except BadQuery as bad:
        raise UsageError(
            f"--filter {text!r}: {bad.reason} (at character {bad.position + 1})",
            "The README lists the filter words; ? in the dashboard does too.",
        ) from None


async def open_watcher(target: Target) -> Watcher:
    """Make a watcher of a target; raises as `mcpwatch.commands.opening` says where none of its sources can be read."""
    return watcher_of(target, await open_once_one_answers(target.sources, target.state))


async def open_to_the_end(
    target: Target, until: Until, through: Callable[[Source], Source] = lambda source: source
) -> tuple[Watcher, list[UpTo]]:
    """The same, of feeds that end by themselves; they come along, for they know whether they are proven.

    Each source is read `through` what is made of it.
    """
    feeds = [UpTo(through(source), until) for source in await open_each(target.sources, target.state)]
    return watcher_of(target, feeds), feeds


def watcher_of(target: Target, sources: Sequence[Source]) -> Watcher:
    """A watcher of these sources by the target's state, configuration and policy."""
    return build.open_watcher(
        sources, target.state, target.config, config_path=target.config_path, policy=target.policy
    )


def exit_code(feeds: Iterable[FeedStatus]) -> int:
    """What a command that read these feeds to their end leaves with."""
    states = {feed.state for feed in feeds}
    if states & {FeedState.BROKEN, FeedState.ROLLBACK}:
        return IntegrityError.exit_code
    if FeedState.REFUSED in states:
        return RefusedError.exit_code
    return ConnectError.exit_code if FeedState.DISCONNECTED in states else 0
