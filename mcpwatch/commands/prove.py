"""`mcpwatch prove`: one entry with its proof in a file that a third party can check, and the check."""

import argparse
import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

from mcpwatch.commands import sources
from mcpwatch.commands.named_sources import Feed, Recorded
from mcpwatch.commands.signals import until_signalled
from mcpwatch.errors import IntegrityError, LocalError, UsageError
from mcpwatch.feed.discover import running
from mcpwatch.feed.entry_query import ask_entry
from mcpwatch.feed.envelope import Malformed, decode
from mcpwatch.feed.pins import Pins, pins_folder
from mcpwatch.feed.proofs import BadProof
from mcpwatch.feed.recorded_proof import RecordedProof
from mcpwatch.feed.tlog_proof import MAX_FILE, TlogProof, format_proof, parse_proof, verify_proof
from mcpwatch.feed.vkey import BadNote, VerifierKey
from mcpwatch.files import new_private, state_dir
from mcpwatch.model.feed import Checkpoint
from mcpwatch.program import program
from mcpwatch.text import show, show_bytes
from mcpwatch.watch.times import rfc3339


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "source",
        nargs="?",
        metavar="SOURCE",
        help="a recording, a feed's address, the name of a server behind a gateway of yours, or a NAME under sources "
        "in the configuration",
    )
    parser.add_argument("index", nargs="?", type=int, metavar="INDEX", help="the entry's index in the log")
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help="a new file, 0600, instead of the output")
    parser.add_argument("--force", action="store_true", help="write over FILE where there is one")
    parser.add_argument("--check", type=Path, metavar="FILE", help="check such a file instead, and show the entry")
    parser.add_argument(
        "--key",
        action="append",
        default=[],
        metavar="VKEY",
        help="the log's verifier key for --check, and once more its key of the time (those that are pinned)",
    )
    sources.token_argument(parser)


def run(options: argparse.Namespace) -> int:
    if options.check is not None:
        return _check(options.check, options.key)
    if options.source is None or options.index is None or options.index < 0:
        raise UsageError("prove needs a feed and the index of an entry", f"Such as: {program()} prove SOURCE 1234")
    wanted = argparse.Namespace(sources=[options.source], every=False, token_file=options.token_file, policy=None)
    target = sources.find(wanted)
    (found,) = target.sources
    if isinstance(found, Recorded):
        return _recorded(found.path, options)
    return asyncio.run(until_signalled(_asked(found, target.state, options)))


def _recorded(path: Path, options: argparse.Namespace) -> int:
    recorded = RecordedProof(path, options.index, state_dir())
    if not recorded.is_known:
        print(show(f"mcpwatch: nobody here vouches for the log's key, {recorded.keys[0]}"), file=sys.stderr)
        print("  Hold it against the one that the Feed screen shows beside the gateway.", file=sys.stderr)
    return _give(recorded.proof, recorded.keys, options)


async def _asked(feed: Feed, state: Path, options: argparse.Namespace) -> int:
    return _give(*await ask_entry(feed.address, feed.token, options.index, state), options)


def _give(proof: TlogProof, keys: tuple[str, str], options: argparse.Namespace) -> int:
    """Write a proof that holds by these keys, and say what it proves."""
    try:
        checkpoint = verify_proof(proof, keys)
    except BadProof as bad:
        raise IntegrityError(f"entry {options.index} is not proven: {bad}") from None
    _write(proof, options)
    _tell(checkpoint, options.index)
    return 0


def _write(proof: TlogProof, options: argparse.Namespace) -> None:
    data = format_proof(proof)
    if options.output is None:
        sys.stdout.write(data.decode())
        sys.stdout.flush()
        return
    with new_private(options.output, over=options.force) as file:
        file.write(data)


def _check(path: Path, given: Sequence[str]) -> int:
    try:
        with path.open("rb") as file:
            proof = parse_proof(file.read(MAX_FILE + 1))
        checkpoint = _verified(proof, given)
    except OSError as error:
        raise LocalError(f"{path} cannot be read: {error.strerror}") from None
    except BadProof as bad:
        raise IntegrityError(f"{path} proves nothing: {bad}", "It was changed, or is of another log.") from None
    print(show_bytes(proof.leaf))
    try:
        decode(proof.leaf)
    except Malformed as malformed:
        print(show(f"mcpwatch: the entry is malformed: {malformed.reason}"), file=sys.stderr)
    _tell(checkpoint, proof.index)
    return 0


def _verified(proof: TlogProof, given: Sequence[str]) -> Checkpoint:
    """The checkpoint that covers the entry, by the keys that are given, else by those that are pinned for the log."""
    if given:
        return verify_proof(proof, _in_order(given))
    origin = proof.note.partition(b"\n")[0].decode("utf-8", "replace")
    states = [state_dir(), *(Path(gateway.state) for gateway in running(state_dir()) if gateway.state)]
    pinned = [keys for state in states for keys in Pins(pins_folder(state)).keys_of(origin)]
    if not pinned:
        raise UsageError(f"No key of the log {origin} is pinned here", "Give the log's verifier key: --key VKEY")
    for keys in pinned[:-1]:
        try:
            return verify_proof(proof, keys)
        except BadProof:
            continue
    return verify_proof(proof, pinned[-1])


def _in_order(given: Sequence[str]) -> Sequence[str]:
    """The log's key, then that of the time, whichever was given first; raises UsageError where they are none."""
    try:
        keys = sorted(given, key=lambda each: VerifierKey.parse(each).type)
    except BadNote as bad:
        raise UsageError(f"--key: {bad.reason}", "A verifier key is NAME+ID+KEY, as the gateway prints it.") from None
    if len(keys) > 2:
        raise UsageError("--key: a log has two verifier keys at most")
    return keys


def _tell(checkpoint: Checkpoint, index: int) -> None:
    """Say on stderr what is proven."""
    when = f", signed {rfc3339(checkpoint.time)}" if checkpoint.time is not None else ""
    said = f"entry {index} is in the log {checkpoint.origin}, by its checkpoint of size {checkpoint.size}{when}"
    print(show(said), file=sys.stderr)
