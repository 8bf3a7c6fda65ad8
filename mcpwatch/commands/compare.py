"""`mcpwatch compare`: whether two watchers saw one log, or were shown two."""

import argparse
import asyncio
import time
from pathlib import Path

from mcpwatch.commands import sources
from mcpwatch.commands.signals import until_signalled
from mcpwatch.errors import ConnectError, IntegrityError, McpwatchError
from mcpwatch.feed.address import feed_address
from mcpwatch.feed.claims import Claim, Pair, claims_of, pair
from mcpwatch.feed.comparison import Comparison, Verdict, compare_at_once
from mcpwatch.feed.queries import ask_comparison
from mcpwatch.model.feed import Checkpoint
from mcpwatch.text import show

_CODES = {
    Verdict.SAME: 0,
    Verdict.FORK: IntegrityError.exit_code,
    Verdict.UNKNOWN: ConnectError.exit_code,
}


def arguments(parser: argparse.ArgumentParser) -> None:
    for name in ("a", "b"):
        parser.add_argument(
            name,
            type=Path,
            metavar=name.upper(),
            help="a watcher's state folder, its pin of a log, or a file with a signed checkpoint",
        )
    parser.add_argument(
        "--feed", metavar="SOURCE", help="the feed that proves how the two go together (that of the pins)"
    )
    sources.token_argument(parser)


def run(options: argparse.Namespace) -> int:
    pairs = pair(claims_of(options.a), claims_of(options.b))
    return asyncio.run(until_signalled(_compare(pairs, options)))


async def _compare(pairs: list[Pair], options: argparse.Namespace) -> int:
    """Compare all logs that both watched; the gravest of what they come to."""
    codes = []
    for a, b in pairs:
        code = None
        try:
            found = compare_at_once(a.checkpoint, b.checkpoint) or await _ask(a, b, options)
        except McpwatchError as error:
            if len(pairs) == 1:
                raise
            # One log whose gateway is away leaves the others to be compared.
            found, code = (
                Comparison(Verdict.UNKNOWN, ". ".join(filter(None, (error.title, error.hint)))),
                error.exit_code,
            )
        _print(a, b, found)
        codes.append(_CODES[found.verdict] if code is None else code)
    # A fork's code is the largest of those that come from comparing.
    return max(codes)


async def _ask(a: Claim, b: Claim, options: argparse.Namespace) -> Comparison:
    address = options.feed or a.address or b.address
    if not address:
        return Comparison(Verdict.UNKNOWN, "their sizes differ and neither says where its feed is: name it with --feed")
    feed = sources.feed_at(feed_address(address), options.token_file)
    return await ask_comparison(feed.address, feed.token, a.verifier, a.checkpoint, b.checkpoint, time.time)


def _print(a: Claim, b: Claim, found: Comparison) -> None:
    print(show(f"{found.verdict.value}: {a.checkpoint.origin}: {found.why}"))
    for name, claim in (("A", a), ("B", b)):
        print(show(f"  {name}  {claim.checkpoint.size:,} entries  {claim.place}"))
    if found.verdict is Verdict.FORK:
        _print_note("A", a.checkpoint)
        _print_note("B", b.checkpoint)
        if found.contradicted is not None and found.contradicted.root not in (a.checkpoint.root, b.checkpoint.root):
            _print_note("the log's newest", found.contradicted)


def _print_note(name: str, checkpoint: Checkpoint) -> None:
    print(show(f"--- signed, {name}:"))
    for line in checkpoint.note.decode(errors="replace").splitlines():
        print(show(line))
