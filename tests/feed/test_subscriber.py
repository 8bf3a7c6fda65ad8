"""Reading a gateway's feed over HTTP: what is sent, what is refused, how it comes back."""

import logging
import stat
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from fake_gateway import (
    ADDRESS,
    TOKEN,
    FakeGateway,
    FakeTime,
    Handler,
    answer,
    answering,
    failing,
    kept,
    proven,
    read,
    saying,
    stream,
)
from tiny_log import START, TinyLog

from mcpwatch.errors import LocalError, UsageError
from mcpwatch.feed.failures import REFUSALS
from mcpwatch.feed.sse import MAX_LINE
from mcpwatch.feed.subscriber import SLICE, HttpSource
from mcpwatch.model.feed import FeedState, Gap
from mcpwatch.secret import Secret


def grown(entries: int) -> TinyLog:
    log = TinyLog()
    log.grow(entries)
    return log


async def test_a_feed_is_read_from_its_beginning_and_proven() -> None:
    gateway = FakeGateway(grown(5))
    source = gateway.source(FakeTime())
    assert (source.name, source.address) == ("127.0.0.1:4181", ADDRESS)
    entries = await read(source, proven(5))
    assert [entry.leaf for entry in entries] == gateway.log.leaves
    assert {entry.source for entry in entries} == {"127.0.0.1:4181"}
    status = source.status
    assert (status.state, status.capture, status.origin) == (FeedState.LIVE, "masked", gateway.log.key.origin)


async def test_what_is_sent() -> None:
    gateway = FakeGateway(grown(3), answering(*grown(3).grow(0)), FakeGateway(grown(3)).whole)
    await read(gateway.source(FakeTime()), proven(3))
    first = gateway.requests[0]
    assert str(first.url) == f"{ADDRESS}/v1/feed?size=0"
    assert first.headers["authorization"] == f"Bearer {TOKEN}"
    assert first.headers["accept"] == "text/event-stream"
    assert first.headers["accept-encoding"] == "identity"
    assert "last-event-id" not in first.headers


async def test_a_connection_cut_at_any_octet_loses_and_doubles_nothing() -> None:
    log = grown(10)
    gateway = FakeGateway(log)
    whole = b"".join([log.entry(at) for at in range(5)] + [log.checkpoint(5)] + [log.entry(at) for at in range(5, 10)])
    for cut in range(len(whole) + 1):
        broken_off = httpx.RemoteProtocolError("incomplete chunked read") if cut % 2 else None
        gateway.streams = [answering(whole[:cut], error=broken_off), gateway.whole]
        source = gateway.source(FakeTime())
        entries = await read(source, proven(10))
        assert [entry.leaf for entry in entries] == log.leaves
        status = source.status
        assert (status.state, status.received, status.repeated) == (FeedState.LIVE, 10, 0)


async def test_resuming_names_the_last_entry_and_the_proven_size() -> None:
    log = grown(6)
    gateway = FakeGateway(log)
    gateway.streams = [answering(log.entry(0), log.entry(1), log.checkpoint(2), log.entry(2)), gateway.whole]
    source = gateway.source(FakeTime())
    await read(source, proven(6))
    second = gateway.requests[1]
    assert (second.headers["last-event-id"], second.url.params["size"]) == ("2", "2")
    assert source.status.reconnects == 1


async def test_joining_late_asks_only_for_what_comes() -> None:
    log = grown(7)
    gateway = FakeGateway(log)
    source = gateway.source(FakeTime(), from_start=False)
    assert await read(source, lambda each: each.status.connected_at is not None) == []
    assert gateway.requests[0].headers["last-event-id"] == "6"
    assert (source.status.verified_size, source.status.gaps) == (7, (Gap(0, 6, "joined at 7"),))


@pytest.mark.parametrize("status", REFUSALS)
@pytest.mark.parametrize("where", ["checkpoint", "feed"])
async def test_a_refusal_ends_the_source_and_says_what_to_do(status: int, where: str) -> None:
    body = b'{"error":"a token is required.","hint":"Send it."}'
    refusing = saying(status, {"Content-Type": "application/json"}, b"" if status == 204 else body)
    gateway = FakeGateway(grown(1), refusing, checkpoint=refusing if where == "checkpoint" else None)
    source = gateway.source(FakeTime())
    assert await read(source) == []
    said = "" if status == 204 else ": a token is required. Send it"
    assert (source.status.state, source.status.detail) == (
        FeedState.REFUSED,
        f"{REFUSALS[status]} (HTTP {status}{said})",
    )
    assert source.status.retry_at is None


