"""`mcpwatch verify`: prove a recording, to the entry."""

import argparse
import asyncio
import sys
from pathlib import Path

from mcpwatch.commands.progress_line import ProgressLine, bar
from mcpwatch.commands.signals import until_signalled
from mcpwatch.config import load
from mcpwatch.files import config_file, state_dir
from mcpwatch.report.verified import FAIL_ON, Verified, verified_document
from mcpwatch.report.verified_text import verified_text
from mcpwatch.report.verify_pass import Judging, Progress, verify
from mcpwatch.watch.build import resolver_options

FORMATS = {"text": verified_text, "json": verified_document}


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, metavar="FILE", help="the recording, as mcpwatch record makes it")
    parser.add_argument(
        "--fail-on",
        choices=tuple(FAIL_ON),
        default="bad",
        help="which agents' signatures exit 1: those that do not verify, all that prove nothing, or none (%(default)s)",
    )
    parser.add_argument(
        "--key", default="", metavar="KEY", help="the log's key that must have signed it, as the Feed screen shows it"
    )
    parser.add_argument("--offline", action="store_true", help="ask nobody for keys, whatever the configuration says")
    parser.add_argument("--format", choices=tuple(FORMATS), default="text", help="what is printed (%(default)s)")


def run(options: argparse.Namespace) -> int:
    return asyncio.run(until_signalled(_verify(options)))


async def _verify(options: argparse.Namespace) -> int:
    config = load(config_file())
    judging = Judging(
        window_s=config.identity.window,
        resolving=None if options.offline else resolver_options(config),
        allow_private=config.identity.allow_private,
    )
    line = ProgressLine(sys.stderr)
    try:
        report = await verify(
            options.file,
            state_dir(),
            judging,
            options.fail_on,
            lambda progress: line.draw(lambda: _drawn(progress)),
            options.key,
        )
    finally:
        line.clear()
    _print(report, options.format)
    return report.exit_code


def _drawn(progress: Progress) -> str:
    share = progress.octets / max(progress.size, 1)
    return f"verifying {bar(share)} {share:4.0%}  {progress.entries:,} entries"


def _print(report: Verified, format: str) -> None:
    try:
        print(FORMATS[format](report), flush=True)
    except BrokenPipeError:
        # Whoever read this had enough of it; what it comes to is still what the command ends with.
        sys.stdout = None
