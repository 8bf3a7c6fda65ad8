"""Two watchers on one gateway: what one of them does to an alert the other sees, and is held to."""

import asyncio
import time
from pathlib import Path

import pytest
from desks import CALL, Desk, calling, desks, is_, unsigned
from msgspec.structs import replace
from rig import fetch, post

from mcpwatch.detect.act_checks import StaleAct
from mcpwatch.errors import McpwatchError, RefusedError
from mcpwatch.feed.acts import ActConflict
from mcpwatch.feed.subscriber import HttpSource
from mcpwatch.gateway.folder import token_path
from mcpwatch.identity.signed_acts import KEY_FILE, operator_key, sign_act
from mcpwatch.model.alerts import AlertState, EventKind, Kept
from mcpwatch.secret import read_secret


async def test_an_acknowledgement_in_one_shows_in_the_other_with_who_and_why(tmp_path: Path) -> None:
    async with calling(tmp_path / "gateway") as running:
        ann = Desk(running, tmp_path / "ann", "ann@desk")
        ben = Desk(running, tmp_path / "ben", "ben@desk", name="production")
        async with desks(ann, ben):
            alert, seen = await ann.until(), await ben.until()
            assert alert.id == seen.id
            assert await ann.watcher.acknowledge(alert.id, "our own load test", alert.last_index) is Kept.LOG
            for desk in (ann, ben):
                shown = await desk.until(is_(AlertState.ACKNOWLEDGED))
                act = shown.last_act
                assert act is not None
                assert (act.author, act.note, act.fault, act.kept) == ("ann@desk", "our own load test", "", Kept.LOG)
                assert act.key == operator_key(tmp_path / "ann").fingerprint
            index = seen.history[0].index
            row = ben.watcher.state.row(-1 if index is None else index, "production")
            assert row is not None
            assert row.seen.note == f"alert {alert.id} acknowledged by ann@desk: our own load test"


async def test_who_starts_again_is_known_by_the_key_of_before(tmp_path: Path) -> None:
    async with calling(tmp_path / "gateway") as running:
        ann, ben = (Desk(running, tmp_path / name, name) for name in ("ann", "ben"))
        async with desks(ann, ben):
            alert = await ann.until()
            assert ann.watcher.key == ""
            await ann.watcher.acknowledge(alert.id, "mine", alert.last_index)
        again = Desk(running, tmp_path / "ann", "ann")
        async with desks(again):
            act = (await again.until(is_(AlertState.ACKNOWLEDGED))).last_act
            assert act is not None and act.key == again.watcher.key != ""
        assert ben.watcher.key == "" and not (tmp_path / "ben" / KEY_FILE).exists()


async def test_a_stale_screen_s_acknowledgement_is_refused_with_who_and_when(tmp_path: Path) -> None:
    async with calling(tmp_path / "gateway") as running:
        ann, ben = (Desk(running, tmp_path / name, name) for name in ("ann", "ben"))
        async with desks(ann, ben):
            alert, seen = await ann.until(), await ben.until()
            shown = seen.last_act
            await ann.watcher.acknowledge(alert.id, "mine", alert.last_index)
            await ben.until(is_(AlertState.ACKNOWLEDGED))
            with pytest.raises(StaleAct, match=r"ann acknowledged it .* ago: mine"):
                await ben.watcher.acknowledge(seen.id, "mine too", seen.last_index, shown)
            assert [event.author for event in seen.history] == ["ann"]


async def test_who_acts_before_the_other_s_act_has_reached_them_is_refused_by_the_gateway(tmp_path: Path) -> None:
    async with calling(tmp_path / "gateway") as running:
        ann, ben = (Desk(running, tmp_path / name, name) for name in ("ann", "ben"))
        async with desks(ann, ben):
            alert, seen = await ann.until(), await ben.until()
            ben.running.cancel()
            await asyncio.wait({ben.running})
            await ann.watcher.acknowledge(alert.id, "mine", alert.last_index)
            with pytest.raises(ActConflict, match=r"ann acknowledged it at 20.*: mine"):
                await ben.watcher.acknowledge(seen.id, "mine too", seen.last_index)
            assert (seen.state, seen.history) == (AlertState.FIRING, [])