NOT_FEEDS = {
    "a page": saying(200, {"Content-Type": "text/html"}, b"<html>"),
    "no type": saying(200),
    "almost": saying(200, {"Content-Type": "text/event-streams"}),
    "gzip": saying(200, {"Content-Type": "text/event-stream", "Content-Encoding": "gzip"}),
    "redirect": saying(302, {"Location": "http://127.0.0.1:1/v1/feed"}),
    "bad request": saying(400),
    "method": saying(405),
    "unacceptable": saying(406),
}


@pytest.mark.parametrize("handler", NOT_FEEDS.values(), ids=NOT_FEEDS)
@pytest.mark.parametrize("where", ["checkpoint", "feed"])
async def test_what_is_not_a_feed_is_not_tried_again(handler: Handler, where: str) -> None:
    gateway = FakeGateway(grown(1), handler, checkpoint=handler if where == "checkpoint" else None)
    time = FakeTime()
    source = gateway.source(time)
    assert await read(source) == []
    assert source.status.state is FeedState.REFUSED
    assert len(gateway.requests) == (where == "feed")
    assert time.slept == []


NOT_ABOUTS = {
    "nothing": b"",
    "no fields": b"{}",
    "a list": b"[]",
    "not UTF-8": b"\xff",
    "deep": b"[" * 100_000,
    "one key": b'{"keys":["a"]}',
    "large": b" " * 300_000,
}


@pytest.mark.parametrize("content", NOT_ABOUTS.values(), ids=NOT_ABOUTS)
async def test_an_introduction_that_is_none(content: bytes) -> None:
    gateway = FakeGateway(grown(1), checkpoint=saying(200, {"Content-Type": "application/json"}, content))
    source = gateway.source(FakeTime())
    assert await read(source) == []
    assert source.status.state is FeedState.REFUSED


async def test_a_gateway_that_is_not_there_is_waited_for() -> None:
    gateway = FakeGateway(grown(2))
    gateway.checkpoint = failing(httpx.ConnectError("All connection attempts failed"))
    time = FakeTime()
    source = gateway.source(time)

    def until(each: HttpSource) -> bool:
        if len(time.slept) == 2:
            gateway.checkpoint = gateway.about
        if not time.slept:
            assert each.status.state is FeedState.DISCONNECTED
            assert each.status.detail == "nothing answers there; is the gateway running?"
            assert each.status.retry_at == START + 0.5
        return each.status.verified_size == 2

    assert len(await read(source, until)) == 2
    assert source.status.state is FeedState.LIVE


async def test_delays_double_up_to_a_cap_and_only_a_proof_resets_them() -> None:
    log = grown(4)
    silent = answering(log.entry(0))
    gateway = FakeGateway(
        log, *[silent] * 8, answering(*(log.entry(at) for at in range(1, 4)), log.checkpoint()), silent
    )
    gateway.streams.append(gateway.whole)
    time = FakeTime()
    source = gateway.source(time)
    await read(source, lambda _: len(time.slept) == 10)
    assert time.slept == [0.5, 1, 2, 4, 8, 16, 30, 30, 0.5, 1]


async def test_jitter_takes_any_part_of_the_delay() -> None:
    gateway = FakeGateway(grown(1), answering())
    time = FakeTime()
    parts = iter([0.0, 0.5, 0.25] + [1.0] * 9)
    source = HttpSource(
        ADDRESS,
        Secret(TOKEN),
        clock=time.clock,
        sleep=time.sleep,
        random=lambda: next(parts),
        transport=httpx.MockTransport(gateway.handle),
    )
    await read(source, lambda _: len(time.slept) == 3)
    assert time.slept == [0.0, 0.5, 0.5]


@pytest.mark.parametrize(
    ("status", "value", "delay"),
    [
        (429, "7", 7.0),
        (503, "7", 7.0),
        (503, "0", 0.5),
        (503, "100000", 300.0),
        (503, "9" * 500, 300.0),
        (503, "Sun, 22 Nov 2026 12:01:00 GMT", 60.0),
        (503, "Sun, 22 Nov 2026 11:00:00 GMT", 0.5),
        (503, "soon", 0.5),
        (503, "-5", 0.5),
        (503, "", 0.5),
        (500, "9", 9.0),
        (408, "", 0.5),
    ],
)
async def test_retry_after_is_honoured_within_bounds(status: int, value: str, delay: float) -> None:
    gateway = FakeGateway(grown(1), saying(status, {"Retry-After": value}))
    gateway.streams.append(gateway.whole)
    time = FakeTime()
    await read(gateway.source(time), proven(1))
    assert time.slept == [delay]


