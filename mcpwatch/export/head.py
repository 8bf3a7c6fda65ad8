"""What every export says of itself: which log, how far it was read, and what of it is proven."""

import time
from collections.abc import Mapping, Sequence
from importlib.metadata import version

from msgspec import Struct

from mcpwatch.feed.standing import STICKY
from mcpwatch.model.feed import FeedStatus
from mcpwatch.watch.times import rfc3339


class Extent(Struct):
    """How much of one feed went into an export."""

    entries: int = 0
    first: int | None = None
    """Index of the first; None without any."""
    last: int | None = None

    def take(self, index: int) -> None:
        """Count an entry, in the order of their indexes."""
        self.entries += 1
        self.first = index if self.first is None else self.first
        self.last = index


class ExportedFeed(Struct, frozen=True):
    """A feed that entries were exported from."""

    source: str
    address: str
    origin: str
    """The log's own name; empty for a feed without a log."""
    key: str
    """The verifier key that the log was held against; that of a recording is its own word where none is pinned."""
    state: str
    detail: str
    size: int
    """Entries of the log below this were read, or lie in a gap."""
    verified_size: int
    """Entries below this are proven by the checkpoint."""
    checkpoint: str
    """The signed note of the newest checkpoint that was verified; empty without one."""
    checkpoint_time: str
    """When it was signed, by the gateway's clock; empty where it does not say."""
    gaps: tuple[tuple[int, int], ...]
    """First and last index of each gap, both included."""
    entries: int
    """How many were exported."""
    first: int | None
    """Index of the first that was exported; null without any."""
    last: int | None
    proven: bool
    """The checkpoint covers all that were exported, and the log did not contradict itself."""


class Head(Struct, frozen=True, tag="export"):
    """The first thing in every export."""

    format: str
    """As `--format` names it."""
    time: str
    """When it was made, RFC 3339, UTC."""
    filter: str
    """What was let through; empty for everything."""
    feeds: tuple[ExportedFeed, ...]
    """All that were read."""
    version: str
    """Of mcpwatch."""

    @property
    def proven(self) -> bool:
        """Whether all that was exported is."""
        return all(feed.proven for feed in self.feeds)


def head(format: str, filter: str, feeds: Sequence[FeedStatus], extents: Mapping[str, Extent]) -> Head:
    """The head of an export of these feeds as they stand now; `extents` by source."""
    told = tuple(_feed(status, extents.get(status.name, Extent())) for status in feeds)
    return Head(format, rfc3339(time.time()), filter, told, version("mcpwatch-tui"))


def covers(status: FeedStatus, index: int) -> bool:
    """Whether a checkpoint that holds covers this entry."""
    return status.checkpoint is not None and status.state not in STICKY and status.proves(index)


def _feed(status: FeedStatus, extent: Extent) -> ExportedFeed:
    checkpoint = status.checkpoint
    return ExportedFeed(
        source=status.name,
        address=status.address,
        origin=status.origin,
        key=status.key,
        state=status.state.value,
        detail=status.detail,
        size=status.next_index,
        verified_size=status.verified_size,
        checkpoint=checkpoint.note.decode("utf-8", "replace") if checkpoint is not None else "",
        checkpoint_time=rfc3339(checkpoint.time) if checkpoint is not None and checkpoint.time is not None else "",
        gaps=tuple((gap.first, gap.last) for gap in status.gaps),
        entries=extent.entries,
        first=extent.first,
        last=extent.last,
        proven=covers(status, -1 if extent.last is None else extent.last),
    )
