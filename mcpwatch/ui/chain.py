"""Calls as a tree: what led to what, and how we know."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from mcpwatch.model.traffic import Call, Edge, EdgeKind

_MAX = 1_000
_DEPTH = 30
_FIRMNESS = {kind: at for at, kind in enumerate(EdgeKind)}


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
    edges = {call.id: edge for call in ours if (edge := _firmest(call, known)) is not None}
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
    for root in children.get("", []):
        _grow(root, "", "", edges, children, session, links, 0)
    return links


def _grow(
    call: Call,
    lead: str,
    below: str,
    edges: Mapping[str, Edge],
    children: Mapping[str, list[Call]],
    session: str,
    links: list[Link],
    depth: int,
) -> None:
    links.append(Link(call, lead, edges.get(call.id), call.session != session))
    if depth >= _DEPTH:
        return
    below_here = children.get(call.id, [])
    for at, child in enumerate(below_here):
        last = at == len(below_here) - 1
        _grow(
            child,
            below + ("└─ " if last else "├─ "),
            below + ("   " if last else "│  "),
            edges,
            children,
            session,
            links,
            depth + 1,
        )


def _firmest(call: Call, known: Mapping[str, Call]) -> Edge | None:
    edges = [edge for edge in call.parents if edge.parent in known and edge.parent != call.id]
    # A call follows only from one that began no later, so that the tree has no circle whatever the wire says.
    edges = [
        edge for edge in edges if (known[edge.parent].started, known[edge.parent].index) < (call.started, call.index)
    ]
    return min(edges, key=lambda edge: _FIRMNESS[edge.kind], default=None)
