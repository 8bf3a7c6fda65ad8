"""The head of an export as lines for a person; raw text, which passes the text door where it is written."""

from collections.abc import Iterator

from mcpwatch.export.head import ExportedFeed, Head


def notice(head: Head) -> Iterator[str]:
    """What was exported, then of each feed which log it is and how far it is proven; the checkpoint line by line."""
    yield f"mcpwatch {head.version} export of {head.time}"
    yield f"filter: {head.filter or 'none'}"
    yield "Bodies are as in the log; what is masked there was masked before the entries were hashed."
    for feed in head.feeds:
        yield from _feed(feed)


def _feed(feed: ExportedFeed) -> Iterator[str]:
    yield f"feed: {feed.source} at {feed.address}"
    yield f"log: {feed.origin or 'none'}"
    yield f"entries: {extent(feed)}"
    yield standing(feed)
    for first, last in feed.gaps:
        yield f"missing: entries {first} to {last}"
    if feed.checkpoint:
        yield f"log key: {feed.key}"
        yield "checkpoint:"
        yield from (f"  {line}" for line in feed.checkpoint.rstrip("\n").split("\n"))


def extent(feed: ExportedFeed) -> str:
    """How many entries, and which are the first and the last."""
    return "none" if feed.first is None else f"{feed.entries} from {feed.first} to {feed.last}"


def standing(feed: ExportedFeed) -> str:
    """Whether what was exported is proven, and why not."""
    if feed.proven:
        when = f" of {feed.checkpoint_time}" if feed.checkpoint_time else ""
        return f"proven by the checkpoint{when} for the size {feed.verified_size}"
    return f"NOT PROVEN: {feed.state}{f': {feed.detail}' if feed.detail else ''}"
