"""Toasts tell of new serious alerts, seldom and together."""

from pathlib import Path

import msgspec
import pytest
from hands import hands, screen_text
from scene import Scene

from mcpwatch.model.alerts import Act, Alert, AlertEvent, AlertState, EventKind, Severity
from mcpwatch.model.feed import FeedState, FeedStatus
from mcpwatch.ui.app import TOAST_FOR, WatchApp
from mcpwatch.ui.bars import FOOT
from mcpwatch.ui.pages.feed import feed_page
from mcpwatch.ui.toasts import CELLS, EVERY, Toasts
from mcpwatch.ui.widgets.lines import plain
from mcpwatch.watch.before import SETTLE_S
from mcpwatch.watch.policy_watch import PolicyStanding
from mcpwatch.watch.state import State


def alert(name: str, severity: Severity = Severity.HIGH) -> Alert:
    """An alert that fires."""
    return Alert(name, "rule/x", f"Title {name}", severity, f"subject {name}", "why", 1, 0, 0, 0.0, 0.0)


def test_one_is_told_by_name_several_by_number() -> None:
    alerts = {"a": alert("a")}
    state, toasts = State(alerts), Toasts()
    first = toasts.notice(state, 0.0)
    assert first is not None and first.text == "New high alert: Title a: subject a" and first.is_new
    alerts |= {"b": alert("b"), "c": alert("c", Severity.CRITICAL)}
    state.alerts_changed()
    assert toasts.notice(state, 4.9) is None
    second = toasts.notice(state, 5.0)
    assert second is not None and second.text == "New alerts: 1 critical, 1 high, such as Title c"
    assert toasts.notice(state, 60.0) is None


@pytest.mark.parametrize(
    ("title", "subject", "says"),
    [
        ("Bad", "did:key:z6MkiWNzHycZZNMkP8bt98kEmoc18BawnVaHEqdBURYPGpyt", "Bad: did:key:z…PGpyt"),
        (
            "Somebody asked for this very tool at",
            "notes/166d6020579d",
            "Somebody asked for this very tool …",
        ),
        (
            "Session used from",
            "two places at once in session notes/1",
            "Session used from: two places at once …",
        ),
    ],
)
def test_a_toast_is_one_line_that_ends_with_a_word_that_tells(title: str, subject: str, says: str) -> None:
    one = msgspec.structs.replace(alert("a"), title=title, subject=subject)
    told = Toasts().notice(State({"a": one}), 0.0)
    assert told is not None and told.text == f"New high alert: {says}" and len(told.text) <= CELLS + 2


def test_lesser_and_acknowledged_alerts_are_not_told() -> None:
    resting = alert("b")
    resting.state = AlertState.ACKNOWLEDGED
    state = State({"a": alert("a", Severity.MEDIUM), "b": resting})
    assert Toasts().notice(state, 0.0) is None


def test_an_alert_that_fires_again_is_told_again() -> None:
    one = alert("a")
    state, toasts = State({"a": one}), Toasts()
    assert toasts.notice(state, 0.0) is not None
    one.state = AlertState.ACKNOWLEDGED
    state.alerts_changed()
    assert toasts.notice(state, 10.0) is None
    one.state = AlertState.FIRING
    state.alerts_changed()
    assert toasts.notice(state, 20.0) is not None


def test_a_flood_is_one_toast_in_five_seconds() -> None:
    alerts: dict[str, Alert] = {}
    state, toasts = State(alerts), Toasts()
    told = []
    for tick in range(300):
        if tick < 100:
            alerts |= {f"{tick}.{each}": alert(f"{tick}.{each}") for each in range(10)}
            state.alerts_changed()
        notice = toasts.notice(state, tick / 10)
        told += [(tick / 10, notice.text)] if notice else []
    assert [when for when, _ in told] == [0.0, 5.0, 10.0]
    counts = [int(text.removeprefix("New alerts: ").split()[0]) for _, text in told]
    assert sum(counts) == len(alerts) == 1_000


async def test_that_nobody_can_be_told_is_said_and_stays_on_the_feed_screen(scene: Scene) -> None:
    app = scene.app()
    async with app.run_test(notifications=True, size=(120, 60)) as pilot:
        app.trouble("the webhook at https://chat.example", "it answers \x1b with HTTP status 500")
        await pilot.pause()
        assert "Notifications fail" in {note.title for note in app._notifications}
        said = feed_page(app.watcher.state, (), app.watcher.troubles.items())
        assert any("the webhook at https://chat.example: it answers \\x1b" in plain(line) for line in said)
        app.trouble("the webhook at https://chat.example", "")
        assert app.watcher.troubles == {}


