"""What the words of a command line, and the configuration where there are none, mean: feeds and recordings."""

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from msgspec import Struct

from mcpwatch.config import SourceConfig
from mcpwatch.errors import ConnectError, RefusedError, UsageError
from mcpwatch.feed.address import feed_address, host_and_port
from mcpwatch.feed.discover import Announcement
from mcpwatch.feed.recording_format import SUFFIX
from mcpwatch.program import program
from mcpwatch.secret import Secret, read_secret
from mcpwatch.text import show

TOKEN_VARIABLE = "MCPWATCH_TOKEN"  # noqa: S105 (a variable's name)


class Feed(Struct, frozen=True):
    """Where a feed is and what opens it."""

    address: str
    token: Secret
    name: str = ""
    """What the operator calls it; empty: its host and port."""
    read_token: Callable[[], Secret] | None = None
    """Reads the token as it is wanted, for a feed beside others; raises RefusedError and LocalError."""


class Recorded(Struct, frozen=True):
    """A recording, and what it is called; empty: as its file."""

    path: Path
    name: str = ""


Named = Feed | Recorded


class Words(Struct, frozen=True):
    """What a command line says of the sources it wants."""

    sources: Sequence[str] = ()
    every: bool = False
    """Every gateway of the user's on this machine as well."""
    token_file: Path | None = None


def named(words: Words, configured: Mapping[str, SourceConfig], known: Sequence[Announcement]) -> list[Named]:
    """The sources that are wanted, each once; where none is named, those configured to be watched, else the one here.

    A token is read at once where one source alone is wanted, so that what is wrong with it is said at once.
    Raises UsageError where several gateways run here and none is named, ConnectError where none does, and, of one
    source, RefusedError and LocalError for its token.
    """
    wanted = [_of_word(word, words, configured, known) for word in words.sources]
    if words.every:
        named = {source.address for source in wanted if isinstance(source, Feed)}
        wanted += [_at(each.address, words, configured, known) for each in known if each.address not in named]
        if not wanted:
            _only(known)
    elif not words.sources:
        watched = {name: source for name, source in configured.items() if source.watched}
        wanted = [_of_config(name, source, words, known) for name, source in watched.items()]
        wanted = wanted or [_at(_only(known).address, words, configured, known)]
    found = list(_apart(_once(wanted)))
    if len(found) == 1:
        (only,) = found
        return [_with_token(only) if isinstance(only, Feed) else only]
    return found


def is_recording(word: str, known: Sequence[Announcement]) -> bool:
    """Whether a word names a file, and no server that is running."""
    if any(word == server.name for gateway in known for server in gateway.upstreams):
        return False
    return "://" not in word and (word.endswith(SUFFIX) or Path(word).is_file())


def token_at(address: str, known: Sequence[Announcement], token_file: Path | None) -> Secret:
    """The token for a feed; raises RefusedError without one, LocalError for a file that cannot be read or believed."""
    if token_file is not None:
        return read_secret(token_file)
    value = os.environ.get(TOKEN_VARIABLE)
    if value:
        return Secret(value.strip())
    found = next((gateway for gateway in known if gateway.address == address), None)
    if found is not None:
        return read_secret(Path(found.operator_token_file or found.token_file))
    raise RefusedError(
        f"No token for the feed at {address}",
        f"No gateway of yours runs there. For another's, give its feed.token: --token-file FILE, or {TOKEN_VARIABLE}",
    )


def _of_word(word: str, words: Words, configured: Mapping[str, SourceConfig], known: Sequence[Announcement]) -> Named:
    if word in configured:
        return _of_config(word, configured[word], words, known)
    if is_recording(word, known):
        return Recorded(Path(word))
    behind = [gateway for gateway in known if word in (one.name for one in gateway.upstreams)]
    if not behind and "://" not in word and configured:
        raise UsageError(
            f"No source is called {word}", f"Configured are: {', '.join(configured)}. Else give a feed's address."
        )
    return _at(_only(behind).address if behind else feed_address(word), words, configured, known)


def _of_config(name: str, source: SourceConfig, words: Words, known: Sequence[Announcement]) -> Named:
    if "://" not in source.address:
        return Recorded(Path(source.address).expanduser(), name)
    address = feed_address(source.address)
    file = Path(source.token_file).expanduser() if source.token_file else words.token_file
    return Feed(address, Secret(""), name, lambda: token_at(address, known, file))


def _at(address: str, words: Words, configured: Mapping[str, SourceConfig], known: Sequence[Announcement]) -> Named:
    """The feed at an address, under its configured name where it has one."""
    for name, source in configured.items():
        if "://" in source.address and feed_address(source.address) == address:
            return _of_config(name, source, words, known)
    return Feed(address, Secret(""), "", lambda: token_at(address, known, words.token_file))


def _with_token(feed: Feed) -> Feed:
    return Feed(feed.address, feed.read_token() if feed.read_token else feed.token, feed.name)


def _once(wanted: Iterable[Named]) -> Iterator[Named]:
    """Each source once; says on stderr which are the same."""
    seen: dict[str, Named] = {}
    for each in wanted:
        place = each.address if isinstance(each, Feed) else str(each.path.resolve())
        first = seen.setdefault(place, each)
        if first is each:
            yield each
            continue
        called = f", as {name_of(first)}" if name_of(first) not in place else ""
        said = f"mcpwatch: warning: {place} is named more than once: it is read once{called}"
        print(show(said), file=sys.stderr)


def _apart(wanted: Iterable[Named]) -> Iterator[Named]:
    """The same, so that no two go by one name: what is no name of the operator's gives way to its whole place."""
    listed = list(wanted)
    for each in listed:
        alike = sum(name_of(other) == name_of(each) for other in listed)
        if alike == 1 or each.name:
            yield each
        elif isinstance(each, Feed):
            yield Feed(each.address, each.token, each.address, each.read_token)
        else:
            yield Recorded(each.path, str(each.path))


def name_of(source: Named) -> str:
    """What a source is called on every screen."""
    return source.name or (host_and_port(source.address) if isinstance(source, Feed) else source.path.name)


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
            f"Name one, such as {gateways[0].address}, or say --all-gateways: {'; '.join(listed)}",
        )
    return gateways[0]
