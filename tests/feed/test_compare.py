"""Whether two watchers saw one log: what is told of their checkpoints, and what only with proof."""

from pathlib import Path

import httpx
import msgspec
import pytest
from fake_gateway import ADDRESS, TOKEN, FakeGateway, Handler, answer, failing, saying
from processes import COMMAND, Process
from rig import answer as answering
from rig import fetch, gateway, get, logged, ok, scripted
from test_continuity import grown, signed
from tiny_log import START, TinyLog

from mcpwatch.cli import main
from mcpwatch.errors import ConnectError, McpwatchError, RefusedError
from mcpwatch.feed.checkpoint_pins import CheckpointPin, CheckpointPins, checkpoint_pins_folder
from mcpwatch.feed.comparison import Comparison, Verdict, compare_at_once
from mcpwatch.feed.queries import ask_comparison
from mcpwatch.files import write_private
from mcpwatch.gateway.folder import token_path
from mcpwatch.model.entries import End
from mcpwatch.model.feed import Checkpoint
from mcpwatch.secret import Secret


def pin(folder: Path, log: TinyLog, size: int | None = None, address: str = "") -> Path:
    """A state folder with the pin of this log."""
    keys = (log.key.verifier_key, log.key.time_verifier_key)
    written = CheckpointPin(log.key.origin, keys, log.note(size).decode(), address, float(START))
    CheckpointPins(checkpoint_pins_folder(folder)).keep(written, log.size if size is None else size)
    return folder


def compared(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, str]:
    code = main(["compare", *map(str, words)])
    captured = capsys.readouterr()
    return code, captured.out + captured.err


async def asked(gateway: FakeGateway, a: Checkpoint, b: Checkpoint) -> Comparison:
    transport = httpx.MockTransport(gateway.handle)
    log = TinyLog()
    return await ask_comparison(ADDRESS, Secret(TOKEN), log.verifier, a, b, lambda: float(START), transport)


def test_the_same_checkpoint_is_the_same_log(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    a, b = pin(tmp_path / "a", grown(5)), pin(tmp_path / "b", grown(5))
    code, said = compared(capsys, a, b)
    assert code == 0
    assert said.startswith("the same log: gateway.example/feed/1: both are the checkpoint of its first 5 entries\n")


def test_two_roots_of_one_size_are_a_fork_with_both_notes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    a, b = pin(tmp_path / "a", grown(5)), pin(tmp_path / "b", grown(5, other_from=4))
    code, said = compared(capsys, a, b)
    assert code == 6
    assert said.startswith("fork: gateway.example/feed/1: the log signed two roots for its first 5 entries\n")
    for log in (grown(5), grown(5, other_from=4)):
        assert log.note().decode() in said


@pytest.mark.parametrize("form", ["folder", "pins", "pin", "note"])
def test_each_side_may_be_a_folder_a_pin_or_a_note(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], form: str
) -> None:
    log = grown(5)
    a, b = pin(tmp_path / "a", log), pin(tmp_path / "b", log)
    (file,) = checkpoint_pins_folder(b).glob("*.json")
    note = tmp_path / "checkpoint.txt"
    note.write_bytes(log.note())
    side = {"folder": b, "pins": checkpoint_pins_folder(b), "pin": file, "note": note}[form]
    assert compared(capsys, a, side)[0] == compared(capsys, side, a)[0] == 0


