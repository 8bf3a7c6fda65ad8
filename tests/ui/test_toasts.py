"""Toasts tell of new serious alerts, seldom and together."""

from pathlib import Path

import msgspec
import pytest
from hands import hands, screen_text
from scene import Scene

from mcpwatch.model.alerts import Alert, AlertState, Severity
from mcpwatch.ui.app import TOAST_FOR, WatchApp
from mcpwatch.ui.lines import plain
from mcpwatch.ui.pages.feed import feed_page
from mcpwatch.ui.toasts import CELLS, EVERY, Toasts
from mcpwatch.watch.policy_watch import PolicyStanding
from mcpwatch.watch.state import State


def alert(name: str, severity: Severity = Severity.HIGH) -> Alert:
    """An alert that fires."""
    return Alert(name, "rule/x", f"Title {name}", severity, f"subject {name}", "why", 1, 0, 0, 0.0, 0.0)


def test_one_is_told_by_name_several_by_number() -> None:
    alerts = {"a": alert("a")}
    state, toasts = State(alerts), Toasts()
    first = toasts.notice(state, 0.0)
    assert first is not None and first.heading == "New high alert" and first.text == "Title a: subject a"
    alerts |= {"b": alert("b"), "c": alert("c", Severity.CRITICAL)}
    state.alerts_changed()
    assert toasts.notice(state, 4.9) is None
    second = toasts.notice(state, 5.0)
    assert second is not None and second.heading == "New alerts: 1 critical, 1 high" and second.critical
    assert second.text == "Worst: Title c"
    assert toasts.notice(state, 60.0) is None


@pytest.mark.parametrize(
    ("title", "subject", "says"),
    [
        ("Bad", "did:key:z6MkiWNzHycZZNMkP8bt98kEmoc18BawnVaHEqdBURYPGpyt", "Bad: did:key:z6Mk…YPGpyt"),
        ("Somebody asked for this very tool at", "notes/166d6020579d", "Somebody asked for this very tool …"),
        ("Session used from", "two places at once in session notes/1", "Session used from: two places at once …"),
    ],
)
def test_a_toast_is_one_line_that_ends_with_a_word_that_tells(title: str, subject: str, says: str) -> None:
    one = msgspec.structs.replace(alert("a"), title=title, subject=subject)
    told = Toasts().notice(State({"a": one}), 0.0)
    assert told is not None and told.text == says and len(told.text) <= CELLS + 2


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
        told += [(tick / 10, notice.heading)] if notice else []
    assert [when for when, _ in told] == [0.0, 5.0, 10.0]
    counts = [int(heading.removeprefix("New alerts: ").split()[0]) for _, heading in told]
    assert sum(counts) == len(alerts) == 1_000


async def test_that_nobody_can_be_told_is_said_and_stays_on_the_feed_screen(scene: Scene) -> None:
    app = scene.app()
    async with app.run_test(notifications=True, size=(120, 60)) as pilot:
        app.trouble("the webhook at https://chat.example", "it answers \x1b with HTTP status 500")
        await pilot.pause()
        assert [note.title for note in app._notifications] == ["Notifications fail"]
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
        assert "New high alert" in {note.title for note in app._notifications}


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
        app.tell("Short", serious=True)
        await pilot.pause()
        assert not list(app._notifications)


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
        assert {said, "New high alert"} <= {text for note in app._notifications for text in (note.title, note.message)}


def test_the_news_of_alerts_does_not_pile_up() -> None:
    assert TOAST_FOR < EVERY


@pytest.mark.parametrize(("key", "told"), [("1", True), ("3", False)])
async def test_an_alert_is_told_where_it_is_not_on_screen(blank: Scene, key: str, told: bool) -> None:
    async with hands(blank, notifications=True) as at:
        await at.press(key)
        blank.play()
        blank.monotonic += EVERY
        assert "critical" in await at.read()
        assert any("alert" in each.title for each in at.app._notifications) is told
