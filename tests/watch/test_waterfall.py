"""The waterfall of a session: calls in the order they began, and lanes from what led to what."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from verdicts import unsigned

from mcpwatch.model.traffic import Call, Direction, Edge, EdgeKind
from mcpwatch.watch.waterfall import Fall, waterfall


def call(number: int, *edges: tuple[EdgeKind, int], session: str = "s", started: float | None = None) -> Call:
    """A call that began at second `number`."""
    parents = tuple(Edge(kind, str(parent), "why") for kind, parent in edges)
    began = float(number) if started is None else started
    return Call(
        str(number), number, number, "", "files", session, Direction.TO_SERVER, number, "tools/call", f"t{number}",
        began, unsigned(), parents=parents,
    )  # fmt: skip


def falls(calls: list[Call], extra: tuple[Call, ...] = (), most: int = 6) -> list[Fall]:
    """The waterfall of calls of session `s`."""
    return waterfall(calls, {each.id: each for each in (*calls, *extra)}, "s", most)


def drawn(calls: list[Call], extra: tuple[Call, ...] = (), most: int = 6) -> list[str]:
    """What it looks like."""
    return [f"{each.lanes} {each.call.target}{'*' if each.is_guest else ''}" for each in falls(calls, extra, most)]


SIGNED, TRACED, FLOW, GUESS = EdgeKind.SIGNED, EdgeKind.TRACED, EdgeKind.DATA_FLOW, EdgeKind.INFERRED


def test_a_call_has_a_lane_down_to_the_last_that_follows_from_it() -> None:
    calls = [call(1), call(2, (SIGNED, 1)), call(3), call(4, (TRACED, 1)), call(5)]
    assert drawn(calls) == ["┌ t1", "├ t2", "│ t3", "└ t4", "  t5"]


def test_one_after_the_other_goes_from_lane_to_lane_and_needs_but_two() -> None:
    calls = [call(1), *(call(number, (TRACED, number - 1)) for number in range(2, 6))]
    assert drawn(calls) == ["┌─ t1", "└┬ t2", "┌┴ t3", "└┬ t4", " └ t5"]


def test_a_call_that_follows_from_two_joins_both_lanes() -> None:
    calls = [call(1), call(2), call(3, (FLOW, 1), (FLOW, 2)), call(4, (FLOW, 2))]
    assert drawn(calls) == ["┌─ t1", "│┌ t2", "└┼ t3", " └ t4"]


def test_a_line_goes_under_lanes_that_only_pass() -> None:
    calls = [call(1), call(2), call(3, (FLOW, 1)), call(4, (FLOW, 2))]
    assert drawn(calls) == ["┌─ t1", "│┌ t2", "└│ t3", " └ t4"]
    assert [each.is_joined for each in falls(calls)] == [True] * 4


def test_a_guess_has_no_lane_and_is_told() -> None:
    last = falls([call(1), call(2, (GUESS, 1))])[-1]
    assert (last.lanes, last.is_joined) == ("", False)
    assert last.edge is not None and last.edge.kind is GUESS


def test_where_all_lanes_are_taken_a_call_has_none_and_the_edge_is_told() -> None:
    calls = [call(1), call(2), call(3, (FLOW, 2)), call(4, (FLOW, 1))]
    assert drawn(calls, most=1) == ["┌ t1", "│ t2", "│ t3", "└ t4"]
    assert falls(calls, most=1)[2].edge is not None


def test_what_a_call_follows_from_in_another_session_is_shown_at_its_time() -> None:
    assert drawn([call(2), call(3, (TRACED, 1))], (call(1, session="other"),)) == ["┌ t1*", "│ t2", "└ t3"]


def test_what_is_not_held_is_not_shown() -> None:
    assert drawn([call(3, (TRACED, 1))]) == [" t3"]


def test_a_session_of_two_thousand_calls_needs_no_more_lanes_than_are_allowed() -> None:
    calls = [call(0), *(call(number, (FLOW, number // 2)) for number in range(1, 2_000))]
    found = falls(calls)
    assert len(found) == 2_000 and all(len(each.lanes) == 6 for each in found)


edges = st.lists(st.tuples(st.sampled_from(EdgeKind), st.integers(0, 20)), max_size=3)
clocks = st.one_of(st.just(7.0), st.floats(-1e9, 1e9))


@given(st.lists(st.tuples(edges, clocks, st.sampled_from(["s", "other"])), max_size=20), st.integers(0, 5))
def test_every_call_has_one_place_in_order_and_lanes_of_one_width(
    told: list[tuple[list[tuple[EdgeKind, int]], float, str]], most: int
) -> None:
    calls = [call(number, *each, session=whose, started=at) for number, (each, at, whose) in enumerate(told)]
    ours = [each for each in calls if each.session == "s"]
    found = waterfall(ours, {each.id: each for each in calls}, "s", most)
    assert {each.call.id for each in found if not each.is_guest} == {each.id for each in ours}
    assert len({each.call.id for each in found}) == len(found)
    assert all((a.call.started, a.call.index) < (b.call.started, b.call.index) for a, b in pairwise(found))
    assert len({len(each.lanes) for each in found}) <= 1 and all(len(each.lanes) <= most for each in found)


@given(st.lists(edges, max_size=20), st.integers(1, 8))
def test_every_lane_begins_at_a_call_and_ends_at_one(told: list[list[tuple[EdgeKind, int]]], most: int) -> None:
    found = falls([call(number, *each) for number, each in enumerate(told)], most=most)
    for above, below in pairwise([" " * most, *(each.lanes.ljust(most) for each in found), " " * most]):
        for upper, lower in zip(above, below, strict=True):
            assert (upper in "│├┌┼┬") == (lower in "│├└┴┼")