@pytest.mark.parametrize(("retry", "delay"), [(0, 0.5), (2_000, 2.0), (10**18, 60.0), (10**400, 60.0), (10, 0.5)])
async def test_the_streams_own_retry_is_the_shortest_delay(retry: int, delay: float) -> None:
    gateway = FakeGateway(grown(1), answering(f"retry: {retry}\n\n".encode()))
    gateway.streams.append(gateway.whole)
    time = FakeTime()
    await read(gateway.source(time), proven(1))
    assert time.slept == [delay]


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (httpx.ReadTimeout(""), "nothing came for 15 s"),
        (httpx.ConnectTimeout(""), "no answer within 5 s"),
        (httpx.ReadError(""), "the connection was lost"),
        (httpx.RemoteProtocolError("peer closed"), "the connection was cut"),
        (httpx.ConnectError("[SSL: CERTIFICATE_VERIFY_FAILED] expired"), "[SSL: CERTIFICATE_VERIFY_FAILED] expired"),
        (httpx.UnsupportedProtocol("odd"), "UnsupportedProtocol: odd"),
        (RuntimeError("a bug"), "RuntimeError: a bug"),
    ],
)
async def test_every_failure_has_its_words_and_another_attempt(error: Exception, words: str) -> None:
    gateway = FakeGateway(grown(1), answering(error=error))
    gateway.streams.append(gateway.whole)
    source = gateway.source(FakeTime())
    await read(source, proven(1))
    assert [detail for _, state, detail in source.status.history if state is FeedState.DISCONNECTED] == [words]


async def test_a_log_shorter_than_what_was_read_is_a_rollback() -> None:
    log = grown(3)
    gateway = FakeGateway(log)
    gateway.streams = [
        answering(gateway.due(httpx.Request("GET", ADDRESS))),
        saying(409, {"Content-Type": "application/json"}, b'{"error":"the log has 1 entries"}'),
    ]
    source = gateway.source(FakeTime())
    await read(source, lambda each: each.status.state is FeedState.ROLLBACK)
    assert source.status.detail == (
        "the gateway's log is shorter than what was read of it (HTTP 409: the log has 1 entries)"
    )


async def test_a_stream_past_its_limits_gives_what_came_before_and_is_resumed() -> None:
    log = grown(4)
    gateway = FakeGateway(log)
    gateway.streams = [answering(log.entry(0) + log.entry(1) + b"data:" + b"x" * MAX_LINE + b"\n\n"), gateway.whole]
    source = gateway.source(FakeTime())
    entries = await read(source, proven(4))
    assert [entry.index for entry in entries] == [0, 1, 2, 3]
    assert gateway.requests[1].headers["last-event-id"] == "1"
    assert any("this is not what a feed sends: a line is longer" in detail for _, _, detail in source.status.history)


async def test_many_entries_at_once_come_in_slices() -> None:
    log = grown(3 * SLICE + 1)
    source = FakeGateway(log).source(FakeTime())
    sizes, entries = [], 0
    async for batch in source.batches():
        sizes.append(len(batch))
        entries += len(batch)
        if source.status.verified_size == log.size:
            break
    assert max(sizes) == SLICE
    assert entries == log.size


async def test_silence_shows_without_an_event() -> None:
    time = FakeTime()
    source = FakeGateway(grown(1)).source(time)
    batches = source.batches()
    while source.status.verified_size == 0:
        await anext(batches)
    time.now += 15.1
    assert source.status.state is FeedState.STALE
    await source.close()


async def test_a_drip_of_comments_keeps_nothing_alive() -> None:
    time = FakeTime()
    log = grown(1)

    async def dripping(request: httpx.Request) -> httpx.Response:
        async def content() -> AsyncIterator[bytes]:
            yield log.entry(0) + log.checkpoint()
            for _ in range(20):
                time.now += 1
                yield b":\n"

        return httpx.Response(200, headers={"Content-Type": "text/event-stream"}, content=content())

    source = FakeGateway(log, dripping).source(time)
    states = []
    async for _ in source.batches():
        states.append(source.status.state)
        if states[-1] is FeedState.DISCONNECTED:
            break
    assert FeedState.STALE in states


