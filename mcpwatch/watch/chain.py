"""Calls as a tree: what led to what, and how we know."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from mcpwatch.model.traffic import Call, Edge, EdgeKind
from mcpwatch.watch.edges import edges as tied

_MAX = 1_000
_DEPTH = 30


class Link(NamedTuple):
    """A call at its place in the tree."""

    call: Call
    lead: str
    """Branches drawn to the left of it."""
    edge: Edge | None
    """What ties it to the call above; None for the first of a chain."""
    guest: bool
    """It belongs to another session."""


def chain(calls: Iterable[Call], known: Mapping[str, Call], session: str) -> list[Link]:
    """The calls below what they follow from, oldest first; at most 1,000, the newest.

    A call with several parents stands under the one that is known most firmly. A parent in another session is a guest.
    """
    ours = list(calls)[-_MAX:]
    edges = {call.id: edge for call in ours if (edge := next(iter(tied(call, known)), None)) is not None}
    shown = {call.id: call for call in ours}
    for edge in list(edges.values()):
        shown.setdefault(edge.parent, known[edge.parent])
    children: dict[str, list[Call]] = {}
    for call in shown.values():
        parent = edges[call.id].parent if call.id in edges else ""
        children.setdefault(parent, []).append(call)
    for siblings in children.values():
        siblings.sort(key=lambda call: (call.started, call.index))
    links: list[Link] = []
    # A stack, not recursion: a session of a thousand calls may be one long line.
    waiting = [_Place(root, "", "") for root in reversed(children.get("", []))]
    while waiting:
        place = waiting.pop()
        links.append(Link(place.call, place.lead, edges.get(place.call.id), place.call.session != session))
        waiting.extend(reversed(list(_below(place, children.get(place.call.id, []), edges))))
    return links


class _Place(NamedTuple):
    call: Call
    lead: str
    level: str
    """What is drawn left of the calls beside it."""


def _below(place: _Place, calls: Sequence[Call], edges: Mapping[str, Edge]) -> Iterator[_Place]:
    firm = [call for call in calls if edges[call.id].kind is not EdgeKind.INFERRED]
    level = place.level[: 3 * _DEPTH]
    for at, call in enumerate(firm):
        last = at == len(firm) - 1
        yield _Place(call, level + ("└─ " if last else "├─ "), level + ("   " if last else "│  "))
    # A guess is drawn beside, not below: a day of calls one after the other is no staircase.
    for call in calls:
        if edges[call.id].kind is EdgeKind.INFERRED:
            yield _Place(call, place.level, place.level)
