"""One entry is asked for with its proof, and nothing that a gateway says of it is taken on trust."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import httpx
import msgspec
import pytest
from fake_gateway import ADDRESS, TOKEN, FakeGateway, answer, stream
from tiny_log import TinyLog

from mcpwatch.errors import ConnectError, IntegrityError, McpwatchError, RefusedError, UsageError
from mcpwatch.feed import queries
from mcpwatch.feed.address import FEED_PATH, INCLUSION_PATH
from mcpwatch.feed.checkpoint_pins import CheckpointPin, CheckpointPins, checkpoint_pins_folder
from mcpwatch.feed.entry_query import ask_entry
from mcpwatch.feed.merkle import leaf_hash
from mcpwatch.feed.proof_answers import InclusionAnswer
from mcpwatch.feed.proofs import prove_inclusion
from mcpwatch.feed.tlog_proof import TlogProof, verify_proof
from mcpwatch.secret import Secret


class Proving(FakeGateway):
    """Gives proofs of single entries too, with what `altered` makes of each."""

    def __init__(
        self,
        log: TinyLog,
        *,
        altered: Callable[[InclusionAnswer], InclusionAnswer] = lambda each: each,
        status: int = 200,
    ) -> None:
        super().__init__(log)
        self.altered = altered
        self.status = status

    async def handle(self, request: httpx.Request) -> httpx.Response:
        if request.url.path != INCLUSION_PATH:
            return await super().handle(request)
        index, size = int(request.url.params["index"]), int(request.url.params["size"])
        path = tuple(prove_inclusion(index, size, self.log.node))
        found = InclusionAnswer(index, size, leaf_hash(self.log.leaves[index]), path)
        body = msgspec.json.encode(self.altered(found))
        return answer(self.status, {"Content-Type": "application/json"}, body)


def log_of(entries: int = 21, seed: int = 0) -> TinyLog:
    log = TinyLog(seed=seed)
    log.grow(entries)
    return log


async def ask(gateway: FakeGateway, index: int, state: Path) -> TlogProof:
    transport = httpx.MockTransport(gateway.handle)
    proof, keys = await ask_entry(ADDRESS, Secret(TOKEN), index, state, lambda: 1.0, transport)
    assert verify_proof(proof, keys).size == gateway.log.size
    return proof


async def test_every_entry_comes_with_a_proof_that_holds(state_folder: Path) -> None:
    gateway = Proving(log_of())
    for index in range(21):
        assert (await ask(gateway, index, state_folder)).leaf == gateway.log.leaves[index]


@pytest.mark.parametrize(
    "altered",
    [
        lambda each: msgspec.structs.replace(each, hashes=each.hashes[1:]),
        lambda each: msgspec.structs.replace(each, hashes=(b"x" * 32, *each.hashes[1:])),
        lambda each: msgspec.structs.replace(each, hashes=(*each.hashes, each.hashes[0])),
    ],
)
async def test_a_path_that_leads_elsewhere_is_refused(
    altered: Callable[[InclusionAnswer], InclusionAnswer], state_folder: Path
) -> None:
    with pytest.raises(IntegrityError, match="does not prove entry 13"):
        await ask(Proving(log_of(), altered=altered), 13, state_folder)


async def test_another_entry_or_octet_is_refused(state_folder: Path) -> None:
    for event, error in (
        (lambda log: log.entry(12), IntegrityError),
        (lambda log: log.entry(13).replace(b"200", b"500"), IntegrityError),
        (lambda log: log.checkpoint(), ConnectError),
        (lambda log: b"data: " + b"x" * 900_000, ConnectError),
    ):
        gateway = Proving(log_of())
        sent = event(gateway.log)

        async def sending(request: httpx.Request, sent: bytes = sent) -> httpx.Response:
            return stream(sent)

        gateway.streams = [sending]
        with pytest.raises(error):
            await ask(gateway, 13, state_folder)


async def test_what_cannot_be_proven_is_said(state_folder: Path) -> None:
    gateway = Proving(log_of())
    for index, oldest, words in ((21, 0, "No checkpoint covers entry 21"), (5, 8, "Entry 5 is no longer kept")):
        gateway.oldest = oldest
        with pytest.raises(UsageError, match=words):
            await ask(gateway, index, state_folder)


@pytest.mark.parametrize(("status", "error"), [(404, ConnectError), (403, RefusedError), (503, ConnectError)])
async def test_a_gateway_that_gives_no_proofs_is_named(
    status: int, error: type[McpwatchError], state_folder: Path
) -> None:
    with pytest.raises(error, match="127\\.0\\.0\\.1:4181"):
        await ask(Proving(log_of(), status=status), 3, state_folder)


async def test_the_log_must_be_the_one_that_is_known_there(state_folder: Path) -> None:
    await ask(Proving(log_of()), 3, state_folder)
    with pytest.raises(IntegrityError, match="key"):
        await ask(Proving(log_of(seed=5)), 3, state_folder)


@pytest.mark.parametrize("path", [FEED_PATH, INCLUSION_PATH])
async def test_an_answer_that_drips_is_given_up(path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queries, "ANSWER_TIMEOUT", 0.05)
    gateway = Proving(log_of())

    async def dripping() -> AsyncIterator[bytes]:
        while True:
            yield b":\n"
            await asyncio.Event().wait()

    async def handle(request: httpx.Request) -> httpx.Response:
        if request.url.path != path:
            return await gateway.handle(request)
        kind = "text/event-stream" if path == FEED_PATH else "application/json"
        return httpx.Response(200, headers={"Content-Type": kind}, content=dripping())

    with pytest.raises(ConnectError, match="no whole answer"):
        await ask_entry(ADDRESS, Secret(TOKEN), 3, tmp_path, lambda: 1.0, httpx.MockTransport(handle))


@pytest.mark.parametrize(("pinned_size", "is_another"), [(9, False), (21, False), (9, True), (21, True), (30, False)])
async def test_the_log_has_to_go_on_from_its_pinned_checkpoint(
    pinned_size: int, is_another: bool, tmp_path: Path
) -> None:
    seen = log_of(30)
    if is_another:
        seen.leaves[3] = seen.leaves[3].replace(b"200", b"201")
    keys = (seen.key.verifier_key, seen.key.time_verifier_key)
    pin = CheckpointPin(
        origin=seen.key.origin, keys=keys, note=seen.note(pinned_size).decode(), address=ADDRESS, time=1.0
    )
    CheckpointPins(checkpoint_pins_folder(tmp_path)).keep(pin, pinned_size)
    gateway = Proving(log_of(21))
    if is_another or pinned_size > 21:
        with pytest.raises(IntegrityError, match="before"):
            await ask(gateway, 5, tmp_path)
    else:
        await ask(gateway, 5, tmp_path)