async def test_closing_ends_the_batches_of_an_open_stream() -> None:
    source = FakeGateway(grown(2)).source(FakeTime())
    entries = []
    async for batch in source.batches():
        entries += batch
        if source.status.verified_size == 2:
            await source.close()
    assert len(entries) == 2
    assert source.status.state is FeedState.ENDED
    await source.close()


async def test_the_status_never_runs_ahead_of_the_entries() -> None:
    source = FakeGateway(grown(3 * SLICE)).source(FakeTime())
    entries = 0
    async for batch in source.batches():
        entries += len(batch)
        assert source.status.next_index == entries
        if source.status.verified_size == 3 * SLICE:
            break


async def test_a_source_closed_before_it_was_read_has_nothing() -> None:
    source = FakeGateway(grown(2)).source(FakeTime())
    await source.close()
    assert await read(source) == []


async def test_a_watcher_that_takes_nothing_holds_the_stream_back() -> None:
    """The queue is bounded: the gateway is asked for no more than fits."""
    log = grown(50)
    sent = 0

    async def counting(request: httpx.Request) -> httpx.Response:
        async def content() -> AsyncIterator[bytes]:
            nonlocal sent
            for index in range(50):
                sent += 1
                yield log.entry(index)

        return httpx.Response(200, headers={"Content-Type": "text/event-stream"}, content=content())

    time = FakeTime()
    source = FakeGateway(log, counting).source(time)
    batches = source.batches()
    while not await anext(batches):
        pass
    for _ in range(100):
        await time.sleep(0)
    assert sent < 10
    await source.close()


async def test_the_first_key_is_pinned_and_another_breaks_the_feed(tmp_path: Path) -> None:
    gateway = FakeGateway(grown(2))
    await read(gateway.source(FakeTime(), state=tmp_path), proven(2))
    (pin,) = kept(tmp_path / "log-keys")
    other = FakeGateway(TinyLog(seed=9))
    source = other.source(FakeTime(), state=tmp_path)
    assert await read(source) == []
    assert source.status.state is FeedState.BROKEN
    assert other.log.key.verifier_key in source.status.detail
    assert source.status.detail.endswith(f"if the gateway was set up anew: rm {pin}")
    pin.unlink()
    again = other.source(FakeTime(), state=tmp_path)
    await read(again, lambda each: each.status.state is FeedState.LIVE)


@pytest.mark.parametrize("place", [0, 1])
async def test_the_keys_the_operator_gives_are_those_that_count(tmp_path: Path, place: int) -> None:
    gateway = FakeGateway(grown(2))
    keys = [gateway.log.key.verifier_key, gateway.log.key.time_verifier_key]
    right = gateway.source(FakeTime(), state=tmp_path, keys=tuple(keys))
    await read(right, proven(2))
    other = TinyLog(seed=9).key
    unknown, keys[place] = keys[place], (other.verifier_key, other.time_verifier_key)[place]
    wrong = gateway.source(FakeTime(), state=tmp_path, keys=tuple(keys))
    assert await read(wrong) == []
    assert wrong.status.state is FeedState.BROKEN
    assert wrong.status.detail == f"the log's key is {unknown}, not the one given for it"


async def test_a_key_that_changes_while_watching_breaks_the_feed() -> None:
    gateway = FakeGateway(grown(1))
    gateway.streams = [answering(gateway.due(httpx.Request("GET", ADDRESS)))]
    source = gateway.source(FakeTime())

    def swap(each: HttpSource) -> bool:
        if each.status.state is FeedState.DISCONNECTED:
            gateway.log = TinyLog(seed=9)
        return False

    assert len(await read(source, swap)) == 1
    assert source.status.state is FeedState.BROKEN
    assert "while it was watched" in source.status.detail


async def test_a_damaged_pin_refuses_and_says_what_to_do(tmp_path: Path) -> None:
    gateway = FakeGateway(grown(1))
    await read(gateway.source(FakeTime(), state=tmp_path), proven(1))
    (pin,) = kept(tmp_path / "log-keys")
    pin.write_bytes(b"")
    source = gateway.source(FakeTime(), state=tmp_path)
    assert await read(source) == []
    assert source.status.state is FeedState.REFUSED
    assert f"rm {pin}" in source.status.detail


