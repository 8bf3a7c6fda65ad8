"""What the rules cost for each entry.

Prints microseconds an entry for good and for bad traffic, each rule's share, and the book's cost for a finding.
"""

import time
from collections.abc import Callable
from functools import partial

from rpc import call, modern, modern_headers, result, text, tool
from rule_scene import UNSIGNED, Scene

from mcpwatch.detect.book import AlertBook
from mcpwatch.detect.engine import Engine
from mcpwatch.detect.rule import Rule
from mcpwatch.detect.rules import RULES
from mcpwatch.model.alerts import Finding
from mcpwatch.model.traffic import Era, Observation, SessionKind

CALLS = 2_000
ROUNDS = 5
ANSWER = "A line of a plain answer, such as tools give.\n" * 20


class Recorder(Engine):
    """Keeps what it is shown."""

    def __init__(self) -> None:
        super().__init__(())
        self.seen: list[Observation] = []

    def observe(self, seen: Observation) -> list[Finding]:
        self.seen.append(seen)
        return []


def recorded(play: Callable[[Scene, int], None]) -> list[Observation]:
    """The observations of many calls."""
    scene, recorder = Scene(), Recorder()
    scene.engine = recorder
    for number in range(CALLS):
        play(scene, number)
    return recorder.seen


def good(scene: Scene, number: int) -> None:
    """A signed call of the modern era, one of a few hundred sessions."""
    session = scene.session(f"session {number % 300}", SessionKind.SIGNER, Era.MODERN)
    session.listed_tools.update({"read", "write"})
    body = modern(call(number, "read", path="/srv/data/report.txt"))
    exchange = scene.request(body, session=session, headers=modern_headers(body))
    scene.response(exchange, session=session)
    scene.answer(exchange, result(number, text(ANSWER)), session=session)
    scene.end(exchange, session)


def bad(scene: Scene, number: int) -> None:
    """An unsigned call of a tool that was not listed, whose answer holds an escape."""
    session = scene.session(f"session {number % 300}")
    session.listed_tools.add("write")
    exchange = scene.request(call(number, "read"), session=session, verdict=UNSIGNED, agent=f"agent/{number % 7}")
    scene.response(exchange, session=session)
    scene.answer(exchange, result(number, text(ANSWER + "\x1b[2J")), session=session)
    scene.end(exchange, session)


def lists(scene: Scene, number: int) -> None:
    """A list of twenty tools that are offered for the first time."""
    tools = [tool(f"tool_{number}_{at}", "Reads one thing and gives it back.") for at in range(20)]
    scene.whole({"id": 1, "method": "tools/list"}, result(1, {"tools": tools}))


def best(work: Callable[[], object], units: int) -> float:
    """Microseconds a unit, best of several rounds."""
    times = []
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        work()
        times.append(time.perf_counter() - begun)
    return min(times) / units * 1e6


def run(rules: tuple[type[Rule], ...], seen: list[Observation]) -> list[Finding]:
    """What a fresh engine with these rules finds."""
    engine = Engine(rules)
    return [finding for each in seen for finding in engine.observe(each)]


def main() -> None:
    """Measure and print."""
    for play in (good, bad, lists):
        seen = recorded(play)
        cost = best(partial(run, RULES, seen), len(seen))
        found = run(RULES, seen)
        print(f"{play.__name__:6} {cost:6.2f} us an entry, {len(found) / len(seen):.2f} findings an entry")
        shares = []
        for rule in RULES:
            shares.append((best(partial(run, (rule,), seen), len(seen)), rule.info.id))
        print("       " + ", ".join(f"{id} {share:.2f}" for share, id in sorted(shares, reverse=True)[:4]))
        if found:
            add = best(partial(book_all, found), len(found))
            print(f"       book {add:.2f} us a finding")


def book_all(found: list[Finding]) -> None:
    """All findings into a fresh book."""
    book = AlertBook()
    for finding in found:
        book.add(finding, 0.0)


if __name__ == "__main__":
    main()
