"""A log that turns against its watchers, on the same connection, at the next or after a restart: found and kept."""

from pathlib import Path

import pytest
from fake_gateway import FakeGateway, FakeTime, answering, kept, proven, read
from tiny_log import TinyLog

from mcpwatch.feed.subscriber import HttpSource
from mcpwatch.model.feed import FeedState

SIZE = 8
BAD = (FeedState.BROKEN, FeedState.ROLLBACK)


class Unsigned(TinyLog):
    """A log whose notes have lost their signatures."""

    def note(self, size: int | None = None, time: int | None = None) -> bytes:
        return super().note(size, time).partition(b"\n\n")[0] + b"\n\n"


def grown(size: int, log: TinyLog | None = None, *, other_from: int = 10**9) -> TinyLog:
    """A log of `size` entries, whose entries are others from one on."""
    log = log or TinyLog()
    truth = TinyLog(log.key.origin)
    truth.grow(size)
    for index, leaf in enumerate(truth.leaves):
        log.add(leaf=leaf.replace(b"200", b"500") if index >= other_from else leaf)
    return log


def resealed() -> TinyLog:
    """One old entry is another, and the whole tree over it was hashed and signed anew with the right keys."""
    log = TinyLog()
    for index, leaf in enumerate(grown(SIZE).leaves):
        log.add(leaf=leaf.replace(b"200", b"204") if index == 2 else leaf)
    return log


GOOD = grown(SIZE)
TURNED = {
    "old checkpoint": (grown(4), FeedState.ROLLBACK),
    "rollback": (grown(SIZE - 1), FeedState.ROLLBACK),
    "emptied": (TinyLog(), FeedState.ROLLBACK),
    "fork": (grown(12, other_from=3), FeedState.BROKEN),
    "fork of the same size": (grown(SIZE, other_from=3), FeedState.BROKEN),
    "old entry sealed anew": (resealed(), FeedState.BROKEN),
    "truncated and continued": (grown(10, other_from=5), FeedState.BROKEN),
    "new key": (grown(10, TinyLog(seed=9)), FeedState.BROKEN),
    "new origin": (grown(10, TinyLog("gateway.example/feed/2")), FeedState.BROKEN),
    "signatures stripped": (grown(10, Unsigned()), FeedState.BROKEN),
}


@pytest.mark.parametrize("how", ["on the stream", "at the next connection", "after a restart"])
@pytest.mark.parametrize("name", TURNED)
async def test_a_log_that_turns_is_found_and_both_notes_are_kept(name: str, how: str, tmp_path: Path) -> None:
    turned, state = TURNED[name]
    tail = [turned.entry(index) for index in range(SIZE, turned.size)] + [turned.checkpoint()]
    whole = b"".join([*(GOOD.entry(index) for index in range(SIZE)), GOOD.checkpoint()])
    gateway = FakeGateway(GOOD, answering(whole, *(tail if how == "on the stream" else [])))
    source = gateway.source(FakeTime(), state=tmp_path)
    if how == "at the next connection":
        gateway.streams.append(answering(*tail))
    if how == "after a restart":
        await read(source, proven(SIZE))
        gateway.log, gateway.streams = turned, [gateway.whole]
        source = gateway.source(FakeTime(), state=tmp_path)

    def until(each: HttpSource) -> bool:
        if each.status.verified_size == SIZE and how == "at the next connection":
            gateway.log = turned
        return each.status.state in BAD

    await read(source, until)
    assert source.status.state is state, source.status
    found = b"\n".join(path.read_bytes() for path in kept(tmp_path / "evidence"))
    assert GOOD.note() in found
    assert turned.note() in found
