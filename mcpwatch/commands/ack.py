"""`mcpwatch ack`: say of an alert that it was seen, is over, or should be silent, with a note."""

import argparse
import asyncio
import glob
import sys

from mcpwatch.commands import sources
from mcpwatch.commands.alerts import warn_of_unproven
from mcpwatch.commands.signals import until_signalled
from mcpwatch.detect.act_checks import StaleAct, grown
from mcpwatch.errors import UsageError
from mcpwatch.feed.upto import Until
from mcpwatch.model.alerts import Alert, AlertState, Kept
from mcpwatch.program import program
from mcpwatch.report.check import check
from mcpwatch.report.report import Terms, checked
from mcpwatch.report.text import alert_lines
from mcpwatch.text import show
from mcpwatch.watch.filter_words import read_span
from mcpwatch.watch.watcher import Watcher


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("id", metavar="ID", help="the alert's id, as alerts prints it, or its beginning")
    sources.arguments(parser, filtering="")
    parser.add_argument("--note", required=True, metavar="TEXT", help="why; it stays, with who and when")
    acts = parser.add_mutually_exclusive_group()
    acts.add_argument("--resolve", action="store_true", help="the cause is gone; new evidence fires again")
    acts.add_argument(
        "--silence", type=_span, metavar="SPAN", help="hear nothing of it for so long, such as 2h or 7d at most"
    )
    acts.add_argument("--undo", action="store_true", help="take back what lets it rest: it fires again")
    parser.add_argument(
        "--seen",
        type=_index,
        metavar="INDEX",
        help="the newest entry you were shown, with or without the #, in place of being asked; newer ones refuse it",
    )
    parser.add_argument("--yes", action="store_true", help="silence without being asked")


def run(options: argparse.Namespace) -> int:
    if not options.note.strip():
        raise UsageError("A note is needed", "Say in a few words why: --note TEXT")
    return asyncio.run(until_signalled(_run(sources.find(options), options)))


def _span(text: str) -> float:
    span = read_span(text)
    if not span:
        raise argparse.ArgumentTypeError(f"{text!r} is not a span of time, such as 30m, 2h or 7d")
    return span


def _index(text: str) -> int:
    number = text.removeprefix("#")
    if not (number.isascii() and number.isdecimal()):
        raise argparse.ArgumentTypeError(f"{text!r} is not the index of an entry, such as 135")
    return int(number)


async def _run(target: sources.Target, options: argparse.Namespace) -> int:
    watcher, feeds = await sources.open_to_the_end(target, Until())
    try:
        report = await check(watcher, feeds, Terms(fail_on=None))
        warn_of_unproven(report)
        alert = _find(watcher, options.id)
        for line in alert_lines(checked(alert, watcher.state)):
            print(line)
        kept = await _act(watcher, alert, options)
    finally:
        await watcher.close()
    print(show(f"{_done(options)}: {alert.id}, written {kept.value}"))
    return 0


def _find(watcher: Watcher, beginning: str) -> Alert:
    """The one alert whose id begins so; raises UsageError for none and for several."""
    found = [alert for id, alert in watcher.state.alerts.items() if beginning and id.startswith(beginning.lower())]
    if len(found) == 1:
        return found[0]
    hint = f"See: {program()} alerts --state any"
    if not found:
        raise UsageError(f"There is no alert {beginning}", hint)
    raise UsageError(f"{len(found)} alerts begin with {beginning}", hint)


async def _act(watcher: Watcher, alert: Alert, options: argparse.Namespace) -> Kept:
    note, known = options.note, alert.last_act
    seen = alert.last_index if options.seen is None else options.seen
    if seen < alert.last_index and (options.undo or options.silence):
        raise StaleAct(*grown(alert))
    if options.undo:
        if alert.state is AlertState.SILENCED and alert.silence is not None:
            return await watcher.unsilence(alert.silence, note)
        return await watcher.unacknowledge(alert.id, note, known)
    if options.silence:
        if not options.yes and options.seen is None:
            await _ask("Hear nothing of this for so long?", "--yes")
        return await watcher.silence(alert.source, exactly(alert.rule), exactly(alert.subject), note, options.silence)
    act = watcher.resolve if options.resolve else watcher.acknowledge
    if options.seen is not None:
        return await act(alert.id, note, seen)
    if seen >= 0:
        await _ask("Say that you have seen this?", "--seen INDEX")
    return await act(alert.id, note, seen, known)


def exactly(text: str) -> str:
    """A glob that this text alone matches."""
    return glob.escape(text)


async def _ask(question: str, instead: str) -> None:
    """Have a person say yes; raises UsageError where there is nobody, who says it by `instead`, or they do not."""
    if not sys.stdin.isatty():
        raise UsageError(
            f"Nobody can be asked here: say {instead}", "alerts prints an alert with its newest entry last."
        )
    print(f"{question} [y/N] ", end="", flush=True)
    loop = asyncio.get_running_loop()
    typed = asyncio.Event()
    # Not input(): a signal has to end the wait.
    loop.add_reader(sys.stdin.fileno(), typed.set)
    try:
        await typed.wait()
    finally:
        loop.remove_reader(sys.stdin.fileno())
    if not sys.stdin.readline().strip().lower().startswith("y"):
        raise UsageError("Nothing was changed")


def _done(options: argparse.Namespace) -> str:
    if options.undo:
        return "taken back"
    if options.silence:
        return "silenced"
    return "resolved" if options.resolve else "acknowledged"
