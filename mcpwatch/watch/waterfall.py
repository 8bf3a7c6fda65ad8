"""The calls of a session in the order they began, with lanes beside them that lead from call to call."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from mcpwatch.model.traffic import Call, Edge, EdgeKind
from mcpwatch.watch.edges import edges

_TURNS = {
    (True, False, False): "└",
    (True, True, False): "├",
    (False, True, False): "┌",
    (True, False, True): "┴",
    (True, True, True): "┼",
    (False, True, True): "┬",
}
"""A lane that a line to the right joins, by whether the lane comes from above, goes on below, and lies in the line."""
_JOINTS = frozenset(_TURNS.values())


class Fall(NamedTuple):
    """A call at its place in the waterfall."""

    call: Call
    lanes: str
    """What is drawn left of it, as wide for every call."""
    edge: Edge | None
    """What ties it most firmly to a call before."""
    is_guest: bool
    """It belongs to another session, and something here follows from it."""

    @property
    def is_joined(self) -> bool:
        """Whether a line comes to it from the lanes."""
        return not _JOINTS.isdisjoint(self.lanes)


def waterfall(calls: Iterable[Call], known: Mapping[str, Call], session: str, most: int) -> list[Fall]:
    """The calls, and those of other sessions that they follow from; at most `most` lanes are drawn.

    A call from which others follow has a lane, down to the last of them; where all are taken it has none. What is
    guessed has no lanes, for a guess ties each call to the one before.
    """
    shown = {call.id: call for call in calls}
    tied = {call.id: found for call in shown.values() if (found := edges(call, known))}
    guests = {
        edge.parent: known[edge.parent]
        for found in tied.values()
        for edge in found
        if edge.kind is not EdgeKind.INFERRED and edge.parent not in shown
    }
    shown |= guests
    for guest in guests.values():
        if found := edges(guest, shown):
            tied[guest.id] = found
    firm = {
        id: parents
        for id, found in tied.items()
        if (parents := [edge.parent for edge in found if edge.kind is not EdgeKind.INFERRED])
    }
    order = sorted(shown.values(), key=lambda call: (call.started, call.index))
    drawn = _lanes([call.id for call in order], firm, most)
    used = max(map(len, drawn), default=0)
    return [
        Fall(call, _widened(lanes, used), tied[call.id][0] if call.id in tied else None, call.session != session)
        for call, lanes in zip(order, drawn, strict=True)
    ]


def _lanes(ids: Sequence[str], parents: Mapping[str, Sequence[str]], most: int) -> list[str]:
    last = {parent: at for at, id in enumerate(ids) for parent in parents.get(id, ())}
    owners: list[str] = []
    """By lane, the call that has it; empty where none has."""
    drawn: list[str] = []
    for at, id in enumerate(ids):
        given = parents.get(id, ())
        joins = {lane for lane, owner in enumerate(owners) if owner and owner in given}
        ends = {lane for lane in joins if last[owners[lane]] == at}
        own = _take(owners, id, most) if id in last else None
        drawn.append(_draw(owners, joins, ends, own) if joins or own is not None else _passing(owners))
        for lane in ends:
            owners[lane] = ""
        while owners and not owners[-1]:
            owners.pop()
    return drawn


def _take(owners: list[str], id: str, most: int) -> int | None:
    """The first lane that is free; None where all are taken."""
    lane = next((lane for lane, owner in enumerate(owners) if not owner), len(owners))
    if lane >= most:
        return None
    owners[lane:] = [id, *owners[lane + 1 :]]
    return lane


def _draw(owners: Sequence[str], joins: set[int], ends: set[int], own: int | None) -> str:
    turns = joins if own is None else {*joins, own}
    first = min(turns)
    cells = []
    for lane, owner in enumerate(owners):
        if lane in turns:
            cells.append(_TURNS[lane in joins, lane == own or lane not in ends, lane > first])
        elif owner:
            cells.append("│")
        else:
            cells.append("─" if lane > first else " ")
    return "".join(cells)


def _passing(owners: Sequence[str]) -> str:
    return "".join("│" if owner else " " for owner in owners)


def _widened(lanes: str, cells: int) -> str:
    """A line to the call goes on to the right edge, under lanes that only pass."""
    return lanes.ljust(cells, " " if _JOINTS.isdisjoint(lanes) else "─")
