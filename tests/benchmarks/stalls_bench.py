"""The longest time for which the dashboard's event loop stands still, at states far larger than usual.

    uv run python tests/benchmarks stalls [NAME ...] [--sessions N] [--profile SECONDS]

For each step: the longest gap between two turns of a task that wants one every 5 ms, and the CPU time that the loop's
thread spent in the longest one, which other programs lengthen less. With `--profile`, the functions of each step that
stood still for longer. The bar: 100 ms.
"""

import argparse
import asyncio
import cProfile
import gc
import io
import pstats
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from hands import Hands
from recorder import Recorder
from rpc import ask, call, result, text, tool
from scene import COVERED, Scene
from verdicts import unsigned, verified

from mcpwatch.garbage import collect_seldom
from mcpwatch.model.alerts import Finding, Severity

BAR = 0.1
EVERY = 0.005
"""Seconds between two turns."""
SIZE = (140, 40)
TOOLS, ALERTS, CALLS, ENTRIES = 5_000, 10_000, 5_000, 50_000
TITLE = 100_000
"""Characters of it."""
PAYLOAD = 10_000_000
"""Octets of a request, and of its answer."""
Step = tuple[str, tuple[str, ...]]


class Quiet(Recorder):
    """Forgets what is drawn."""

    def write(self, data: str) -> None:
        """Take nothing."""


class Turns:
    """The longest gaps of the loop since they were last asked for."""

    def __init__(self) -> None:
        self.wall = self.thread = 0.0

    def take(self) -> tuple[float, float]:
        """Seconds of the longest gap, and of CPU time in the longest of that; begins anew."""
        taken, self.wall, self.thread = (self.wall, self.thread), 0.0, 0.0
        return taken

    async def run(self) -> None:
        """Turn until cancelled."""
        while True:
            wall, thread = time.perf_counter(), time.thread_time()
            await asyncio.sleep(EVERY)
            self.wall = max(self.wall, time.perf_counter() - wall - EVERY)
            self.thread = max(self.thread, time.thread_time() - thread)


