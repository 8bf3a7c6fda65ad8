"""Calls as a tree, whatever the edges say."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from verdicts import unsigned

from mcpwatch.model.traffic import Call, Direction, Edge, EdgeKind
from mcpwatch.watch.chain import chain


def call(number: int, *edges: tuple[EdgeKind, int], session: str = "s") -> Call:
    """A call that began at second `number`."""
    parents = tuple(Edge(kind, str(parent), "why") for kind, parent in edges)
    return Call(
        str(number), number, number, "", "files", session, Direction.TO_SERVER, number, "tools/call", f"t{number}",
        float(number), unsigned(), parents=parents,
    )  # fmt: skip


def drawn(calls: list[Call], extra: tuple[Call, ...] = ()) -> list[str]:
    """What the tree looks like."""
    known = {each.id: each for each in (*calls, *extra)}
    return [f"{link.lead}{link.call.target}{'*' if link.guest else ''}" for link in chain(calls, known, "s")]


def test_firm_edges_make_branches() -> None:
    calls = [call(1), call(2, (EdgeKind.SIGNED, 1)), call(3, (EdgeKind.TRACED, 2)), call(4, (EdgeKind.PROTOCOL, 1))]
    assert drawn(calls) == ["t1", "├─ t2", "│  └─ t3", "└─ t4"]


def test_guesses_stand_beside_not_below() -> None:
    calls = [call(1), call(2, (EdgeKind.INFERRED, 1)), call(3, (EdgeKind.INFERRED, 2))]
    assert drawn(calls) == ["t1", "t2", "t3"]


def test_the_firmest_parent_wins() -> None:
    calls = [call(1), call(2), call(3, (EdgeKind.INFERRED, 2), (EdgeKind.SIGNED, 1))]
    assert drawn(calls) == ["t1", "└─ t3", "t2"]


def test_a_parent_in_another_session_is_a_guest() -> None:
    assert drawn([call(2, (EdgeKind.TRACED, 1))], (call(1, session="other"),)) == ["t1*", "└─ t2"]


def test_a_long_line_of_calls_is_no_staircase() -> None:
    calls = [call(0), *(call(number, (EdgeKind.INFERRED, number - 1)) for number in range(1, 3_000))]
    links = chain(calls, {each.id: each for each in calls}, "s")
    assert len(links) == 1_001 and all(not link.lead for link in links)


@given(st.lists(st.lists(st.tuples(st.sampled_from(EdgeKind), st.integers(0, 20)), max_size=3), max_size=20))
def test_every_call_is_drawn_once_and_no_circle_hides_any(edges: list[list[tuple[EdgeKind, int]]]) -> None:
    calls = [call(number, *each) for number, each in enumerate(edges)]
    shuffled = [msgspec.structs.replace(each) for each in calls]
    links = chain(shuffled, {each.id: each for each in shuffled}, "s")
    assert sorted(link.call.index for link in links) == list(range(len(calls)))