async def test_the_app_tells_once_and_rings_unless_muted(scene: Scene, tmp_path: Path) -> None:
    rung: list[int] = []
    app = scene.app()
    app.bell = lambda: rung.append(1)  # type: ignore[method-assign]
    async with app.run_test(notifications=True) as pilot:
        await pilot.pause()
        app.tick()
        assert len(rung) == 1
        scene.monotonic += 10
        await pilot.press("b")
        app.tick()
        scene.state.alerts["x"] = alert("x")  # type: ignore[index]
        scene.state.alerts_changed()
        app.tick()
        await pilot.pause()
        assert len(rung) == 1
        assert "New high alert: Title x: subject x" in {note.message for note in app._notifications}


async def test_the_app_says_that_a_policy_cannot_be_read_until_it_can(scene: Scene) -> None:
    app = scene.app()
    async with app.run_test(notifications=True, size=(120, 30)) as pilot:
        for fault in ("policy.toml, line 3: no good", "policy.toml, line 4: no \x1b[2J good"):
            scene.state.set_policy(PolicyStanding(Path("policy.toml"), scene.now, fault))
            app.tick()
            app.tick()
        await pilot.pause()
        told = [note.message for note in app._notifications if note.title == "The policy before holds"]
        assert told == ["policy.toml, line 3: no good", "policy.toml, line 4: no \\x1b[2J good"]
        assert "POLICY NOT READ, SEE FEED" in screen_text(app)
        scene.state.set_policy(PolicyStanding(Path("policy.toml"), scene.now))
        app.tick()
        await pilot.pause()
        assert "POLICY NOT READ" not in screen_text(app)


def words_on(app: WatchApp) -> str:
    """What the screen shows, as one line."""
    return " ".join(" ".join(row.split()) for row in screen_text(app).replace("▌", " ").splitlines())


async def test_an_error_can_be_read_to_its_end_on_a_small_screen(blank: Scene) -> None:
    said = " ".join(f"part{number}" for number in range(40))
    app = blank.app()
    async with app.run_test(notifications=True, size=(80, 24)) as pilot:
        app.tell(said, serious=True)
        await pilot.pause()
        (told,) = app._notifications
        assert (told.message, told.severity) == (said, "error")
        assert all(part in words_on(app) for part in said.split())
        app.clear_notifications()
        for said, is_long in (("x" * (80 - FOOT), False), ("x" * (81 - FOOT), True)):
            app.tell(said, serious=True)
            await pilot.pause()
            assert bool(list(app._notifications)) is is_long
            assert (said in screen_text(app).splitlines()[-1]) is not is_long


async def test_a_fault_of_the_policy_can_be_read_to_its_end_on_a_small_screen(blank: Scene) -> None:
    said = " ".join(f"part{number}" for number in range(40))
    app = blank.app()
    async with app.run_test(notifications=True, size=(80, 24)) as pilot:
        blank.state.set_policy(PolicyStanding(Path("policy.toml"), blank.now, said))
        app.tick()
        await pilot.pause()
        assert all(part in words_on(app) for part in said.split())


pytest_plugins = ["played"]


async def test_an_error_that_is_not_read_yet_outlives_the_news_of_an_alert(scene: Scene) -> None:
    said = " ".join(f"part{number}" for number in range(40))
    app = scene.app()
    async with app.run_test(notifications=True) as pilot:
        await pilot.pause()
        app.tick()
        app.tell(said, serious=True)
        scene.monotonic += EVERY + 1
        scene.state.alerts["x"] = alert("x")  # type: ignore[index]
        scene.state.alerts_changed()
        app.tick()
        await pilot.pause()
        assert {said, "New high alert: Title x: subject x"} <= {note.message for note in app._notifications}


def test_the_news_of_alerts_does_not_pile_up() -> None:
    assert TOAST_FOR < EVERY


@pytest.mark.parametrize(("key", "told"), [("1", True), ("3", False)])
async def test_an_alert_is_told_where_it_is_not_on_screen(blank: Scene, key: str, told: bool) -> None:
    async with hands(blank, notifications=True) as at:
        await at.press(key)
        blank.play()
        blank.monotonic += EVERY
        assert "critical" in await at.read()
        assert any("alert" in each.message for each in at.app._notifications) is told


def joined(state: FeedState, announced: int | None, next_index: int) -> FeedStatus:
    """A feed of which the log was so long when it was joined, and so much of it is read."""
    return FeedStatus("feed", "http://127.0.0.1:8641", state, announced=announced, next_index=next_index)


def shown_by(name: str, index: int, severity: Severity = Severity.HIGH) -> Alert:
    """An alert of a feed that one entry shows."""
    one = alert(name, severity)
    return msgspec.structs.replace(one, source="feed", first_index=index, last_index=index, evidence=[index])