def crowd(scene: Scene, sessions: int) -> None:
    """As many sessions as are asked for, 5,000 tools, 10,000 open alerts and 50,000 entries."""
    signers = [verified(f"agent-{number % 40}", *COVERED) for number in range(40)]
    for number in range(sessions):
        scene.take(scene.log.initialize(f"s{number}", client=f"client {number}"), signers[number % 40])
    tools = [tool(f"tool_{number}", f"Does the thing numbered {number}.") for number in range(TOOLS)]
    scene.take(scene.log.exchange(ask(1, "tools/list"), result(1, {"tools": tools}), session="s1"), signers[1])
    for number in range((ENTRIES - len(scene.state.rows)) // 4):
        asked = call(number, f"tool_{number % TOOLS}", path=f"src/file_{number}.py")
        scene.take(scene.log.exchange(asked, result(number, text("lines\n" * 5)), session=f"s{number % sessions}"))
    for number in range(ALERTS):
        finding = Finding(
            "tool-changed",
            Severity(number % len(Severity) + min(Severity)),
            f"tool {number}",
            f"the tool numbered {number} is another",
            (number + 1,),
            source="gateway",
            upstream="files",
            tool=f"tool_{number % TOOLS}",
        )
        scene.book.add(finding, scene.now)
    scene.feed()


def payload(scene: Scene, sessions: int) -> None:
    """A call with 10 MB of arguments, and as much of an answer."""
    lines = [{"path": f"src/file_{number}.py", "text": "a line of it " * 6} for number in range(PAYLOAD // 120)]
    asked = call(1, "write_files", files=lines)
    answer = result(1, {"content": [{"type": "text", "text": "a line of an answer\n" * (PAYLOAD // 20)}]})
    scene.take(scene.log.exchange(asked, answer, session="a"), verified("alice", *COVERED))
    scene.feed()


def long_session(scene: Scene, sessions: int) -> None:
    """One session with 5,000 calls."""
    scene.take(scene.log.initialize("a"), verified("alice", *COVERED))
    for number in range(CALLS):
        scene.take(scene.log.exchange(call(number, f"tool_{number % 9}"), result(number, text("done")), session="a"))
    scene.feed()


def long_title(scene: Scene, sessions: int) -> None:
    """Names of 100,000 characters, plain and hostile."""
    for number, name in enumerate(("w" * TITLE, "\x1b]52;c;eA==\x07\u202e" * (TITLE // 14), "漢" * TITLE)):
        key = f"s{number}"
        scene.take(scene.log.initialize(key, client=name), unsigned())
        offer = {"tools": [tool(name[:200] + str(number), name, title=name)]}
        scene.take(scene.log.exchange(ask(1, "tools/list"), result(1, offer), session=key))
        scene.take(scene.log.exchange(call(2, name, words=name), result(2, text(name)), session=key), unsigned())
    scene.feed()


LISTS: tuple[Step, ...] = (
    ("Sessions", ("2",)),
    ("order Sessions", ("o", "O", "o")),
    ("narrow Sessions", ("slash", "4", "2", "enter", "escape")),
    ("Alerts", ("3",)),
    ("order Alerts", ("o", "o")),
    ("group Alerts", ("v", "v")),
    ("narrow Alerts", ("slash", "4", "2", "enter", "escape")),
    ("Identities", ("4",)),
    ("order Identities", ("o", "O")),
    ("narrow Identities", ("slash", "4", "2", "enter", "escape")),
    ("Tools", ("5",)),
    ("order Tools", ("o", "O")),
    ("narrow Tools", ("slash", "4", "2", "enter", "escape")),
    ("Feed", ("6",)),
)
AGAIN: tuple[Step, ...] = tuple((f"{name} again", (str(key),)) for key, name in enumerate(("Live", "Sessions"), 1))
FILTER: tuple[Step, ...] = (
    ("filter typed", ("1", "slash", *"tool", "colon", *"tool_42", "enter")),
    ("filter left", ("escape", "escape")),
    ("jump after a filter", ("slash", "exclamation_mark", *"tool_42", "enter", "E", "escape")),
    (
        "goto after a filter",
        ("slash", "exclamation_mark", *"tool_43", "enter", "colon", *"goto", "space", "9", "enter"),
    ),
    ("the first after that", ("escape", "g", "G")),
)
CALL: tuple[Step, ...] = (
    ("open a call", ("g", "enter")),
    ("side by side", ("v", "v", "v")),
    ("scroll to the end", ("tab", "end", "home")),
    ("fold", ("minus", "plus")),
    ("search", ("slash", *"file_7", "enter", "n", "N", "escape")),
    ("exact", ("v", "v", "end")),
    ("back", ("escape", "escape")),
)
SESSION: tuple[Step, ...] = (
    ("open a session", ("2", "g", "enter")),
    ("to its end and back", ("tab", "end", "home")),
    ("next view", ("v",)),
    ("the one after", ("v",)),
    ("round", ("v",)),
    ("back", ("escape", "escape")),
)
TOUR: tuple[Step, ...] = (
    ("Live", ("1", "g", "down", "down", "down", "down")),
    ("open a call", ("G", "enter", "v", "v", "v", "escape")),
    ("Sessions", ("2", "down", "enter", "v", "v", "escape")),
    ("Alerts", ("3", "down", "enter", "escape")),
    ("Identities", ("4", "down", "enter", "escape")),
    ("Tools", ("5", "down", "enter", "escape")),
)
STATES: dict[str, tuple[Callable[[Scene, int], None], tuple[Step, ...]]] = {
    "crowd": (crowd, (*LISTS, *AGAIN, *FILTER)),
    "payload": (payload, CALL),
    "session": (long_session, SESSION),
    "title": (long_title, TOUR),
}


@asynccontextmanager
async def watched(scene: Scene) -> AsyncIterator[tuple[Hands, Turns]]:
    """The dashboard on a scene, and the turns of its loop."""
    app, turns = scene.app(), Turns()
    app.driver_class = Quiet
    async with app.run_test(headless=False, size=SIZE, notifications=True, tooltips=True) as pilot:
        task = asyncio.create_task(turns.run())
        yield Hands(scene, app, pilot), turns
        task.cancel()


async def measure(build: Callable[[Scene, int], None], steps: tuple[Step, ...], sessions: int, profile: float) -> None:
    """Build a state, open it, and print a line for each step."""
    with tempfile.TemporaryDirectory() as folder:
        scene = Scene(Path(folder))
        build(scene, sessions)
        scene.wait(1.0)
        gc.collect()
        gc.freeze()
        async with watched(scene) as (at, turns):
            await at.pilot.pause(0.5)
            tell("open", *turns.take())
            for name, keys in steps:
                profiler = cProfile.Profile()
                if profile:
                    profiler.enable()
                for key in keys:
                    scene.monotonic += 1
                    scene.now += 0.6
                    await at.pilot.press(key)
                await at.pilot.pause(0.3)
                profiler.disable()
                wall, thread = turns.take()
                tell(name, wall, thread)
                if profile and thread > profile:
                    functions(profiler)
            for wide, high in ((1, 1), (200, 50), SIZE):
                await at.pilot.resize_terminal(wide, high)
                await at.pilot.pause(0.2)
            tell("1x1 and back", *turns.take())


def tell(name: str, wall: float, thread: float) -> None:
    """Print a step's figures."""
    print(
        f"  {name:22}{wall * 1000:7.0f} ms {thread * 1000:7.0f} ms CPU{'  over' if thread > BAR else ''}",
        file=sys.__stdout__,
        flush=True,
    )


def functions(profiler: cProfile.Profile) -> None:
    """Print where the time of a step went."""
    out = io.StringIO()
    pstats.Stats(profiler, stream=out).sort_stats("cumulative").print_stats("mcpwatch|textual", 40)
    print(out.getvalue(), file=sys.__stdout__)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="How long the dashboard's event loop stands still.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of a state: {', '.join(STATES)} (all)")
    parser.add_argument("--sessions", type=int, default=10_000, metavar="N", help="of the crowd (%(default)s)")
    parser.add_argument("--profile", type=float, default=0, metavar="SECONDS", help="tell of steps over this")
    asked = parser.parse_args()
    collect_seldom()
    for name in asked.names or STATES:
        state, walk = STATES[name]
        print(f"{name}: {(state.__doc__ or '').strip()}")
        asyncio.run(measure(state, walk, asked.sessions, asked.profile))
