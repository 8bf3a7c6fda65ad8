"""What the dashboard costs while traffic comes, and how soon a key is seen.

    uv run python tests/benchmarks ui [--rates N ...] [--seconds N] [--size COLUMNSxROWS]

Entries are made beforehand and go through the real fold, rules, alerts and state with a ready verdict; nothing is
received or verified. Prints for each rate the share of one core that taking in costs alone, that both cost together,
the difference, the time from a key to the drawing of what it did, and how long entries waited to be taken in.
The bars: 25 % of a core at 1,000 entries/s and 60 % at 5,000, p99 <= 60 ms, at most 0.3 s behind.
"""

import argparse
import asyncio
import gc
import tempfile
import time
from pathlib import Path
from statistics import quantiles

from recorder import Recorder
from rpc import call, result, text
from scene import COVERED, Scene
from textual import events
from verdicts import unsigned, verified

from mcpwatch.garbage import collect_seldom
from mcpwatch.model.entries import Entry
from mcpwatch.model.identity import Verdict

SLICE_S = 0.02
"""Seconds between two helpings of entries."""
KEYS = 200
Made = list[tuple[Entry, Verdict]]


class Screen(Recorder):
    """Forgets what is drawn, but not when."""

    drawn = 0.0
    octets = 0

    def write(self, data: str) -> None:
        """Note the time."""
        self.drawn = time.perf_counter()
        self.octets += len(data)


def make(scene: Scene, count: int) -> Made:
    """Calls of twenty sessions, half of them signed, four entries a call."""
    made: Made = []
    signed, nobody = verified("alice", *COVERED), unsigned()
    for number in range(count // 4):
        session = f"s{number % 20}"
        verdict = signed if number % 2 else nobody
        asked = call(number, f"tool_{number % 9}", path=f"src/file_{number}.py")
        answer = result(number, text("a line of an answer\n" * 5))
        made.extend((entry, verdict) for entry in scene.log.exchange(asked, answer, session=session))
    gc.freeze()  # What waits here to be taken in is no part of what is measured.
    return made


async def take_in(scene: Scene, made: Made, rate: int) -> float:
    """Take entries in at a rate; the longest that one waited until it was in the state, in seconds."""
    start, taken, behind = time.perf_counter(), 0, 0.0
    while taken < len(made):
        await asyncio.sleep(SLICE_S)
        due = min(int((time.perf_counter() - start) * rate), len(made))
        for entry, verdict in made[taken:due]:
            scene.take(entry, verdict)
        scene.feed()
        if due > taken:
            behind = max(behind, time.perf_counter() - start - taken / rate)
        taken = due
    return behind


async def alone(folder: Path, rate: int, seconds: int) -> float:
    """The share of a core that taking in costs without a screen."""
    scene = Scene(folder)
    made = make(scene, rate * seconds)
    before = time.process_time()
    start = time.perf_counter()
    await take_in(scene, made, rate)
    return (time.process_time() - before) / (time.perf_counter() - start)


async def shown(folder: Path, rate: int, seconds: int, size: tuple[int, int]) -> tuple[float, list[float], int, float]:
    """The share of a core of both, the seconds from key to drawing, the octets drawn a second, the seconds behind."""
    scene = Scene(folder)
    made = make(scene, rate * seconds)
    app = scene.app()
    app.driver_class = Screen
    async with app.run_test(headless=False, size=size) as pilot:
        await pilot.pause()
        screen = app._driver
        assert isinstance(screen, Screen)
        screen.octets = 0
        before, start = time.process_time(), time.perf_counter()
        behind = await take_in(scene, made, rate)
        passed = time.perf_counter() - start
        share, octets = (time.process_time() - before) / passed, int(screen.octets / passed)
        taking = asyncio.create_task(take_in(scene, make(scene, rate * 12), rate))
        waits = [await key_to_drawing(app, screen, "k" if number % 2 else "j") for number in range(KEYS)]
        taking.cancel()
    return share, waits, octets, behind


async def key_to_drawing(app: object, screen: Screen, key: str) -> float:
    """Seconds until the screen is drawn to after a key."""
    await asyncio.sleep(0.03)
    pressed = time.perf_counter()
    screen.process_message(events.Key(key, key))
    while screen.drawn < pressed:
        await asyncio.sleep(0.0005)
    return screen.drawn - pressed


async def main(rate: int, seconds: int, size: tuple[int, int]) -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder:
        without = await alone(Path(folder), rate, seconds)
    with tempfile.TemporaryDirectory() as folder:
        both, waits, octets, behind = await shown(Path(folder), rate, seconds, size)
    cuts = quantiles(waits, n=100)
    print(f"{rate:,} entries/s for {seconds} s at {size[0]}x{size[1]}")
    print(f"taking in alone    {without:6.1%} of a core")
    print(f"with the dashboard {both:6.1%}")
    print(f"the dashboard      {both - without:6.1%}, {octets / 1000:,.0f} kB/s to the terminal")
    print(f"key to drawing     p50 {cuts[49] * 1000:.0f} ms, p99 {cuts[98] * 1000:.0f} ms")
    print(f"behind             {behind * 1000:.0f} ms at most\n")


def size_of(text: str) -> tuple[int, int]:
    """A terminal's columns and rows; raises ValueError."""
    wide, high = text.split("x")
    return int(wide), int(high)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="What the dashboard costs while traffic comes.")
    parser.add_argument("--rates", type=int, nargs="+", default=[1_000, 5_000], metavar="N", help="entries a second")
    parser.add_argument("--seconds", type=int, default=10, metavar="N", help="for each rate (%(default)s)")
    parser.add_argument("--size", type=size_of, default=(140, 40), metavar="COLUMNSxROWS", help="of the terminal")
    asked = parser.parse_args()
    collect_seldom()
    for rate in asked.rates:
        asyncio.run(main(rate, asked.seconds, asked.size))