async def test_a_token_for_reading_keeps_the_act_on_this_machine(tmp_path: Path) -> None:
    async with calling(tmp_path / "gateway") as running:
        ann = Desk(running, tmp_path / "ann", "ann", may_act=False)
        async with desks(ann):
            alert = await ann.until()
            size = running.log.size
            assert ann.watcher.keeps(alert) is Kept.HERE
            assert await ann.watcher.acknowledge(alert.id, "seen", alert.last_index) is Kept.HERE
            assert alert.state is AlertState.ACKNOWLEDGED
            act = alert.last_act
            assert act is not None and (act.kept, act.index) == (Kept.HERE, None)
            assert running.log.size == size


async def test_a_token_for_reading_cannot_write_an_act(tmp_path: Path) -> None:
    async with calling(tmp_path / "gateway") as running:
        source = HttpSource(running.feed_address, read_secret(token_path(running.options.state)))
        act = sign_act(operator_key(tmp_path), unsigned(running, "0" * 12))
        with pytest.raises(RefusedError, match="this token may read and not act") as caught:
            await source.post(act)
        assert caught.value.hint == "Acts need the gateway's operator.token."


async def test_a_gateway_that_is_gone_is_told_and_nothing_changes(tmp_path: Path) -> None:
    async with calling(tmp_path / "gateway") as running:
        ann = Desk(running, tmp_path / "ann", "ann")
        async with desks(ann):
            alert = await ann.until()
            await running.stop("gone")
            with pytest.raises(McpwatchError, match="The gateway did not take it") as caught:
                await ann.watcher.acknowledge(alert.id, "seen", alert.last_index)
            assert "Nothing was changed" in caught.value.hint
            assert (alert.state, alert.history) == (AlertState.FIRING, [])


async def test_a_whole_life_is_the_same_for_who_joins_later(tmp_path: Path) -> None:
    async with calling(tmp_path / "gateway") as running:
        ann = Desk(running, tmp_path / "ann", "ann")
        async with desks(ann):
            alert = await ann.until()
            await ann.watcher.acknowledge(alert.id, "seen", alert.last_index)
            await ann.until(is_(AlertState.ACKNOWLEDGED))
            await ann.watcher.unacknowledge(alert.id, "not so")
            await ann.until(is_(AlertState.FIRING))
            await ann.watcher.resolve(alert.id, "it signs by now", alert.last_index)
            await ann.until(is_(AlertState.RESOLVED))
            later = Desk(running, tmp_path / "later", "later")
            async with desks(later):
                same = await later.until(is_(AlertState.RESOLVED))
                assert same.history == alert.history
            await fetch(running.listen_address, post(CALL))
            again = await ann.until(is_(AlertState.FIRING))
            assert [event.kind for event in again.history] == [
                EventKind.ACKNOWLEDGED,
                EventKind.UNACKNOWLEDGED,
                EventKind.RESOLVED,
                EventKind.FIRED_AGAIN,
            ]


async def test_a_silence_is_everybody_s_and_runs_out(tmp_path: Path) -> None:
    later = 0.0
    async with calling(tmp_path / "gateway") as running:
        ann = Desk(running, tmp_path / "ann", "ann")
        ben = Desk(running, tmp_path / "ben", "ben", clock=lambda: time.time() + later)
        async with desks(ann, ben):
            alert = await ann.until()
            kept = await ann.watcher.silence(alert.source, "identity/*", "*", "a load test", 3_600)
            assert kept is Kept.LOG
            seen = await ben.until(is_(AlertState.SILENCED))
            assert seen.silence and (seen.silence.author, seen.silence.reason) == ("ann", "a load test")
            later = 3_700.0
            await ben.until(is_(AlertState.FIRING))
            assert seen.history[-1].kind is EventKind.EXPIRED


