"""`mcpwatch tail`: the same as watch without a screen, for pipes."""

import argparse
import asyncio
import sys

from mcpwatch.commands import notifying, sources
from mcpwatch.commands.signals import until_signalled
from mcpwatch.notify.notifier import notify
from mcpwatch.notify.options import NotifyOptions
from mcpwatch.text import show
from mcpwatch.watch.filter_words import read_span
from mcpwatch.watch.tail import TailOptions, tail


def arguments(parser: argparse.ArgumentParser) -> None:
    sources.arguments(parser, every=sources.EVERY[1:])
    notifying.arguments(parser)
    past = parser.add_mutually_exclusive_group()
    past.add_argument(
        "-n",
        "--lines",
        type=_number,
        default=10,
        metavar="N",
        help="first print the last N entries of what was there before (%(default)s)",
    )
    past.add_argument("--since", type=_span, metavar="SPAN", help="first print the entries of that time, such as 5m")
    past.add_argument("--all", action="store_true", help="first print the whole log")
    parser.add_argument("--json", action="store_true", help="one JSON object a line; the README has its shape")
    parser.add_argument("--count", type=int, metavar="N", help="stop after N entries")
    parser.add_argument(
        "--until-idle", type=sources.seconds, metavar="SECONDS", help="stop when no entry came for so long"
    )


def run(options: argparse.Namespace) -> int:
    target = sources.find(options)
    query = sources.query(options.filter, target.config)
    tailing = TailOptions(
        query=query,
        json=options.json,
        lines=None if options.all or options.since is not None else options.lines,
        since=options.since,
        count=options.count,
        until_idle=options.until_idle,
    )
    wishes = notifying.options(options, target.config.notify)
    return asyncio.run(until_signalled(_tail(target, tailing, wishes)))


def _number(text: str) -> int:
    if not (text.isascii() and text.isdecimal()):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of entries")
    return int(text)


def _span(text: str) -> float:
    span = read_span(text)
    if span is None:
        raise argparse.ArgumentTypeError(f"{text!r} is not a span of time, such as 90s, 5m, 1.5h or 2d")
    return span


async def _tail(target: sources.Target, options: TailOptions, wishes: NotifyOptions) -> int:
    watcher = await sources.open_watcher(target)
    try:
        async with notify(watcher.state, wishes, _say):
            await tail(watcher, sys.stdout, options)
    finally:
        await watcher.close()
    return sources.exit_code(watcher.state.feeds.values())


def _say(what: str, why: str) -> None:
    """Say on stderr that somebody cannot be told of alerts, or can again."""
    print(show(f"mcpwatch: {what}: {why or 'works again'}"), file=sys.stderr, flush=True)
