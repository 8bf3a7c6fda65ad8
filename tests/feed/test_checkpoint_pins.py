"""Checkpoints pinned over restarts: what is kept, what is believed, and what is found by them."""

import asyncio
import os
import signal
import stat
import sys
from pathlib import Path

import httpx
import msgspec
import pytest
from fake_gateway import ADDRESS, FakeGateway, FakeTime, kept, proven, read
from tiny_log import START, TinyLog

from mcpwatch.errors import LocalError
from mcpwatch.feed.checkpoint_keeper import CheckpointKeeper
from mcpwatch.feed.checkpoint_pins import CheckpointPin, CheckpointPins, checkpoint_pins_folder, read_pin
from mcpwatch.feed.subscriber import HttpSource
from mcpwatch.model.feed import FeedState


def grown(entries: int, *, seed: int = 0, other: bool = False) -> TinyLog:
    log = TinyLog(seed=seed)
    if other:
        log.add(leaf=b"something else")
        entries -= 1
    log.grow(entries)
    return log


def pin_of(log: TinyLog, size: int | None = None) -> CheckpointPin:
    return CheckpointPin(
        origin=log.key.origin,
        keys=(log.key.verifier_key, log.key.time_verifier_key),
        note=log.note(size).decode(),
        address=ADDRESS,
        time=float(START),
    )


def pins_in(state: Path) -> CheckpointPins:
    return CheckpointPins(checkpoint_pins_folder(state))


def pinned_size(state: Path, log: TinyLog) -> int | None:
    found = pins_in(state).find(log.verifier)
    return found.size if found else None


def evidence(state: Path) -> bytes:
    (file,) = kept(state / "evidence")
    return file.read_bytes()


def live(source: HttpSource) -> bool:
    return source.status.state in (FeedState.LIVE, FeedState.BROKEN, FeedState.ROLLBACK)


def test_a_pin_says_what_was_signed_and_is_read_by_nobody_else(tmp_path: Path) -> None:
    log, pins = grown(5), pins_in(tmp_path)
    assert pins.find(log.verifier) is None
    pins.keep(pin_of(log), 5)
    assert pins.find(log.verifier) == log.verifier.open(log.note())
    path = pins.path(log.key.origin, log.key.verifier_key)
    assert read_pin(path) == pin_of(log)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len(path.stem) == 24


def test_each_log_has_a_pin_of_its_own(tmp_path: Path) -> None:
    pins = pins_in(tmp_path)
    logs = [grown(1), grown(2, seed=9), TinyLog("other.example/feed/1")]
    logs[2].grow(3)
    for log in logs:
        pins.keep(pin_of(log), log.size)
    assert [pinned_size(tmp_path, log) for log in logs] == [1, 2, 3]
    assert len(pins.all()) == 3


def test_a_pin_does_not_give_way_to_another_root_of_its_size(tmp_path: Path) -> None:
    """Two watchers of one folder are shown two histories: what one pinned is there when the other starts again."""
    log, other = grown(5), grown(5, other=True)
    pins_in(tmp_path).keep(pin_of(log), 5)
    with pytest.raises(LocalError, match="another root for the first 5 entries"):
        pins_in(tmp_path).keep(pin_of(other), 5)
    assert pins_in(tmp_path).all() == [pin_of(log)]


def test_a_pin_never_goes_back_to_a_smaller_log(tmp_path: Path) -> None:
    log, pins = grown(5), pins_in(tmp_path)
    for size in (3, 5, 4):
        pins.keep(pin_of(log, size), size)
    assert pinned_size(tmp_path, log) == 5


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{}",
        b"\xff",
        b"[" * 100_000,
        msgspec.json.encode(pin_of(grown(3))).replace(b"\\n3\\n", b"\\n2\\n"),
        msgspec.json.encode(pin_of(grown(3, seed=9))),
        msgspec.json.encode(pin_of(grown(3)))[:-20],
    ],
)
async def test_a_damaged_pin_is_not_taken_for_a_first_use(tmp_path: Path, content: bytes) -> None:
    log = grown(3)
    path = pins_in(tmp_path).path(log.key.origin, log.key.verifier_key)
    pins_in(tmp_path).keep(pin_of(log), 3)
    path.write_bytes(content)
    with pytest.raises(LocalError, match="damaged") as caught:
        pins_in(tmp_path).find(log.verifier)
    assert caught.value.hint.endswith(f"rm {path}")
    source = FakeGateway(log).source(FakeTime(), state=tmp_path)
    assert await read(source) == []
    assert source.status.state is FeedState.REFUSED
    assert f"rm {path}" in source.status.detail
    assert path.read_bytes() == content


async def test_a_pin_that_others_can_read_is_not_believed(tmp_path: Path) -> None:
    log = grown(3)
    pins_in(tmp_path).keep(pin_of(log), 3)
    pins_in(tmp_path).path(log.key.origin, log.key.verifier_key).chmod(0o644)
    with pytest.raises(LocalError, match="others"):
        pins_in(tmp_path).find(log.verifier)


async def test_what_is_verified_is_pinned_when_the_watcher_leaves(tmp_path: Path) -> None:
    gateway = FakeGateway(grown(5))
    await read(gateway.source(FakeTime(), state=tmp_path), proven(5))
    (pin,) = pins_in(tmp_path).all()
    assert pin == pin_of(gateway.log)


async def test_the_disk_is_written_once_a_second_at_most(tmp_path: Path) -> None:
    log = grown(9)
    keeper = CheckpointKeeper(ADDRESS, tmp_path)
    assert keeper.find(log.verifier) is None
    sizes = []
    for quarter in range(9):
        await keeper.keep(log.verifier.open(log.note(quarter + 1)), START + quarter / 4)
        sizes.append(pinned_size(tmp_path, log))
    assert sizes == [1, 1, 1, 1, 5, 5, 5, 5, 9]
    log.grow(1)
    await keeper.close(log.verifier.open(log.note()), START + 2.0)
    assert pinned_size(tmp_path, log) == 10