async def test_ending_a_silence_is_everybody_s_too(tmp_path: Path) -> None:
    async with calling(tmp_path / "gateway") as running:
        ann, ben = (Desk(running, tmp_path / name, name) for name in ("ann", "ben"))
        async with desks(ann, ben):
            alert = await ann.until()
            await ann.watcher.silence(alert.source, alert.rule, "*", "a load test", 3_600)
            seen = await ben.until(is_(AlertState.SILENCED))
            assert seen.silence is not None
            await ben.watcher.unsilence(seen.silence, "it is over")
            await ann.until(is_(AlertState.FIRING))
            assert [event.author for event in alert.history] == ["ann", "ben"]


async def test_what_a_watcher_finds_of_the_feed_is_never_the_log_s_business(tmp_path: Path) -> None:
    async with calling(tmp_path / "gateway") as running:
        ann = Desk(running, tmp_path / "ann", "ann")
        async with desks(ann):
            alert = await ann.until()
            mine = replace(alert, id="f" * 12, rule="feed/stale")
            assert (ann.watcher.keeps(alert), ann.watcher.keeps(mine)) == (Kept.LOG, Kept.HERE)


@pytest.mark.parametrize("case", ["forged", "of another log", "of another time", "out of order"])
async def test_an_act_that_does_not_hold_is_shown_and_changes_nothing(tmp_path: Path, case: str) -> None:
    """As a gateway would write it that does not check what it takes."""
    eve = operator_key(tmp_path / "eve")
    async with calling(tmp_path / "gateway") as running:
        ben = Desk(running, tmp_path / "ben", "ben")
        async with desks(ben):
            alert = await ben.until()
            act, fault = {
                "forged": (
                    replace(sign_act(eve, unsigned(running, alert.id)), note="forged"),
                    "its signature does not hold",
                ),
                "of another log": (
                    sign_act(eve, unsigned(running, alert.id, origin="gateway.example/1")),
                    "it was signed for another log",
                ),
                "of another time": (
                    sign_act(eve, unsigned(running, alert.id, time=int(time.time()) - 900)),
                    "its author's clock differs from the log's by more than five minutes",
                ),
                "out of order": (
                    sign_act(eve, unsigned(running, alert.id, previous=10_000)),
                    "it claims to follow an act that had not been made",
                ),
            }[case]
            index = running.log.append(act)
            shown = await ben.until(lambda alert: bool(alert.history))
            assert (shown.state, shown.last_act) == (AlertState.FIRING, None)
            assert [(event.fault, event.index) for event in shown.history] == [(fault, index)]
            row = ben.watcher.state.row(index, alert.source)
            assert row is not None and row.seen.note.endswith(f"(does not count: {fault})")


async def test_acts_kept_here_and_in_the_log_come_together_after_a_restart(tmp_path: Path) -> None:
    async with calling(tmp_path / "gateway") as running:
        reading = Desk(running, tmp_path / "ann", "ann", may_act=False)
        async with desks(reading):
            alert = await reading.until()
            await reading.watcher.acknowledge(alert.id, "kept here", alert.last_index)
        acting = Desk(running, tmp_path / "ann", "ann")
        async with desks(acting):
            held = await acting.until(is_(AlertState.ACKNOWLEDGED))
            await acting.watcher.resolve(held.id, "in the log", held.last_index)
            await acting.until(is_(AlertState.RESOLVED))
        again = Desk(running, tmp_path / "ann", "ann")
        async with desks(again):
            both = await again.until(is_(AlertState.RESOLVED))
            assert [(event.note, event.kept) for event in both.history] == [
                ("kept here", Kept.HERE),
                ("in the log", Kept.LOG),
            ]
