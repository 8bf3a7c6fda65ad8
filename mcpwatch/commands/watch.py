"""`mcpwatch watch`: the dashboard on a feed."""

import argparse
import asyncio
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from mcpwatch.commands import notifying, sources
from mcpwatch.commands.signals import until_signalled
from mcpwatch.config import Config, refused
from mcpwatch.errors import LocalError
from mcpwatch.garbage import no_look
from mcpwatch.notify.notifier import notify
from mcpwatch.notify.options import NotifyOptions
from mcpwatch.program import program
from mcpwatch.watch.query import ALL, Query
from mcpwatch.watch.watcher import Watcher

if TYPE_CHECKING:
    from mcpwatch.ui.settings import Settings

IN_BROWSER = "TEXTUAL_DRIVER"
"""The variable by which a server of pages has its programs draw on one."""
_CANNOT_DRAW = ("", "dumb", "unknown")


def arguments(parser: argparse.ArgumentParser) -> None:
    sources.arguments(parser)
    notifying.arguments(parser)


def run(options: argparse.Namespace) -> int:
    target = sources.find(options)
    query = sources.query(options.filter, target.config)
    wishes = notifying.options(options, target.config.notify)
    settings = settings_of(target)
    require_terminal()
    return asyncio.run(until_signalled(_watch(target, query, wishes, settings)))


async def _watch(target: sources.Target, query: Query, wishes: NotifyOptions, settings: "Settings") -> int:
    watcher = await sources.open_watcher(target)
    try:
        return await dashboard(watcher, query, wishes, settings)
    finally:
        await watcher.close()


def require_terminal() -> None:
    """Raise LocalError where there is no terminal to draw on, or one that cannot be drawn on; a page is one."""
    if os.environ.get(IN_BROWSER):
        return
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise LocalError("The dashboard needs a terminal", f"For pipes and scripts there is: {program()} tail")
    kind = os.environ.get("TERM", "")
    if sys.platform != "win32" and kind in _CANNOT_DRAW:
        raise LocalError(f"The dashboard cannot draw on a terminal with TERM={kind}", f"Line by line: {program()} tail")


def settings_of(target: sources.Target) -> "Settings":
    """Keys, colours and history of a target; raises as `configured` does."""
    from mcpwatch.ui.widgets import history

    return configured(target.config, target.config_path)._replace(history=target.state / history.FILE)


def configured(config: Config, path: Path) -> "Settings":
    """The keys and colours of a configuration; raises UsageError for those that there are not."""
    with no_look():
        from mcpwatch.ui import settings

    for fault in settings.faults(config):
        raise refused(path, fault)
    return settings.settings(config)


async def dashboard(
    watcher: Watcher,
    query: Query = ALL,
    wishes: NotifyOptions = NotifyOptions(),  # noqa: B008
    settings: "Settings | None" = None,
) -> int:
    """Show a watcher, and notify, until the operator leaves; returns the exit code.

    Without settings it looks as with a configuration that says nothing.
    """
    from mcpwatch.detect.rules import CATALOGUE

    with no_look():
        from mcpwatch.ui.app import WatchApp
        from mcpwatch.ui.settings import settings as settings_for

    app = WatchApp(watcher, rules=CATALOGUE, query=query)
    app.take(settings if settings is not None else settings_for(Config()))
    async with notify(watcher.state, wishes, app.trouble):
        await app.run_async()
    return app.return_code or 0
