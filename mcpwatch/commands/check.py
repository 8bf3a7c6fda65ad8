"""`mcpwatch check`: verify and detect over all that a feed holds, and fail where something is wrong, for CI."""

import argparse
import asyncio
import sys

from mcpwatch.commands import sources
from mcpwatch.commands.reading import reading
from mcpwatch.commands.signals import until_signalled
from mcpwatch.model.alerts import Severity
from mcpwatch.report import FORMATS
from mcpwatch.report.check import check
from mcpwatch.report.report import NEVER, Report, Terms
from mcpwatch.report.text import verdict
from mcpwatch.watch.query import Query


def arguments(parser: argparse.ArgumentParser) -> None:
    sources.arguments(parser, filtering="look at the alerts alone that such entries raised")
    sources.until_arguments(parser)
    parser.add_argument(
        "--fail-on",
        choices=(*(severity.name.lower() for severity in Severity), NEVER),
        default=Severity.HIGH.name.lower(),
        help="the lowest severity of an alert that fails (%(default)s); a feed that is not proven always does",
    )
    parser.add_argument(
        "--include-acknowledged",
        action="store_true",
        help="alerts that were acknowledged, silenced or resolved fail too",
    )
    parser.add_argument("--format", choices=tuple(FORMATS), default="text", help="what is printed (%(default)s)")


def run(options: argparse.Namespace) -> int:
    target = sources.find(options)
    query = sources.query(options.filter, target.config)
    terms = Terms(
        fail_on=None if options.fail_on == NEVER else Severity[options.fail_on.upper()],
        with_resting=options.include_acknowledged,
        filter=options.filter,
    )
    return asyncio.run(until_signalled(_check(target, options, terms, query)))


async def _check(target: sources.Target, options: argparse.Namespace, terms: Terms, query: Query) -> int:
    watcher, feeds = await sources.open_to_the_end(target, sources.until(options))
    try:
        async with reading(feeds):
            report = await check(watcher, feeds, terms, query)
    finally:
        await watcher.close()
    _print(report, options.format)
    return report.exit_code


def _print(report: Report, format: str) -> None:
    try:
        print(FORMATS[format](report), flush=True)
    except BrokenPipeError:
        # Whoever read this had enough of it; what it comes to is still what the command ends with.
        sys.stdout = None
    if format != "text":
        # Output of a machine's format goes to a file; whoever reads the build's log wants a word too.
        print(verdict(report), file=sys.stderr)
