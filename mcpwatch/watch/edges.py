"""What ties a call to those before it, as far as those are held."""

from collections.abc import Mapping

from mcpwatch.model.traffic import Call, Edge, EdgeKind

_FIRMNESS = {kind: at for at, kind in enumerate(EdgeKind)}


def edges(call: Call, known: Mapping[str, Call]) -> list[Edge]:
    """The edges to calls that are known and began no later, the firmest first.

    Whatever the wire says, they make no circle.
    """
    if not call.parents:
        return []
    place = (call.started, call.index)
    found = [
        edge
        for edge in call.parents
        if (parent := known.get(edge.parent)) is not None and (parent.started, parent.index) < place
    ]
    found.sort(key=lambda edge: _FIRMNESS[edge.kind])
    return found


def firm(call: Call, known: Mapping[str, Call]) -> list[Edge]:
    """Those of them that are known and not guessed."""
    return [edge for edge in edges(call, known) if edge.kind is not EdgeKind.INFERRED]
