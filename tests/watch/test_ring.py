"""The ring keeps the newest rows within its limits and finds them."""

from hypothesis import given
from hypothesis import strategies as st
from watched import Stage


@given(st.lists(st.integers(1, 400), max_size=60), st.integers(1, 20), st.integers(1, 2_000))
def test_the_ring_is_the_tail_of_all_rows_within_both_limits(sizes: list[int], max_rows: int, max_bytes: int) -> None:
    stage = Stage(max_rows=max_rows, max_bytes=max_bytes)
    rows = [stage.request(leaf=b"x" * size) for size in sizes]
    ring = stage.state.rows
    kept = list(ring)
    assert kept == rows[len(rows) - len(kept) :]
    assert ring.bytes == sum(len(row.entry.leaf) for row in kept)
    assert len(kept) <= max_rows and (ring.bytes <= max_bytes or len(kept) == 1)
    if len(kept) < len(rows):
        older = rows[len(rows) - len(kept) - 1]
        assert len(kept) == max_rows or ring.bytes + len(older.entry.leaf) > max_bytes
    assert stage.state.evicted == len(rows) - len(kept)
    for row in rows:
        held = row in kept
        assert (ring.get(row.seq) is row) == held
        assert (ring.find("", row.index) is row) == held


def test_since_gives_rows_by_their_place_in_the_order_of_arrival() -> None:
    stage = Stage(max_rows=5)
    rows = [stage.request() for _ in range(12)]
    ring = stage.state.rows
    assert ring.since(0) == rows[7:]
    assert ring.since(9) == rows[9:]
    assert ring.since(9, 11) == rows[9:11]
    assert ring.since(12) == []
    assert list(reversed(ring)) == rows[:6:-1]


def test_rows_of_two_feeds_with_one_index_are_told_apart() -> None:
    one, other = Stage(source="one"), Stage(source="other")
    other.state = one.state
    first, second = one.request("a"), other.request("b")
    assert first.index == second.index
    assert one.state.row(first.index, "one") is first
    assert one.state.row(first.index, "other") is second
    assert one.state.row(first.index) is None
