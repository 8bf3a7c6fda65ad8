"""Feeds and recordings opened: one says at once what is wrong with it, of several one that is down hides no other."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from mcpwatch.commands.named_sources import Feed, Named, Recorded, name_of
from mcpwatch.errors import ConnectError, McpwatchError, RefusedError
from mcpwatch.feed.patient import PatientSource, UnreadSource
from mcpwatch.feed.recording_source import RecordingSource
from mcpwatch.feed.source import Source
from mcpwatch.tasks import cancel

if TYPE_CHECKING:
    from mcpwatch.feed.subscriber import HttpSource

Opened = Source | McpwatchError
"""A source, or why there is none."""


async def open_each(named: Sequence[Named], state: Path) -> list[Source]:
    """Sources that are to be read to their ends; of several, one that does not answer says why and ends.

    Raises what is wrong where no source can be read.
    """
    found = await asyncio.gather(*(_answered(each, state) for each in named))
    _require_one(named, found)
    return [_or_unread(each, one) for each, one in zip(named, found, strict=True)]


async def open_once_one_answers(named: Sequence[Named], state: Path) -> list[Source]:
    """Sources that are to be watched; of several, those that do not answer are asked on and on. Raises the same."""
    feeds = [each for each in named if isinstance(each, Feed)]
    if len(named) == 1:
        return await open_each(named, state)
    recordings = {each.path: _attempt(partial(_recorded, each, state)) for each in named if isinstance(each, Recorded)}
    if all(isinstance(one, McpwatchError) for one in recordings.values()):
        await _wait_for_one(named, feeds, recordings, state)
    return [
        _or_unread(each, recordings[each.path])
        if isinstance(each, Recorded)
        else PatientSource(name_of(each), each.address, partial(_live, each, state))
        for each in named
    ]


async def _wait_for_one(
    named: Sequence[Named], feeds: Sequence[Feed], recordings: Mapping[Path, Opened], state: Path
) -> None:
    """Return as soon as one feed answers, however long others take."""
    asking = {each.address: asyncio.create_task(_answered(each, state)) for each in feeds}
    try:
        for answer in asyncio.as_completed(asking.values()):
            if not isinstance(await answer, McpwatchError):
                return
    finally:
        await cancel(*asking.values())
    _require_one(
        named, [asking[each.address].result() if isinstance(each, Feed) else recordings[each.path] for each in named]
    )


async def _answered(each: Named, state: Path) -> Opened:
    """The source, if it can be opened and answers."""
    if isinstance(each, Recorded):
        return _attempt(partial(_recorded, each, state))
    try:
        source = _live(each, state)
        await source.probe()
    except McpwatchError as error:
        return error
    return source


def _attempt(open: Callable[[], Source]) -> Opened:
    try:
        return open()
    except McpwatchError as error:
        return error


def _live(feed: Feed, state: Path) -> "HttpSource":
    # Who opens recordings alone asks nobody, and an HTTP client takes long to load.
    from mcpwatch.feed.subscriber import HttpSource

    token = feed.token if feed.read_token is None else feed.read_token()
    return HttpSource(feed.address, token, name=feed.name, state=state, health=True)


def _recorded(each: Recorded, state: Path) -> Source:
    return RecordingSource(each.path, name=each.name, state=state)


def _or_unread(each: Named, one: Opened) -> Source:
    if not isinstance(one, McpwatchError):
        return one
    return UnreadSource(name_of(each), each.address if isinstance(each, Feed) else str(each.path), one)


def _require_one(named: Sequence[Named], found: Sequence[Opened]) -> None:
    """Raise what is wrong where nothing can be read."""
    errors = [one for one in found if isinstance(one, McpwatchError)]
    if len(errors) < len(found):
        return
    if len(errors) == 1:
        raise errors[0]
    kind = RefusedError if all(isinstance(error, RefusedError) for error in errors) else ConnectError
    told = (f"{name_of(each)}: {error.title}" for each, error in zip(named, errors, strict=True))
    raise kind(f"None of the {len(errors)} sources can be read", "; ".join(told))
