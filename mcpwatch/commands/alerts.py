"""`mcpwatch alerts`: what is wrong, read from a feed up to its newest checkpoint."""

import argparse
import asyncio
import sys
from collections.abc import Callable, Iterable

from mcpwatch.commands import sources
from mcpwatch.commands.reading import reading
from mcpwatch.commands.signals import until_signalled
from mcpwatch.feed.upto import Until
from mcpwatch.model.alerts import AlertState
from mcpwatch.report.check import check
from mcpwatch.report.report import CheckedAlert, Report, Terms
from mcpwatch.report.text import alert_lines, feed_line
from mcpwatch.text import show
from mcpwatch.watch.printer import encode
from mcpwatch.watch.query import Query

_ANY = "any"
_FORMATS: dict[str, Callable[[CheckedAlert], Iterable[str]]] = {
    "text": alert_lines,
    "json": lambda alert: [encode(alert)],
}


def arguments(parser: argparse.ArgumentParser) -> None:
    sources.arguments(parser, filtering="show the alerts that such entries raised")
    parser.add_argument(
        "--state",
        choices=(*(state.value for state in AlertState), _ANY),
        default=AlertState.FIRING.value,
        help="which alerts (%(default)s)",
    )
    parser.add_argument(
        "--format",
        choices=tuple(_FORMATS),
        default="text",
        help="lines for a person, or the alert lines of tail --json (%(default)s)",
    )


def run(options: argparse.Namespace) -> int:
    target = sources.find(options)
    query = sources.query(options.filter, target.config)
    return asyncio.run(until_signalled(_alerts(target, query, options)))


async def _alerts(target: sources.Target, query: Query, options: argparse.Namespace) -> int:
    watcher, feeds = await sources.open_to_the_end(target, Until())
    try:
        async with reading(feeds):
            report = await check(watcher, feeds, Terms(fail_on=None), query)
    finally:
        await watcher.close()
    for alert in report.alerts:
        if options.state in (_ANY, alert.state):
            for line in _FORMATS[options.format](alert):
                print(line)
    warn_of_unproven(report)
    return report.exit_code


def warn_of_unproven(report: Report) -> None:
    """Say on stderr which feeds are not proven: there may be more, or less, than what was read."""
    for feed in report.feeds:
        if not feed.is_proven:
            print(f"mcpwatch: warning: {show(feed_line(feed))}", file=sys.stderr)
