"""One entry of a running gateway's log, asked for with its proof (SPEC.md, sections 3.1, 5 and 9)."""

import time
from pathlib import Path

import httpx

from mcpwatch.errors import ConnectError, IntegrityError, UsageError
from mcpwatch.feed.about import About
from mcpwatch.feed.address import FEED_PATH
from mcpwatch.feed.checkpoint_pins import CheckpointPins, checkpoint_pins_folder
from mcpwatch.feed.failures import Refused, TryLater
from mcpwatch.feed.note import NoteVerifier
from mcpwatch.feed.proofs import BadProof, verify_consistency
from mcpwatch.feed.queries import ask_about, ask_consistency, ask_inclusion, check, client, failure, in_time, sendable
from mcpwatch.feed.source import Clock
from mcpwatch.feed.sse import SseReader, StreamFault, is_event_stream
from mcpwatch.feed.tlog_proof import TlogProof, verify_proof
from mcpwatch.feed.trust import ChangedKey, Trust
from mcpwatch.feed.vkey import BadNote
from mcpwatch.model.feed import Checkpoint
from mcpwatch.secret import Secret


async def ask_entry(
    address: str,
    token: Secret,
    index: int,
    state: Path,
    clock: Clock = time.time,
    transport: httpx.AsyncBaseTransport | None = None,
) -> tuple[TlogProof, tuple[str, str]]:
    """Entry `index` with its proof under the log's newest checkpoint, verified, and the log's keys.

    The keys are those that are pinned under `state`, or pinned now. Raises UsageError where the log has no such entry,
    or not any more, ConnectError and RefusedError where it does not answer, IntegrityError where it does not hold.
    """
    try:
        async with client(address, sendable(token), transport) as asking:
            about = await ask_about(asking, address, clock)
            newest = _newest(about, address, state, clock)
            await _hold(asking, address, newest, NoteVerifier(*about.keys), state, clock)
            size = newest.size
            if index >= size:
                raise UsageError(f"No checkpoint covers entry {index}", f"The newest is of size {size}.")
            if index < about.oldest:
                raise UsageError(f"Entry {index} is no longer kept", f"The oldest that is kept is {about.oldest}.")
            leaf = await _leaf(asking, address, index, clock)
            found = await ask_inclusion(asking, address, index, size, clock)
    except (Refused, TryLater, StreamFault, httpx.HTTPError, OSError, ValueError) as error:
        raise failure(address, error) from None
    if found is None:
        raise ConnectError(f"{address} proves no single entries", "Prove it from a recording of the feed.")
    proof = TlogProof(index, found.hashes, about.note.encode(), leaf)
    try:
        verify_proof(proof, about.keys)
    except BadProof as bad:
        raise IntegrityError(f"the log does not prove entry {index}: {bad}") from None
    return proof, about.keys


def _newest(about: About, address: str, state: Path, clock: Clock) -> Checkpoint:
    """The newest checkpoint, if it is of the log that is known at this address."""
    try:
        checkpoint = NoteVerifier(*about.keys).open(about.note.encode())
        Trust(address, state=state).recognise(about.keys, clock())
    except BadNote as bad:
        raise IntegrityError(f"the gateway's checkpoint does not hold: {bad.reason}") from None
    except ChangedKey as changed:
        raise IntegrityError(str(changed)) from None
    return checkpoint


async def _hold(
    asking: httpx.AsyncClient, address: str, newest: Checkpoint, verifier: NoteVerifier, state: Path, clock: Clock
) -> None:
    """Hold the newest checkpoint against the one that is pinned of the log; raises IntegrityError, LocalError."""
    pinned = CheckpointPins(checkpoint_pins_folder(state)).find(verifier)
    if pinned is None or not pinned.size:
        return
    if newest.size < pinned.size:
        raise IntegrityError(f"the log now says it has {newest.size} entries; {pinned.size} were signed before")
    answer = await ask_consistency(asking, address, pinned.size, newest.size, clock)
    try:
        path = () if answer is None else answer.hashes
        verify_consistency(pinned.size, newest.size, pinned.root, newest.root, path)
    except BadProof:
        raise IntegrityError(
            f"the log does not prove that it goes on from its first {pinned.size} entries, which were verified before"
        ) from None


async def _leaf(asking: httpx.AsyncClient, address: str, index: int, clock: Clock) -> bytes:
    """The octets of an entry, from the stream, which sends it first."""
    headers, reader = {"Last-Event-ID": str(index - 1)} if index else {}, SseReader()
    async with in_time(), asking.stream("GET", address + FEED_PATH, headers=headers) as response:
        await check(response, is_event_stream, clock)
        async for chunk in response.aiter_raw():
            for frame in reader.feed(chunk):
                if frame.event == "entry" and frame.id == str(index):
                    return frame.data
                if frame.event == "entry":
                    raise IntegrityError(f"entry {frame.id} came where {index} was asked for")
    raise TryLater(f"the stream ended before entry {index}")