async def test_an_empty_log_is_not_pinned(tmp_path: Path) -> None:
    source = FakeGateway(TinyLog()).source(FakeTime(), state=tmp_path)
    await read(source, live)
    assert kept(checkpoint_pins_folder(tmp_path)) == []


async def test_a_disk_that_does_not_take_the_pin_ends_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    checkpoint_pins_folder(tmp_path).write_bytes(b"a file where the folder should be")
    source = FakeGateway(grown(4)).source(FakeTime(), state=tmp_path)
    assert len(await read(source, proven(4))) == 4
    assert source.status.state is FeedState.LIVE
    assert [record.message for record in caplog.records if "cannot be pinned" in record.message]


@pytest.mark.parametrize("from_start", [True, False])
async def test_a_log_that_goes_on_moves_its_pin(tmp_path: Path, *, from_start: bool) -> None:
    gateway = FakeGateway(grown(4))
    await read(gateway.source(FakeTime(), state=tmp_path, from_start=from_start), proven(4))
    gateway.log.grow(3)
    source = gateway.source(FakeTime(), state=tmp_path, from_start=from_start)
    await read(source, lambda each: proven(7)(each) and live(each))
    assert (source.status.state, source.status.detail) == (FeedState.LIVE, "")
    assert pinned_size(tmp_path, gateway.log) == 7
    assert gateway.asked == ([] if from_start else [(4, 7)])


@pytest.mark.parametrize("from_start", [True, False])
@pytest.mark.parametrize("size", [5, 8])
async def test_a_log_replaced_while_we_were_away_is_broken(tmp_path: Path, size: int, *, from_start: bool) -> None:
    log, other = grown(5), grown(size, other=True)
    await read(FakeGateway(log).source(FakeTime(), state=tmp_path), proven(5))
    source = FakeGateway(other).source(FakeTime(), state=tmp_path, from_start=from_start)
    await read(source, live)
    assert source.status.state is FeedState.BROKEN
    assert source.status.detail.startswith("the log is another: its first 5 entries are not those that were verified")
    assert f"rm {pins_in(tmp_path).path(log.key.origin, log.key.verifier_key)}" in source.status.detail
    assert {log.note(), other.note()} == notes_in(evidence(tmp_path))
    assert pinned_size(tmp_path, log) == 5


@pytest.mark.parametrize("from_start", [True, False])
async def test_a_log_cut_short_while_we_were_away_is_rolled_back(tmp_path: Path, *, from_start: bool) -> None:
    await read(FakeGateway(grown(5)).source(FakeTime(), state=tmp_path), proven(5))
    source = FakeGateway(grown(3)).source(FakeTime(), state=tmp_path, from_start=from_start)
    await read(source, live)
    assert source.status.state is FeedState.ROLLBACK
    assert notes_in(evidence(tmp_path)) == {grown(5).note(), grown(3).note()}
    assert pinned_size(tmp_path, grown(1)) == 5


@pytest.mark.parametrize("from_start", [True, False])
async def test_a_pin_that_another_watcher_moves_on_meanwhile_is_no_rollback(
    tmp_path: Path, *, from_start: bool
) -> None:
    """The log says that it has 4 entries, and another watcher of this folder pins 6 before we look."""
    gateway = FakeGateway(grown(4))

    async def overtaken(request: httpx.Request) -> httpx.Response:
        before = await gateway.about(request)
        gateway.log.grow(2)
        pins_in(tmp_path).keep(pin_of(gateway.log), 6)
        gateway.checkpoint = gateway.about
        return before

    gateway.checkpoint = overtaken
    source = gateway.source(FakeTime(), state=tmp_path, from_start=from_start)
    await read(source, lambda each: proven(6)(each) and live(each))
    assert source.status.state is FeedState.LIVE


def notes_in(evidence: bytes) -> set[bytes]:
    """The signed notes of an evidence file."""
    origin = evidence.partition(b"\n")[0] + b"\n"
    return {origin + each.removesuffix(b"\n") for each in (evidence + b"\n").split(origin) if each.count(b"\n") > 3}


WRITER = """
import sys
from pathlib import Path
from test_checkpoint_pins import grown, pin_of, pins_in
log, pins = grown(40), pins_in(Path(sys.argv[1]))
print("go", flush=True)
for size in range(1, 41):
    for _ in range(50):
        pins.keep(pin_of(log, size), size)
"""


async def test_killed_at_any_moment_a_good_pin_is_left(tmp_path: Path) -> None:
    """A writer that writes without a pause is killed after more and more of its pins."""
    log = grown(1)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(each for each in sys.path if each)}
    sizes = []
    for kill in range(5):
        state = tmp_path / str(kill)
        writer = await asyncio.create_subprocess_exec(
            sys.executable, "-c", WRITER, str(state), stdout=asyncio.subprocess.PIPE, env=environment
        )
        assert writer.stdout is not None
        assert await writer.stdout.readline() == b"go\n"
        async with asyncio.timeout(60):
            while (pinned_size(state, log) or 0) <= kill:
                await asyncio.sleep(0)
        writer.send_signal(signal.SIGKILL)
        assert await writer.wait() == -signal.SIGKILL
        sizes.append(pinned_size(state, log) or 0)
        pins_in(state).keep(pin_of(grown(41)), 41)
        assert pinned_size(state, log) == 41, "the lock of the one that was killed holds nobody up"
    assert all(size > kill for kill, size in enumerate(sizes))
