"""From the words of a command line to feeds: addresses, tokens, and the pins that go with them."""

import argparse
import math
import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from msgspec import Struct

from mcpwatch.commands.config_warnings import warn
from mcpwatch.config import Config, load
from mcpwatch.detect.rules import CATALOGUE
from mcpwatch.errors import ConnectError, IntegrityError, RefusedError, UsageError
from mcpwatch.feed.address import feed_address
from mcpwatch.feed.discover import Announcement, running
from mcpwatch.feed.recording_format import SUFFIX
from mcpwatch.feed.recording_source import RecordingSource
from mcpwatch.feed.source import Source
from mcpwatch.feed.subscriber import HttpSource
from mcpwatch.feed.upto import Until, UpTo
from mcpwatch.files import config_file, state_dir
from mcpwatch.model.feed import FeedState, FeedStatus
from mcpwatch.policy.kept import KeptPolicy
from mcpwatch.policy.load import NAME
from mcpwatch.program import program
from mcpwatch.secret import Secret, read_secret
from mcpwatch.watch import build
from mcpwatch.watch.query import BadQuery, Query, parse
from mcpwatch.watch.watcher import Watcher

TOKEN_VARIABLE = "MCPWATCH_TOKEN"  # noqa: S105 (a variable's name)


class Feed(Struct, frozen=True):
    """Where a feed is and what opens it."""

    address: str
    token: Secret


class Target(Struct, frozen=True):
    """The feeds and recordings to watch, with the state folder, configuration and policy to watch them by."""

    feeds: tuple[Feed, ...]
    state: Path
    config: Config
    config_path: Path
    policy: KeptPolicy
    recordings: tuple[Path, ...] = ()


def arguments(parser: argparse.ArgumentParser, *, filtering: str = "show what passes") -> None:
    """The arguments of every command that watches; there is no filter where it does nothing."""
    parser.add_argument(
        "sources",
        nargs="*",
        metavar="SOURCE",
        help="a feed's address, such as http://127.0.0.1:4181, the name of a server behind a gateway of yours, "
        f"or a recording, FILE{SUFFIX} (the one gateway running on this machine)",
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

    A gateway that keeps its operator's pins in a folder of its own, as the demo does, is watched by those.
    Raises UsageError, also for a bad configuration or policy and where several run here and none is named, ConnectError
    where none does, RefusedError without a token.
    """
    known = running(state_dir())
    recordings = tuple(Path(word) for word in options.sources if is_recording(word, known))
    wanted = [_address(word, known) for word in options.sources if not is_recording(word, known)]
    if not options.sources:
        wanted = [_only(known).address]
    by_address = {gateway.address: gateway for gateway in known}
    feeds = tuple(Feed(address, _token(address, by_address.get(address), options.token_file)) for address in wanted)
    only = by_address.get(wanted[0]) if len(wanted) == 1 and not recordings else None
    if only is not None and only.state:
        return target_of(feeds[0], Path(only.state), options.policy)
    return _target(feeds, state_dir(), config_file(), options.policy, recordings)


def recorded(path: Path, policy: Path | None = None) -> Target:
    """One recording, watched by the user's own state and configuration."""
    return _target((), state_dir(), config_file(), policy, (path,))


def feed_at(address: str, token_file: Path | None) -> Feed:
    """The feed at an address, with its token; raises RefusedError without one."""
    found = next((gateway for gateway in running(state_dir()) if gateway.address == address), None)
    return Feed(address, _token(address, found, token_file))


def is_recording(word: str, known: Sequence[Announcement]) -> bool:
    """Whether a word names a file, and no server that is running."""
    if any(word == server.name for gateway in known for server in gateway.upstreams):
        return False
    return "://" not in word and (word.endswith(SUFFIX) or Path(word).is_file())


def _address(word: str, known: Sequence[Announcement]) -> str:
    """The feed that a word means: of the gateway with a server of that name, or at that address."""
    named = [gateway for gateway in known if word in (one.name for one in gateway.upstreams)]
    return _only(named).address if named else feed_address(word)


def _only(gateways: Sequence[Announcement]) -> Announcement:
    """The one gateway there is; nobody but the operator can say which of several is meant."""
    if not gateways:
        raise ConnectError(
            "No gateway of yours is running on this machine",
            f"Start one: {program()} gateway --upstream URL. Or look around in: {program()} demo",
        )
    if len(gateways) > 1:
        listed = (f"{one.address} ({', '.join(server.name for server in one.upstreams)})" for one in gateways)
        raise UsageError(
            f"{len(gateways)} gateways of yours are running on this machine",
            f"Say which by its feed's address: {'; '.join(listed)}",
        )
    return gateways[0]


def target_of(feed: Feed, state: Path, policy: Path | None = None) -> Target:
    """A feed with a state folder, a configuration and a policy of its own, unless another `policy` is named."""
    return _target((feed,), state, state / "config.toml", policy)


def _target(
    feeds: tuple[Feed, ...],
    state: Path,
    config_path: Path,
    policy: Path | None,
    recordings: tuple[Path, ...] = (),
) -> Target:
    config = load(config_path)
    warn(config, state)
    kept = KeptPolicy(policy or config_path.with_name(NAME), CATALOGUE, is_named=policy is not None)
    return Target(feeds, state, config, config_path, kept, recordings)


def _token(address: str, found: Announcement | None, token_file: Path | None) -> Secret:
    if token_file is not None:
        return read_secret(token_file)
    value = os.environ.get(TOKEN_VARIABLE)
    if value:
        return Secret(value.strip())
    if found is not None:
        return read_secret(Path(found.operator_token_file or found.token_file))
    raise RefusedError(
        f"No token for the feed at {address}",
        f"No gateway of yours runs there. For another's, give its feed.token: --token-file FILE, or {TOKEN_VARIABLE}",
    )


def query(text: str) -> Query:
    """The filter of a command line; raises UsageError that points at what is wrong in it."""
    try:
        return parse(text)
    except BadQuery as bad:
        raise UsageError(
            f"--filter {text!r}: {bad.reason} (at character {bad.position + 1})",
            "The README lists the filter words; ? in the dashboard does too.",
        ) from None


async def open_watcher(target: Target) -> Watcher:
    """Make a watcher of a target whose feeds all answer; raises ConnectError and RefusedError otherwise."""
    return watcher_of(target, await _open(target))


async def open_to_the_end(
    target: Target, until: Until, through: Callable[[Source], Source] = lambda source: source
) -> tuple[Watcher, list[UpTo]]:
    """The same, of feeds that end by themselves; they come along, for they know whether they are proven.

    Each source is read `through` what is made of it.
    """
    feeds = [UpTo(through(source), until) for source in await _open(target)]
    return watcher_of(target, feeds), feeds


async def _open(target: Target) -> list[Source]:
    live = [HttpSource(feed.address, feed.token, state=target.state, health=True) for feed in target.feeds]
    for source in live:
        await source.probe()
    return [*live, *(RecordingSource(path, state=target.state) for path in target.recordings)]


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
    return RefusedError.exit_code if FeedState.REFUSED in states else 0
