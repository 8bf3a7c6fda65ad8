"""Signed edges: a call's receipt names the receipt of the call before it, or else the trace that both belong to.

Only receipts that are proven here count, so edges come and go with their verdicts, and end up the same whenever a
verdict comes. What they leave no room for is set aside: guesses, and weaker edges to the same call.
"""

from bisect import bisect_left, bisect_right, insort
from collections import OrderedDict

from msgspec import Struct

from mcpwatch.model.identity import Receipt
from mcpwatch.model.traffic import Call, Edge, EdgeKind
from mcpwatch.traffic.records import good_signer

_SIGNED, _INFERRED = EdgeKind.SIGNED, EdgeKind.INFERRED


class _Held(Struct):
    """A call with its proven receipt."""

    call: Call
    receipt: Receipt
    signer: str
    aside: tuple[Edge, ...] = ()
    """Edges that the signed one left no room for."""


class Receipts:
    """The proven receipts of one feed, the newest `limit`; edges of older calls stay as they are."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._held: OrderedDict[str, _Held] = OrderedDict()
        """By call id."""
        self._first: dict[str, _Held] = {}
        """By receipt id, the call that brought it first."""
        self._children: dict[str, dict[str, _Held]] = {}
        """By the id of the receipt they name, then by call id."""
        self._traces: dict[str, list[_Held]] = {}
        """By trace id, in the order of the log."""

    def judged(self, call: Call) -> None:
        """Bring the edges of a call, and of those that follow from it, up to its verdict."""
        receipt = call.verdict.receipt
        if receipt is None and not self._held:
            return
        signer = good_signer(call.verdict)
        known = self._held.get(call.id)
        if receipt is None or signer is None:
            if known is not None:
                self._drop(known)
        elif known is None or (known.receipt, known.signer) != (receipt, signer.id):
            if known is not None:
                self._drop(known)
            self._add(_Held(call, receipt, signer.id))

    def _add(self, held: _Held) -> None:
        receipt = held.receipt
        self._held[held.call.id] = held
        if len(self._held) > self._limit:
            self._forget(next(iter(self._held.values())))
        first = self._first.setdefault(receipt.id, held)
        if held.call.index < first.call.index:
            self._first[receipt.id] = held
        if receipt.parent_id:
            self._children.setdefault(receipt.parent_id, {})[held.call.id] = held
        if receipt.trace_id:
            insort(self._traces.setdefault(receipt.trace_id, []), held, key=_by_index)
        for other in (held, *self._followers(held)):
            self._link(other)

    def _drop(self, held: _Held) -> None:
        followers = self._followers(held)
        self._forget(held)
        held.call.parents = (*held.aside, *_unsigned(held.call))
        for other in followers:
            self._link(other)

    def _forget(self, held: _Held) -> None:
        receipt = held.receipt
        self._held.pop(held.call.id, None)
        if self._first.get(receipt.id) is held:
            del self._first[receipt.id]
        if receipt.parent_id:
            children = self._children[receipt.parent_id]
            del children[held.call.id]
            if not children:
                del self._children[receipt.parent_id]
        if receipt.trace_id:
            trace = self._traces[receipt.trace_id]
            del trace[bisect_left(trace, held.call.index, key=_by_index)]
            if not trace:
                del self._traces[receipt.trace_id]

    def _followers(self, held: _Held) -> list[_Held]:
        """The calls whose signed edge may lead to this one."""
        trace = self._traces.get(held.receipt.trace_id, [])
        after = bisect_right(trace, held.call.index, key=_by_index)
        children = self._children.get(held.receipt.id, {}).values()
        return [other for other in (*children, *trace[after : after + 1]) if other is not held]

    def _link(self, held: _Held) -> None:
        """Give a call the signed edge that it is to have by what is known."""
        edge = self._edge(held)
        others = (*held.aside, *_unsigned(held.call))
        if edge is None:
            held.aside, held.call.parents = (), others
            return
        kept = tuple(other for other in others if other.kind is not _INFERRED and other.parent != edge.parent)
        held.aside = tuple(other for other in others if other not in kept)
        held.call.parents = (edge, *kept)

    def _edge(self, held: _Held) -> Edge | None:
        receipt = held.receipt
        if receipt.parent_id:
            parent = self._first.get(receipt.parent_id)
            if parent is None or parent.call.index >= held.call.index:
                return Edge(
                    _SIGNED, "", "its receipt names this one, which no earlier call proves here", receipt.parent_id
                )
            return Edge(_SIGNED, parent.call.id, f"its receipt names this call's{_whose(parent, held)}")
        trace = self._traces.get(receipt.trace_id, [])
        place = bisect_left(trace, held.call.index, key=_by_index)
        if place == 0:
            return None
        before = trace[place - 1]
        return Edge(_SIGNED, before.call.id, f"the receipt before in trace {receipt.trace_id}{_whose(before, held)}")


def _unsigned(call: Call) -> tuple[Edge, ...]:
    return tuple(edge for edge in call.parents if edge.kind is not _SIGNED)


def _whose(parent: _Held, child: _Held) -> str:
    return f", which {parent.signer} signed" if parent.signer != child.signer else ""


def _by_index(held: _Held) -> int:
    return held.call.index
