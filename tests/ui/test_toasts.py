"""Toasts tell of new serious alerts, seldom and together."""

from pathlib import Path

from scene import Scene

from mcpwatch.model.alerts import Alert, AlertState, Severity
from mcpwatch.ui.toasts import Toasts
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
    assert second is not None and second.heading == "2 new alerts" and second.critical
    assert second.text == "1 critical, 1 high; worst: Title c"
    assert toasts.notice(state, 60.0) is None


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


pytest_plugins = ["played"]
