"""What the dashboard costs while traffic comes, and how soon a key is seen.

    PYTHONPATH=tests:tests/ui python tests/benchmarks/ui_bench.py [ENTRIES_A_SECOND] [SECONDS] [COLUMNSxROWS]

Entries are made beforehand and go through the real fold, rules, alerts and state with a ready verdict; nothing is
received or verified. Prints the share of one core that taking in costs alone, that both cost together, the
difference, and the time from a key to the drawing of what it did.
"""

import asyncio
import gc
import sys
import tempfile
import time
from pathlib import Path
from statistics import quantiles

from recorder import Recorder
from rpc import call, result, text
from scene import COVERED, Scene
from textual import events
from verdicts import unsigned, verified

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
    """Take entries in at a rate; the CPU seconds that this took by itself."""
    start, taken, spent = time.perf_counter(), 0, 0.0
    while taken < len(made):
        await asyncio.sleep(SLICE_S)
        due = min(int((time.perf_counter() - start) * rate), len(made))
        before = time.thread_time()
        for entry, verdict in made[taken:due]:
            scene.take(entry, verdict)
        scene.feed()
        spent += time.thread_time() - before
        taken = due
    return spent


async def alone(folder: Path, rate: int, seconds: int) -> float:
    """The share of a core that taking in costs without a screen."""
    scene = Scene(folder)
    made = make(scene, rate * seconds)
    before = time.process_time()
    start = time.perf_counter()
    await take_in(scene, made, rate)
    return (time.process_time() - before) / (time.perf_counter() - start)


async def shown(folder: Path, rate: int, seconds: int, size: tuple[int, int]) -> tuple[float, list[float], int]:
    """The share of a core of both, the seconds from key to drawing, the octets drawn a second."""
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
        await take_in(scene, made, rate)
        passed = time.perf_counter() - start
        share, octets = (time.process_time() - before) / passed, int(screen.octets / passed)
        taking = asyncio.create_task(take_in(scene, make(scene, rate * 12), rate))
        waits = [await key_to_drawing(app, screen, "k" if number % 2 else "j") for number in range(KEYS)]
        taking.cancel()
    return share, waits, octets


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
        both, waits, octets = await shown(Path(folder), rate, seconds, size)
    cuts = quantiles(waits, n=100)
    print(f"{rate:,} entries/s for {seconds} s at {size[0]}x{size[1]}")
    print(f"taking in alone    {without:6.1%} of a core")
    print(f"with the dashboard {both:6.1%}")
    print(f"the dashboard      {both - without:6.1%}, {octets / 1000:,.0f} kB/s to the terminal")
    print(f"key to drawing     p50 {cuts[49] * 1000:.0f} ms, p99 {cuts[98] * 1000:.0f} ms")


if __name__ == "__main__":
    usual = ["1000", "10", "140x40"]
    rate, seconds, size = sys.argv[1:] + usual[len(sys.argv) - 1 :]
    wide, high = size.split("x")
    asyncio.run(main(int(rate), int(seconds), (int(wide), int(high))))
