"""The replay window against a plain set."""

from hypothesis import given
from hypothesis import strategies as st

from mcpwatch.identity.replay import ReplayWindow

KEY = bytes(32)


def see(
    window: ReplayWindow, number: int, index: int, *, now: float = 0.0, source: str = ""
) -> tuple[int | None, bool]:
    sighting = window.see(KEY, b"m%d" % number, index, now, since=now - 360, source=source)
    return sighting.first, sighting.decidable


def test_first_and_again() -> None:
    window = ReplayWindow()
    assert see(window, 1, 10) == (None, True)
    assert see(window, 1, 10) == (None, True)
    assert see(window, 1, 11) == (10, True)
    assert see(window, 2, 12) == (None, True)


def test_an_earlier_request_that_is_judged_later_is_the_first() -> None:
    window = ReplayWindow()
    see(window, 1, 11)
    assert see(window, 1, 10) == (None, True)
    assert see(window, 1, 11) == (10, True)


def test_the_key_counts() -> None:
    window = ReplayWindow()
    window.see(KEY, b"m", 1, 0, since=0)
    assert window.see(b"\1" * 32, b"m", 2, 0, since=0).first is None


def test_feeds_are_told_apart() -> None:
    window = ReplayWindow()
    see(window, 1, 5, source="one")
    again = window.see(KEY, b"m1", 5, 0, since=0, source="two")
    assert (again.first, again.source) == (5, "one")
    assert see(window, 1, 5, source="one") == (None, True)


def test_what_was_forgotten_is_undecidable_for_a_while() -> None:
    window = ReplayWindow(4)
    for number in range(8):
        see(window, number, number, now=100.0 + number)
    assert window.forgotten_until == 103.0
    assert see(window, 0, 50, now=110.0) == (None, False)
    assert see(window, 99, 51, now=110.0) == (None, False)
    assert see(window, 98, 52, now=110.0 + 361) == (None, True)


def test_without_a_time_forgetting_is_for_ever() -> None:
    window = ReplayWindow(2)
    for number in range(6):
        see(window, number, number)
    assert window.see(KEY, b"x", 50, 1e12, since=None).decidable is False


@given(st.lists(st.integers(0, 30), max_size=200))
def test_nothing_is_forgotten_below_half_the_capacity(numbers: list[int]) -> None:
    window, firsts = ReplayWindow(64), dict[int, int]()
    for index, number in enumerate(numbers):
        first = firsts.setdefault(number, index)
        assert see(window, number, index) == (None if first == index else first, True)


@given(st.integers(1, 40), st.lists(st.integers(0, 60), max_size=200))
def test_forgetting_is_always_admitted(capacity: int, numbers: list[int]) -> None:
    window, firsts = ReplayWindow(capacity), dict[int, int]()
    for index, number in enumerate(numbers):
        seen_before = number in firsts
        firsts.setdefault(number, index)
        first, decidable = see(window, number, index)
        assert first is not None or not decidable or not seen_before
        assert first is None or first < index


def test_memory_is_fixed() -> None:
    window = ReplayWindow(1000)
    sizes = set()
    for number in range(5000):
        see(window, number, number)
        sizes.add((len(window._young.tags), len(window._old.tags)))
    assert len(sizes) == 1
