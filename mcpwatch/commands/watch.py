"""`mcpwatch watch`: the dashboard on a feed."""

import argparse
import asyncio
import sys

from mcpwatch.commands import sources
from mcpwatch.errors import LocalError
from mcpwatch.watch.watcher import Watcher


def arguments(parser: argparse.ArgumentParser) -> None:
    sources.arguments(parser)


def run(options: argparse.Namespace) -> int:
    require_terminal()
    place = sources.find(options)
    query = sources.query(options.filter)

    async def watch() -> int:
        watcher = await sources.open_watcher(place)
        try:
            return await dashboard(watcher, str(query))
        finally:
            await watcher.close()

    return asyncio.run(watch())


def require_terminal() -> None:
    """Raise LocalError where there is no terminal to draw on."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise LocalError("The dashboard needs a terminal", "For pipes and scripts there is: mcpwatch tail")


async def dashboard(watcher: Watcher, filter: str = "") -> int:
    """Show a watcher until the operator leaves; returns the exit code."""
    from mcpwatch.detect.rules import RULES
    from mcpwatch.ui.app import WatchApp

    app = WatchApp(watcher, rules={rule.info.id: rule.info for rule in RULES})
    await app.run_async()
    return app.return_code or 0