def test_what_was_there_before_is_one_number_and_what_fires_later_is_new() -> None:
    alerts: dict[str, Alert] = {}
    state, toasts, told = State(alerts), Toasts(), []

    def watch(since: int, until: int) -> None:
        for now in range(since, until):
            notice = toasts.notice(state, now, "3")
            told.extend([(now, *notice)] if notice is not None else [])

    state.set_feed(joined(FeedState.CONNECTING, None, 0))
    watch(0, 10)
    for index in range(12):
        severity = Severity.CRITICAL if index < 3 else Severity.HIGH if index < 10 else Severity.LOW
        alerts[f"{index}"] = shown_by(f"{index}", index, severity)
    state.set_feed(joined(FeedState.LIVE, 100, 50))
    watch(10, 30)
    assert told == []
    state.set_feed(joined(FeedState.LIVE, 100, 100))
    alerts["late"] = shown_by("late", 99)
    watch(30, 50)
    alerts["new"] = shown_by("new", 100)
    state.set_feed(joined(FeedState.LIVE, 100, 101))
    watch(50, 60)
    alerts["known late"] = shown_by("known late", 5)
    state.set_feed(joined(FeedState.LIVE, 200, 101))
    watch(60, 70)
    assert told == [
        (30 + SETTLE_S, "13 alerts are open, 3 critical; press 3", False),
        (50, "New high alert: Title new: subject new", True),
        (60, "New high alert: Title known late: subject known late", True),
    ]


@pytest.mark.parametrize(
    ("status", "says"),
    [
        (joined(FeedState.LIVE, 100, 101), "New high alert: Title a: subject a"),
        (joined(FeedState.UNPROVEN, None, 101), "New high alert: Title a: subject a"),
        (joined(FeedState.GAP, 200, 150), ""),
        (joined(FeedState.DISCONNECTED, 200, 150), ""),
        (joined(FeedState.BROKEN, 200, 150), "1 high alert is open"),
        (joined(FeedState.ENDED, 200, 150), "1 high alert is open"),
    ],
)
def test_the_past_of_a_feed_ends_where_its_log_did_or_where_no_more_comes(status: FeedStatus, says: str) -> None:
    alerts = {"a": shown_by("a", 100)}
    state, toasts = State(alerts), Toasts()
    state.set_feed(status)
    told = [toasts.notice(state, now) for now in (0.0, SETTLE_S)]
    assert "".join(each.text for each in told if each is not None) == says


def test_an_old_alert_that_somebody_lets_rest_is_not_told() -> None:
    resting = shown_by("a", 5)
    state, toasts = State({"a": resting}), Toasts()
    state.set_feed(joined(FeedState.LIVE, 100, 100))
    assert toasts.notice(state, 0.0) is None
    resting.state = AlertState.ACKNOWLEDGED
    assert toasts.notice(state, SETTLE_S) is None


def test_a_recording_that_is_played_has_no_past() -> None:
    state = State({"a": shown_by("a", 5)})
    state.set_feed(joined(FeedState.LIVE, 100, 6))
    told = Toasts(has_past=False).notice(state, 0.0)
    assert told is not None and told.is_new


async def test_what_was_there_before_rings_no_bell_and_names_the_operator_s_key(blank: Scene) -> None:
    rung: list[int] = []
    app = blank.app({"alerts": "f3"})
    app.bell = lambda: rung.append(1)  # type: ignore[method-assign]
    async with app.run_test(notifications=True) as pilot:
        blank.play()
        status = msgspec.structs.replace(blank.state.feeds["gateway"], announced=blank.log.next)
        blank.state.set_feed(status)
        for _ in range(4):
            blank.monotonic += 1
            app.tick()
        await pilot.pause()
        (told,) = app._notifications
        assert told.message == f"{blank.state.open_alerts().total()} alerts are open, 4 critical; press f3"
        assert rung == []


async def test_news_covers_no_selected_row_and_no_key(scene: Scene) -> None:
    async with hands(scene, notifications=True) as at:
        shown = (await at.read()).splitlines()
        assert "New alerts: 4 critical" in shown[3]
        (toast,) = at.app.screen.query("Toast")
        assert toast.region.height == 1 and toast.region.bottom < at.app.screen.query_one("#list").region.bottom


async def test_news_comes_one_at_a_time(scene: Scene) -> None:
    told: list[str] = []
    app = scene.app()
    app.notify = lambda message, **_: told.append(message)  # type: ignore[method-assign]
    async with app.run_test() as pilot:
        await pilot.pause()
        app.tick()
        worst = next(iter(scene.state.alerts.values()))
        event = AlertEvent(EventKind.ACKNOWLEDGED, "ben@desk", "seen", scene.now, worst.last_index, key="k" * 43)
        scene.book.take([Act(worst.id, event)])
        scene.state.alerts_changed()
        app.tick()
        assert [text.split(":")[0] for text in told] == ["New alerts"]
        scene.monotonic += TOAST_FOR
        app.tick()
        assert told[1:] == [f"ben@desk acknowledged {worst.title}: seen"]
