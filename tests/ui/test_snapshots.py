"""Pictures of every screen at three sizes, from the played scene with its fixed clocks."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import feed_states
import feeds
import pytest
import signers
import trail
from rpc import call, result, text
from scene import Scene
from textual.pilot import Pilot

from mcpwatch.model.feed import FeedState, Gap
from mcpwatch.ui.app import WatchApp

pytest_plugins = ["played"]

Compare = Callable[..., bool]


def quiet(scene: Scene) -> WatchApp:
    """The dashboard without toasts, which come and go by the real clock."""
    app = scene.app()
    app._toasts.notice(scene.state, scene.monotonic)
    return app


SIZES = ((80, 24), (100, 30), (140, 40))
SCREENS: dict[str, tuple[str, ...]] = {
    "live": (),
    "sessions": ("2",),
    "session-waterfall": ("2", "enter"),
    "session-chain": ("2", "enter", "v"),
    "session-entries": ("2", "enter", "v", "v"),
    "call": ("2", "enter", "g", "j", "j", "j", "j", "j", "enter"),
    "call-exact": ("2", "enter", "g", "enter", "v"),
    "alerts": ("3", "j"),
    "acknowledge": ("3", "a"),
    "resolve": ("3", "r"),
    "silence": ("3", "m"),
    "unsilence": ("3", "m", *"load", "enter", "end", "M"),
    "alerts-resting": ("3", "m", *"load", "enter", "g", "a", *"seen", "enter", "g", "r", *"fixed", "enter", "end"),
    "alerts-by-rule": ("3", "v", "end"),
    "alert-history": ("3", "a", *"known", "enter", "end", "u", *"not", "enter", "g", "tab", "z", "end"),
    "identities": ("4",),
    "identity": ("4", "enter"),
    "tools": ("5",),
    "tool": ("5", "enter"),
    "accept": ("5", "a"),
    "feed": ("6",),
    "help": ("question_mark",),
}
SMALL: dict[str, tuple[str, ...]] = {
    "columns": ("c",),
    "quit": ("q",),
    "filter": ("slash", *"tool", "colon", *"notes"),
    "bad-filter": ("slash", *"tool", "colon"),
    "nothing-matches": ("slash", *"xyzzy", "enter"),
    "command": ("colon", *"sess"),
    "unfollowed": ("g",),
    "ages": ("t",),
    "light": ("colon", *"theme mcpwatch-light", "enter"),
}


def pressing(scene: Scene, keys: tuple[str, ...]) -> Callable[[Pilot[None]], object]:
    """Press keys, a second apart, and let the screen settle."""

    async def press(pilot: Pilot[None]) -> None:
        app = pilot.app
        await pilot.pause()
        for key in keys:
            scene.monotonic += 1
            await pilot.press({" ": "space", "-": "minus"}.get(key, key))
        await pilot.pause()
        app.tick()  # type: ignore[attr-defined]
        await pilot.pause()

    return press


def name(size: tuple[int, int]) -> str:
    """`80x24`."""
    return f"{size[0]}x{size[1]}"


@pytest.mark.parametrize("size", SIZES, ids=name)
@pytest.mark.parametrize("screen", SCREENS)
def test_screen(snap_compare: Compare, scene: Scene, screen: str, size: tuple[int, int]) -> None:
    assert snap_compare(quiet(scene), terminal_size=size, run_before=pressing(scene, SCREENS[screen]))


SIGNERS: dict[str, tuple[str, ...]] = {
    "identities": ("4",),
    "agent": ("4", "g", "j", "j", "enter"),
    "server": ("4", "g", "j", "enter"),
    "pin": ("4", "g", "j", "j", "p"),
    "call": ("slash", *"tool", "colon", *"transfer", "space", *"kind", "colon", *"req", "enter", "enter", "tab", "z"),
    "answer": ("slash", *"tool", "colon", *"transfer", "space", *"kind", "colon", *"mes", "enter", "enter", "tab", "z"),
    "session": ("2", "g", "j", "tab"),
}


@pytest.mark.parametrize("size", SIZES, ids=name)
@pytest.mark.parametrize("screen", SIGNERS)
def test_signers(snap_compare: Compare, blank: Scene, screen: str, size: tuple[int, int]) -> None:
    scene = signers.play(blank)
    assert snap_compare(quiet(scene), terminal_size=size, run_before=pressing(scene, SIGNERS[screen]))


STORIES: dict[str, tuple[Callable[[Scene], Scene], tuple[str, ...]]] = {
    "running": (partial(trail.play, running=True), ("2", "enter")),
    "finished": (trail.play, ("2", "enter", "home", "e", "e")),
    "alert": (trail.play, ("3", "j")),
    "path": (trail.play, ("3", "j", "enter")),
    "hostile": (trail.hostile, ("2", "enter", "home")),
    "hostile-path": (trail.hostile, ("2", "enter", "home", "e", "p")),
}


@pytest.mark.parametrize("size", (SIZES[0], SIZES[-1]), ids=name)
@pytest.mark.parametrize("story", STORIES)
def test_waterfall(snap_compare: Compare, blank: Scene, story: str, size: tuple[int, int]) -> None:
    play, keys = STORIES[story]
    scene = play(blank)
    assert snap_compare(quiet(scene), terminal_size=size, run_before=pressing(scene, keys))


@pytest.mark.parametrize("screen", SMALL)
def test_small_screen(snap_compare: Compare, scene: Scene, screen: str) -> None:
    assert snap_compare(quiet(scene), terminal_size=(80, 24), run_before=pressing(scene, SMALL[screen]))


CALL = ("2", "g", "enter", "g", "j", "j", "j", "enter")
CALLS: dict[str, tuple[str, ...]] = {
    "sides": (*CALL, "v", "v"),
    "folded": (*CALL, "enter", "minus", "end"),
    "searched": (*CALL, "slash", *"main", "enter", "n"),
}


@pytest.mark.parametrize("size", SIZES, ids=name)
@pytest.mark.parametrize("state", CALLS)
def test_call(snap_compare: Compare, scene: Scene, state: str, size: tuple[int, int]) -> None:
    assert snap_compare(quiet(scene), terminal_size=size, run_before=pressing(scene, CALLS[state]))


def test_entries_of_a_session_that_are_filtered(snap_compare: Compare, scene: Scene) -> None:
    keys = ("2", "enter", "slash", *"kind", "colon", *"req", "enter")
    assert snap_compare(quiet(scene), terminal_size=(80, 24), run_before=pressing(scene, keys))


@pytest.mark.parametrize("size", SIZES, ids=name)
def test_empty(snap_compare: Compare, blank: Scene, size: tuple[int, int]) -> None:
    blank.feed()
    assert snap_compare(quiet(blank), terminal_size=size, run_before=pressing(blank, ()))


@pytest.mark.parametrize("state", [FeedState.REFUSED, FeedState.DISCONNECTED, FeedState.BROKEN, FeedState.CONNECTING])
def test_a_feed_in_trouble_before_anything_came(snap_compare: Compare, blank: Scene, state: FeedState) -> None:
    blank.feed(state, "what the other end said")
    assert snap_compare(quiet(blank), terminal_size=(80, 24), run_before=pressing(blank, ()))


EMPTY: dict[str, tuple[str, ...]] = {
    "connecting": ("2", "4"),
    "reading": ("3",),
    "quiet": ("2", "3", "4", "5"),
    "lost": ("3", "5"),
    "refused": ("2",),
    "false": ("3",),
    "ended": ("4", "5"),
}
"""The lists of which there is a picture in a state of their feed: each list and each state in some, not all in all."""


@pytest.mark.parametrize(("state", "key"), [(state, key) for state, keys in EMPTY.items() for key in keys])
def test_an_empty_list(snap_compare: Compare, blank: Scene, state: str, key: str) -> None:
    feed_states.STATES[state](blank)
    assert snap_compare(quiet(blank), terminal_size=SIZES[0], run_before=pressing(blank, (key,)))


@pytest.mark.parametrize(("key", "size"), [("2", SIZES[0]), ("3", SIZES[1]), ("4", SIZES[0]), ("5", SIZES[2])])
def test_a_list_narrowed_to_nothing(snap_compare: Compare, scene: Scene, key: str, size: tuple[int, int]) -> None:
    keys = (key, "slash", *"xyzzy", "enter")
    assert snap_compare(quiet(scene), terminal_size=size, run_before=pressing(scene, keys))


def test_a_session_whose_entries_the_filter_hides(snap_compare: Compare, scene: Scene) -> None:
    keys = ("2", "enter", "slash", *"xyzzy", "enter")
    assert snap_compare(quiet(scene), terminal_size=SIZES[0], run_before=pressing(scene, keys))


def test_a_feed_with_a_gap(snap_compare: Compare, scene: Scene) -> None:
    scene.feed(FeedState.GAP, "retention", gaps=(Gap(40, 52, "past the gateway's retention"),))
    assert snap_compare(quiet(scene), terminal_size=(100, 30), run_before=pressing(scene, ("6",)))


@pytest.mark.parametrize("size", (SIZES[0], SIZES[-1]), ids=name)
@pytest.mark.parametrize("screen", ["live", "feed"])
def test_several_feeds_of_which_one_is_down(
    snap_compare: Compare, blank: Scene, screen: str, size: tuple[int, int]
) -> None:
    scene = feeds.play(blank)
    assert snap_compare(quiet(scene), terminal_size=size, run_before=pressing(scene, SCREENS[screen]))


def test_frozen(snap_compare: Compare, scene: Scene) -> None:
    async def freeze(pilot: Pilot[None]) -> None:
        await pressing(scene, ("space",))(pilot)  # type: ignore[misc]
        scene.take(scene.log.exchange(call(90, "search"), result(90, text("x")), session="a"))
        await pressing(scene, ())(pilot)  # type: ignore[misc]

    assert snap_compare(quiet(scene), terminal_size=(80, 24), run_before=freeze)


def test_without_colour(snap_compare: Compare, scene: Scene, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert snap_compare(quiet(scene), terminal_size=(80, 24), run_before=pressing(scene, ("3", "j")))
