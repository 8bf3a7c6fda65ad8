"""`mcpwatch watch`: the dashboard on a feed."""

import argparse
import asyncio
import sys

from mcpwatch.commands import sources
from mcpwatch.commands.signals import until_signalled
from mcpwatch.errors import LocalError
from mcpwatch.watch.query import ALL, Query
from mcpwatch.watch.watcher import Watcher


def arguments(parser: argparse.ArgumentParser) -> None:
    sources.arguments(parser)


def run(options: argparse.Namespace) -> int:
    require_terminal()
    target = sources.find(options)
    return asyncio.run(until_signalled(_watch(target, sources.query(options.filter))))


async def _watch(target: sources.Target, query: Query) -> int:
    watcher = await sources.open_watcher(target)
    try:
        return await dashboard(watcher, query)
    finally:
        await watcher.close()


def require_terminal() -> None:
    """Raise LocalError where there is no terminal to draw on."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise LocalError("The dashboard needs a terminal", "For pipes and scripts there is: mcpwatch tail")


async def dashboard(watcher: Watcher, query: Query = ALL) -> int:
    """Show a watcher until the operator leaves; returns the exit code."""
    from mcpwatch.detect.rules import CATALOGUE
    from mcpwatch.ui.app import WatchApp

    app = WatchApp(watcher, rules=CATALOGUE, query=query)
    await app.run_async()
    return app.return_code or 0