def test_nothing_is_told_without_proof(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = grown(5)
    a = pin(tmp_path / "a", log)
    note, forged, empty, large = (tmp_path / name for name in ("note", "forged", "empty", "large"))
    note.write_bytes(log.note())
    forged.write_bytes(log.note().replace(b"\n5\n", b"\n6\n"))
    empty.mkdir()
    large.write_bytes(bytes(300_000))
    other, twin = TinyLog("other.example/feed/1"), TinyLog(seed=9)
    twin.grow(5)
    cases = [
        (note, note, 3, "names the log's keys"),
        (a, forged, 3, "the signature of gateway.example/feed/1 does not hold"),
        (a, pin(tmp_path / "other", other), 3, "the other of other.example/feed/1"),
        (a, pin(tmp_path / "twin", twin), 3, "has another key on each side"),
        (a, pin(tmp_path / "smaller", log, 3), 3, "neither says where its feed is"),
        (a, empty, 2, "holds no pinned checkpoint"),
        (a, large, 2, "is too large"),
        (a, tmp_path / "nowhere", 5, "cannot be read: No such file"),
    ]
    for one, two, code, words in cases:
        for sides in ((one, two), (two, one)):
            said = compared(capsys, *sides)
            assert said[0] == code, said
            assert words in said[1] or words == "the other of other.example/feed/1"


def test_a_gateway_that_is_away_hides_no_fork_of_another_log(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The log whose gateway has to be asked comes first; that of the fork needs nobody."""
    token = tmp_path / "token"
    write_private(token, b"secret")
    a, b = tmp_path / "a", tmp_path / "b"
    for folder, more, other_from in ((a, 2, None), (b, 5, 2)):
        away, forked = TinyLog("a.example/log", seed=4), TinyLog("b.example/log", seed=8)
        away.grow(more)
        for index in range(4):
            forked.add(leaf=b"other %d" % index if other_from is not None and index >= other_from else None)
        for log in (away, forked):
            pin(folder, log, address="http://127.0.0.1:9")
    code, said = compared(capsys, a, b, "--token-file", token)
    assert code == 6, said
    assert "fork: b.example/log" in said
    assert "cannot tell: a.example/log: http://127.0.0.1:9: nothing answers there" in said


def test_an_empty_log_says_nothing() -> None:
    for a, b in ((0, 0), (0, 5), (5, 0)):
        found = compare_at_once(signed(grown(5), a), signed(grown(5), b))
        assert found is not None
        assert found.verdict is Verdict.UNKNOWN


async def test_a_proof_carries_both_to_the_newest_checkpoint() -> None:
    log = grown(20)
    gateway = FakeGateway(log)
    for a, b in ((5, 9), (9, 5), (8, 20), (20, 8), (1, 19)):
        found = await asked(gateway, signed(log, a), signed(log, b))
        assert found.verdict is Verdict.SAME
    assert set(gateway.asked) == {(5, 20), (9, 20), (8, 20), (1, 20), (19, 20)}


@pytest.mark.parametrize("sizes", [(5, 9), (9, 5), (5, 20), (9, 20), (20, 9)])
async def test_a_split_view_is_a_fork_whichever_side_the_gateway_shows(sizes: tuple[int, int]) -> None:
    log, other = grown(20), grown(20, other_from=3)
    a, b = signed(log, sizes[0]), signed(other, sizes[1])
    for shown in (log, other):
        found = await asked(FakeGateway(shown), a, b)
        assert found.verdict is Verdict.FORK
        assert found.contradicted == signed(shown, 20)


async def test_what_was_the_same_before_the_split_is_no_fork() -> None:
    log, other = grown(20), grown(20, other_from=10)
    for shown in (log, other):
        assert (await asked(FakeGateway(shown), signed(log, 5), signed(other, 9))).verdict is Verdict.SAME


async def garbled(request: httpx.Request) -> httpx.Response:
    log = grown(20)
    true = log.consistency(int(request.url.params["first"]))
    wrong = msgspec.structs.replace(true, hashes=(bytes(32), *true.hashes[1:]))
    return answer(200, {"Content-Type": "application/json"}, msgspec.json.encode(wrong))


@pytest.mark.parametrize(
    ("consistency", "words"),
    [
        (saying(404), "gives no proofs"),
        (garbled, "does not hold"),
        (saying(200, {"Content-Type": "application/json"}, b"{}"), "does not hold"),
    ],
)
async def test_a_gateway_that_proves_nothing_makes_no_fork_and_no_sameness(consistency: Handler, words: str) -> None:
    log = grown(20)
    found = await asked(FakeGateway(log, consistency=consistency), signed(log, 5), signed(log, 9))
    assert found.verdict is Verdict.UNKNOWN
    assert words in found.why


async def test_a_gateway_of_a_shorter_log_or_of_another_key_proves_nothing() -> None:
    log, twin = grown(20), TinyLog(seed=9)
    twin.grow(30)
    shorter = await asked(FakeGateway(grown(7)), signed(log, 5), signed(log, 9))
    assert (shorter.verdict, shorter.why) == (
        Verdict.UNKNOWN,
        "the log has 7 entries now, by its own word, and once signed for 9",
    )
    other = await asked(FakeGateway(twin), signed(log, 5), signed(log, 9))
    assert other.verdict is Verdict.UNKNOWN
    assert "is not theirs" in other.why


@pytest.mark.parametrize(
    ("handler", "kind"),
    [
        (saying(401), RefusedError),
        (saying(503), ConnectError),
        (failing(httpx.ConnectError("refused")), ConnectError),
    ],
)
async def test_a_gateway_that_does_not_answer_is_an_error(handler: Handler, kind: type[McpwatchError]) -> None:
    log = grown(20)
    for place in ("checkpoint", "consistency"):
        with pytest.raises(kind, match=r"127\.0\.0\.1:4181"):
            await asked(FakeGateway(log, **{place: handler}), signed(log, 5), signed(log, 9))


@pytest.mark.e2e
async def test_two_watchers_of_a_real_gateway(tmp_path: Path) -> None:
    """One leaves early and one stays: their pins are of one log; a forged history under its key is found."""
    state, early, late = tmp_path / "gateway", tmp_path / "early", tmp_path / "late"
    async with scripted(answering(ok(b"{}"))) as server, gateway(state, server.url) as running:

        async def watched(into: Path) -> None:
            watcher = await Process.run(
                "env", f"MCPWATCH_STATE={into}", *COMMAND, "check", running.feed_address, *token, "--fail-on", "never"
            )
            assert await watcher.wait() == 0

        token = ("--token-file", str(token_path(state)))
        await watched(early)
        for _ in range(3):
            await fetch(running.listen_address, get())
        await logged(running, End, 3)
        await watched(late)

        async def comparison(*words: object) -> tuple[int, str]:
            process = await Process.start("compare", *map(str, words), *token)
            return await process.wait(), "".join(process.lines)

        code, said = await comparison(early, late)
        assert code == 0, said
        assert said.startswith("the same log: ")
        key = running.log.key
        forged = tmp_path / "forged"
        forged.write_bytes(key.sign_checkpoint(3, bytes(32), START))
        code, said = await comparison(late, forged)
        assert code == 6, said
        assert forged.read_text() in said