async def test_an_introduction_that_does_not_hold_breaks_the_feed_and_blinds_nobody() -> None:
    gateway = FakeGateway(grown(3))
    honest = gateway.about

    async def forged(request: httpx.Request) -> httpx.Response:
        body = await (await honest(request)).aread()
        return answer(200, {"Content-Type": "application/json"}, body.replace(b"\\n3\\n", b"\\n4\\n"))

    gateway.checkpoint = forged
    source = gateway.source(FakeTime())
    entries = await read(source, lambda each: each.status.received == 3)
    assert len(entries) == 3
    assert (source.status.state, source.status.verified_size) == (FeedState.BROKEN, 0)


async def test_the_notes_that_contradict_each_other_are_kept(tmp_path: Path) -> None:
    log, fork = grown(2), TinyLog()
    fork.grow(3)
    fork.add(leaf=b"something else")
    events = log.grow(2)
    gateway = FakeGateway(log)
    gateway.log = grown(2)
    gateway.streams = [answering(*(log.entry(at) for at in (0, 1)), log.checkpoint(2), *events, fork.checkpoint())]
    source = gateway.source(FakeTime(), state=tmp_path)
    await read(source, lambda each: each.status.state is FeedState.BROKEN)
    (evidence,) = [path for path in kept(tmp_path) if path.parent.name == "evidence"]
    assert evidence.read_bytes() == log.note(2) + b"\n" + fork.note(4)
    assert stat.S_IMODE(evidence.stat().st_mode) == 0o600


async def test_the_token_is_nowhere_to_be_seen(caplog: pytest.LogCaptureFixture, tmp_path: Path) -> None:
    caplog.set_level(logging.DEBUG)
    gateway = FakeGateway(grown(1), answering(error=RuntimeError("a bug")), saying(401, content=b"{}"))
    source = gateway.source(FakeTime(), state=tmp_path)
    await read(source)
    seen = [
        repr(source),
        repr(vars(source)),
        repr(source.status),
        caplog.text,
        *(each.read_text() for each in kept(tmp_path)),
    ]
    assert gateway.requests[0].headers["authorization"].endswith(TOKEN)
    assert not any(TOKEN in each for each in seen)


@pytest.mark.parametrize("value", ["", " ", "a\nb", "a b", "tøken", "a\x00", "\ud800"])
def test_a_token_that_cannot_be_sent_is_refused_without_being_shown(value: str) -> None:
    with pytest.raises(LocalError) as caught:
        HttpSource(ADDRESS, Secret(value))
    assert not value.strip() or value not in f"{caught.value.title} {caught.value.hint}"


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("http://127.0.0.1:4181", ADDRESS),
        (" HTTP://127.0.0.1:4181/ ", ADDRESS),
        ("http://127.0.0.1:4181/v1/feed", ADDRESS),
        ("http://LOCALHOST", "http://localhost:80"),
        ("https://gateway.example/watch/", "https://gateway.example:443/watch"),
        ("http://[::1]:99/v1/feed/", "http://[::1]:99"),
    ],
)
def test_an_address_has_one_spelling(url: str, address: str) -> None:
    assert HttpSource(url, Secret("t")).address == address


@pytest.mark.parametrize(
    "url",
    [
        "",
        "127.0.0.1:4181",
        "ftp://127.0.0.1",
        "http://",
        "http://a:b",
        "http://a:99999",
        "http://[::1",
        "http://user:secret@127.0.0.1:1",
        "http://127.0.0.1:1/?token=secret",
        "http://127.0.0.1:1/#x",
        "http://127.0.0.1:1/a b",
        "http://exämple.org",
    ],
)
def test_an_address_that_is_none_says_how_one_looks(url: str) -> None:
    with pytest.raises(UsageError, match="address") as caught:
        HttpSource(url, Secret("t"))
    assert "http://127.0.0.1:4181" in caught.value.hint


async def test_a_stream_in_any_pieces_is_read_alike() -> None:
    log = grown(12)
    gateway = FakeGateway(log)
    whole = gateway.due(httpx.Request("GET", ADDRESS))
    for size in (1, 2, 3, 7, 64, 1000):
        chunks = [whole[at : at + size] for at in range(0, len(whole), size)]

        async def pieces(request: httpx.Request, chunks: list[bytes] = chunks) -> httpx.Response:
            return stream(*chunks, hold=True)

        gateway.streams = [pieces]
        entries = await read(gateway.source(FakeTime()), proven(12))
        assert [entry.leaf for entry in entries] == log.leaves
