"""Makes screenshots/ from the running demo: `uv run python tests/screenshots.py`.

One real demo is watched by three dashboards, dark at 80x24 and at 140x40 and light at 140x40; keys are pressed as a
person would. The dark pictures of the small one make the tour.
"""

import asyncio
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from textual.pilot import Pilot
from tour import animated

from mcpwatch.commands import sources
from mcpwatch.commands.named_sources import Feed
from mcpwatch.demo.run import start_demo
from mcpwatch.detect.rules import RULES
from mcpwatch.model.traffic import Session
from mcpwatch.ui.app import WatchApp
from mcpwatch.ui.picture import picture
from mcpwatch.ui.screens.identities import IdentitiesScreen
from mcpwatch.ui.screens.sessions import SessionsScreen
from mcpwatch.ui.theme import DARK, LIGHT
from mcpwatch.watch.identity import Identity
from mcpwatch.watch.watcher import Watcher

OUT = Path(__file__).resolve().parents[1] / "screenshots"
SMALL = (80, 24)
LOOKS = ((SMALL, DARK.name), ((140, 40), DARK.name), ((140, 40), LIGHT.name))
"""Sizes and themes."""
PATIENCE_S = 150.0
SLOW = ("a", "enter", "escape", "slash", "w")
"""Keys after which a person waits for the screen; a dialog takes no keys in its first moments."""

_SHOWN = {"identity/bad-signature", "identity/superseded-key", "identity/key-rotated-mid-session"}
"""Rules that have fired when the pictures are taken."""

TOUR = ("live", "filter", "verdict", "session", "alerts", "acknowledge", "identities", "tools", "feed")
"""The pictures that the tour goes through."""

Step = tuple[str, tuple[str, ...]]
"""A picture's name, and the keys that lead there from the picture before; `to NAME` goes to an identity, `to CLIENT on
SERVER` to a session."""

STEPS: tuple[Step, ...] = (
    ("live", ("1",)),
    ("filter", ("slash", *"sig:bad", "space", "vertical_line", "space", *"sev>=high")),
    ("verdict", ("enter", "home", "enter")),
    ("sessions", ("escape", "escape", "2", "home")),
    ("session", ("to scribe 1.0 on notes", "enter")),
    ("call", ("enter",)),
    ("chain", ("escape", "v")),
    ("alerts", ("escape", "3", "home")),
    ("acknowledge", ("a", *"known test agent")),
    ("export", ("escape", "w")),
    ("identities", ("escape", "4", "home")),
    ("identity", ("to veteran", "enter")),
    ("trust", ("escape", "to forge", "enter", "end")),
    ("tools", ("escape", "5", "home")),
    ("feed", ("6",)),
    ("help", ("question_mark",)),
)


async def main() -> None:
    """Run the demo until there is enough to see, then take every picture."""
    os.environ["MCPWATCH_STATE"] = tempfile.mkdtemp(prefix="mcpwatch-pictures-")
    demo = await start_demo()
    try:
        target = sources.target_of(Feed(demo.feed_address, demo.token), demo.state)
        for size, theme in LOOKS:
            pictures = await shoot(await sources.open_watcher(target), size, theme)
            if size == SMALL:
                (OUT / "tour.svg").write_text(animated([pictures[name] for name in TOUR]))
    finally:
        await demo.stop()


async def shoot(watcher: Watcher, size: tuple[int, int], theme: str) -> dict[str, str]:
    """Take every picture in one size and theme; returns them by name."""
    # A picture shows what the folders are called, not where they lie on the machine that took it.
    watcher.files = tuple((what, f"…/{Path(where).name}") for what, where in watcher.files)
    app = WatchApp(watcher, rules={rule.info.id: rule.info for rule in RULES})
    pictures: dict[str, str] = {}
    async with app.run_test(size=size) as pilot:
        app.theme = theme
        await until(pilot, lambda: _enough(watcher))
        for name, keys in STEPS:
            for key in keys:
                await (go(pilot, key) if key.startswith("to ") else pilot.press(key))
                if key in SLOW:
                    await settle(pilot)
            await settle(pilot)
            pictures[name] = picture(app, "mcpwatch")
            path = OUT / f"{name}-{size[0]}x{size[1]}{'' if theme == DARK.name else '-light'}.svg"
            path.write_text(pictures[name])
            print(path.name)
    await watcher.close()
    return pictures


def _enough(watcher: Watcher) -> bool:
    """Whether the story has reached the acts that the pictures show."""
    rules = {alert.rule for alert in watcher.state.alerts.values()}
    forge = next((one for one in watcher.state.identities.values() if one.name == "forge"), None)
    return rules >= _SHOWN and forge is not None and bool(watcher.trust(forge.id).path)


async def go(pilot: "Pilot[None]", to: str) -> None:
    """Move the cursor down to an identity or to a session."""
    screen = pilot.app.screen
    assert isinstance(screen, IdentitiesScreen | SessionsScreen)
    await pilot.press("home")
    while _name(screen.selected) != to.removeprefix("to "):
        await pilot.press("j")


def _name(item: Identity | Session | None) -> str:
    """What the operator calls an identity; of a session what its client calls itself, and the server."""
    if isinstance(item, Session):
        return f"{item.client_name} on {item.upstream}"
    return item.name if item is not None else ""


async def until(pilot: "Pilot[None]", done: Callable[[], bool]) -> None:
    """Let the dashboard run until something holds."""
    async with asyncio.timeout(PATIENCE_S):
        while not done():
            await pilot.pause(0.2)


async def settle(pilot: "Pilot[None]") -> None:
    """Let two ticks of the dashboard pass."""
    await pilot.pause(0.3)


if __name__ == "__main__":
    OUT.mkdir(exist_ok=True)
    asyncio.run(main())
