"""Continuity asked for over HTTP: what is requested, and what each kind of answer comes to."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import msgspec
import pytest
from fake_gateway import FakeGateway, FakeTime, Handler, answer, proven, read, saying, stream
from test_checkpoint_pins import evidence, live, notes_in
from test_continuity import grown

from mcpwatch.model.feed import FeedState, Gap

JSON = {"Content-Type": "application/json"}
KEPT = "the gateway keeps entries from 3 on"


def behind_a_gap(consistency: Handler | None = None) -> FakeGateway:
    """A gateway that keeps entries 3 to 6 of 7."""
    gateway = FakeGateway(grown(7), consistency=consistency)
    gateway.oldest = 3
    return gateway


async def test_entries_no_longer_kept_are_a_gap_up_to_the_oldest() -> None:
    gateway = behind_a_gap()
    source = gateway.source(FakeTime())
    entries = await read(source, proven(7))
    assert [entry.index for entry in entries] == [3, 4, 5, 6]
    assert gateway.asked == [(3, 7)]
    assert gateway.requests[0].headers["last-event-id"] == "2"
    assert (source.status.state, source.status.gaps) == (FeedState.GAP, (Gap(0, 2, KEPT),))


@pytest.mark.parametrize("status", [400, 404, 405, 501])
async def test_a_gateway_without_proofs_is_joined_at_its_newest_checkpoint(status: int) -> None:
    gateway = behind_a_gap(saying(status))
    source = gateway.source(FakeTime())
    assert await read(source, lambda each: each.status.connected_at is not None) == []
    assert (source.status.state, source.status.gaps) == (
        FeedState.GAP,
        (Gap(0, 6, f"{KEPT}, and gives no proof to join there"),),
    )


async def test_entries_removed_while_the_connection_was_down_are_a_gap_with_proof_of_both_ends() -> None:
    gateway = FakeGateway(grown(5))

    async def last_words(request: httpx.Request) -> httpx.Response:
        words = gateway.due(request)
        gateway.log.grow(10)
        gateway.oldest = 9
        return stream(words)

    gateway.streams = [last_words, gateway.whole]
    source = gateway.source(FakeTime())
    entries = await read(source, proven(15))
    assert [entry.index for entry in entries] == [0, 1, 2, 3, 4, 9, 10, 11, 12, 13, 14]
    assert gateway.asked == [(5, 15), (9, 15)]
    assert source.status.gaps == (Gap(5, 8, "the gateway keeps entries from 9 on"),)


async def test_a_gateway_that_cannot_prove_just_now_is_asked_again() -> None:
    refusals = [saying(503, {"Retry-After": "7"}), saying(500)]

    async def consistency(request: httpx.Request) -> httpx.Response:
        return await (refusals.pop(0)(request) if refusals else gateway.proof(request))

    gateway, time = behind_a_gap(consistency), FakeTime()
    source = gateway.source(time)
    assert len(await read(source, proven(7))) == 4
    assert time.slept[0] == 7.0
    assert gateway.asked == [(3, 7)] * 3


@pytest.mark.parametrize(
    "body",
    [b"", b"{}", b"[]", b"\xff", b'{"first":3,"second":7,"frontier":["AA=="],"hashes":[]}', b"[" * 20_000],
    ids=["empty", "object", "list", "not-utf-8", "short-hash", "deep"],
)
async def test_an_answer_that_is_no_proof_breaks_the_feed_and_blinds_nobody(tmp_path: Path, body: bytes) -> None:
    gateway = behind_a_gap(saying(200, JSON, body))
    source = gateway.source(FakeTime(), state=tmp_path)
    await read(source, live)
    assert source.status.state is FeedState.BROKEN
    assert "does not hold" in source.status.detail
    assert notes_in(evidence(tmp_path)) == {gateway.log.note()}


async def test_a_proof_that_never_ends_is_not_read_to_its_end() -> None:
    sent = 0

    async def endless(request: httpx.Request) -> httpx.Response:
        async def content() -> AsyncIterator[bytes]:
            nonlocal sent
            while sent < 100:
                sent += 1
                yield bytes(1024)

        return httpx.Response(200, headers=JSON, content=content())

    await read(behind_a_gap(endless).source(FakeTime()), live)
    assert sent < 100


async def test_a_gateway_whose_log_is_shorter_than_its_own_checkpoint_is_rolled_back() -> None:
    source = behind_a_gap(saying(409, JSON, b'{"error":"the log has 5 entries"}')).source(FakeTime())
    await read(source, lambda each: each.status.state is FeedState.ROLLBACK)
    assert "HTTP 409: the log has 5 entries" in source.status.detail


async def test_a_forged_right_edge_is_not_taken() -> None:
    async def forged(request: httpx.Request) -> httpx.Response:
        other = grown(7, other_from=1)
        return answer(200, JSON, msgspec.json.encode(other.consistency(3)))

    source = behind_a_gap(forged).source(FakeTime())
    await read(source, live)
    assert source.status.state is FeedState.BROKEN
    assert source.status.detail.startswith("the gateway's proof that 3 entries are the first of 7 does not hold: ")
