"""`mcpwatch export`: what passes a filter, for other programs and for people, with what it takes to trust it."""

import argparse
import asyncio
import io
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

from mcpwatch.commands import sources
from mcpwatch.commands.reading import reading
from mcpwatch.commands.signals import until_signalled
from mcpwatch.errors import IntegrityError, UsageError
from mcpwatch.export.export import FORMATS, PROVABLE, Export
from mcpwatch.export.head import Head
from mcpwatch.export.notice import standing
from mcpwatch.export.tree_file import TreeSource
from mcpwatch.feed.recording_source import RecordingSource
from mcpwatch.feed.source import Source
from mcpwatch.feed.upto import UpTo
from mcpwatch.files import new_private
from mcpwatch.report.check import KEYS_S
from mcpwatch.text import show
from mcpwatch.watch.query import Query


def arguments(parser: argparse.ArgumentParser) -> None:
    sources.arguments(parser, filtering="export what passes")
    sources.until_arguments(parser)
    parser.add_argument("--format", choices=tuple(FORMATS), default=PROVABLE, help="what is written (%(default)s)")
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help="a new file, 0600, instead of the output")
    parser.add_argument("--force", action="store_true", help="write over FILE where there is one")
    parser.add_argument("--proofs", action="store_true", help=f"with each entry of {PROVABLE}, its inclusion proof")


def run(options: argparse.Namespace) -> int:
    if options.proofs and options.format != PROVABLE:
        raise UsageError(f"{options.format} does not carry the entries' octets", f"For proofs: --format {PROVABLE}")
    target = sources.find(options)
    query = sources.query(options.filter, target.config)
    return asyncio.run(until_signalled(_export(target, options, query)))


async def _export(target: sources.Target, options: argparse.Namespace, query: Query) -> int:
    trees: dict[str, TreeSource] = {}

    def through(source: Source) -> Source:
        if isinstance(source, RecordingSource) and not source.log.is_known:
            print(show(f"mcpwatch: {source.name}: nobody here vouches for the log's key"), file=sys.stderr)
            print("  Hold it against the one that the Feed screen shows beside the gateway.", file=sys.stderr)
        return trees.setdefault(source.name, _with_tree(source)) if options.proofs else source

    with _output(options.output, over=options.force) as out:
        watcher, feeds = await sources.open_to_the_end(target, sources.until(options), through)
        try:
            with Export(options.format, watcher.state, query, filter=options.filter, trees=trees) as export:
                async with reading(feeds):
                    await watcher.run(export, keys_s=KEYS_S)
                head = export.write(out)
        finally:
            await watcher.close()
            for tree in trees.values():
                tree.discard()
    for feed in head.feeds:
        if not feed.proven:
            print(show(f"mcpwatch: {feed.source or feed.address}: {standing(feed)}"), file=sys.stderr)
    for name, tree in trees.items():
        if tree.checkpoint is None:
            print(show(f"mcpwatch: {name}: no proofs, for entries of it were not read"), file=sys.stderr)
    return _exit_code(feeds, head)


def _with_tree(source: Source) -> TreeSource:
    """The source with its log's tree, from where a recording begins."""
    if isinstance(source, RecordingSource):
        head = source.log.recording.head
        with suppress(ValueError):
            # A right edge that is none makes the log BROKEN, and nothing of it is proven.
            return TreeSource(source, head.first, head.frontier)
    return TreeSource(source)


@contextmanager
def _output(path: Path | None, *, over: bool) -> Iterator[TextIO]:
    """Where the export is written: a new private file, found when it is whole, or the output."""
    if path is None:
        yield sys.stdout
        return
    with new_private(path, over=over) as file:
        out = io.TextIOWrapper(file, encoding="utf-8", newline="")
        yield out
        out.flush()
        out.detach()


def _exit_code(feeds: Sequence[UpTo], head: Head) -> int:
    """As of every command that reads feeds to their end, and that of a broken log where the end is not proven.

    Entries that a log no longer has, or a recording never had, are told in the head and no failure.
    """
    is_proven = all(feed.size is not None and feed.status.verified_size >= feed.size for feed in feeds)
    code = sources.exit_code(feed.status for feed in feeds)
    return code or (0 if is_proven and head.proven else IntegrityError.exit_code)
