"""What led to a call: the calls before it, by what is known and not by what is guessed."""

from collections.abc import Callable, Iterable
from typing import NamedTuple

from mcpwatch.detect.injections import is_prose
from mcpwatch.detect.phrases import cut
from mcpwatch.detect.recent import Recent
from mcpwatch.model.tools import ToolClass
from mcpwatch.model.traffic import Call, DataFlow, Direction, Edge, EdgeKind, Observation, ValueKind

MAX_CALLS = 10_000
MAX_STEPS = 64
"""Calls looked at behind one."""

_INFERRED, _TO_SERVER = EdgeKind.INFERRED, Direction.TO_SERVER
_NAME = 60
_NOTHING: frozenset[ToolClass] = frozenset()

ADDRESSES = frozenset({ValueKind.URL, ValueKind.MAIL})
PRIVATE = frozenset({ToolClass.FILE, ToolClass.SQL, ToolClass.SECRETS, ToolClass.PEOPLE})
"""What is not meant for everybody."""


class Parent(NamedTuple):
    """A call that led to another."""

    call: Call
    by_value: bool
    """Every step from there is a value that one call gave and the next took."""


class Learnt(NamedTuple):
    """A call, and what its chain reaches."""

    call: Call
    before: frozenset[ToolClass]
    """By the calls that led to it, when it was learnt."""
    parents: tuple[Edge, ...]
    """At that time; a verdict that comes late may bring others."""
    flows: tuple[DataFlow, ...]

    @property
    def reached(self) -> frozenset[ToolClass]:
        """By it and the calls before it."""
        return self.before.union(self.call.classes)


class Lineage:
    """The newest calls of clients that reach something or follow from another, to be asked what led to one of them."""

    def __init__(self, limit: int = MAX_CALLS) -> None:
        self._calls: Recent[str, Learnt] = Recent(limit)

    def learn(self, seen: Observation) -> list[Learnt]:
        """Take note of the calls that a request opens; returns those, on another verdict only what it changed."""
        learnt: list[Learnt] = []
        if not seen.opened:
            return learnt
        for call in seen.opened:
            if call.direction is not _TO_SERVER or not (call.classes or call.flows or _is_led(call)):
                continue
            known = self._calls.get(call.id) if seen.rejudged else None
            if known is not None and (known.parents, known.flows) == (call.parents, call.flows):
                continue
            led = (self._calls.get(id) for id in led_by(call))
            before = _NOTHING.union(*(parent.reached for parent in led if parent is not None))
            learnt.append(self._calls.put(call.id, Learnt(call, before, call.parents, call.flows)))
        return learnt

    def find(self, id: str) -> Call | None:
        """A call that is held."""
        learnt = self._calls.get(id)
        return None if learnt is None else learnt.call

    def before(self, call: Call) -> list[Parent]:
        """The calls that led to this one, in the order they were made."""
        found: dict[str, Parent] = {}
        for by_value, parents in ((True, values_from), (False, led_by)):
            for other in self._walk(call, parents):
                found.setdefault(other.id, Parent(other, by_value))
        return sorted(found.values(), key=lambda parent: parent.call.index)

    def fed(self, call: Call) -> list[Call]:
        """The calls of which a value came to this one, itself or passed on, in the order they were made."""
        return sorted(self._walk(call, values_from), key=lambda other: other.index)

    def aiming(self, call: Call) -> set[str]:
        """The calls of which a value is the address that a call goes to, and not a link in what it says."""
        found: set[str] = set()
        for flow in call.flows:
            if flow.kind in ADDRESSES and not is_prose(flow.argument):
                given = self.find(flow.parent)
                found |= {flow.parent} if given is None else {flow.parent, *(one.id for one in self.fed(given))}
        return found

    def aimed(self, call: Call) -> bool:
        """Whether content that anybody may have written says where a call goes."""
        return any((one := self.find(id)) is not None and has(one, (ToolClass.FETCH,)) for id in self.aiming(call))

    def _walk(self, call: Call, parents: Callable[[Call], Iterable[str]]) -> Iterable[Call]:
        known, waiting = {call.id}, list(parents(call))
        for id in waiting:
            if id not in known and len(known) <= MAX_STEPS and (other := self.find(id)) is not None:
                known.add(id)
                waiting.extend(parents(other))
                yield other


def values_from(call: Call) -> list[str]:
    """The calls whose values it takes."""
    return [flow.parent for flow in call.flows]


def led_by(call: Call) -> list[str]:
    """The calls that are known to have led to it."""
    edges = [edge.parent for edge in call.parents if edge.parent and edge.kind is not EdgeKind.INFERRED]
    return [*edges, *values_from(call)]


def _is_led(call: Call) -> bool:
    """Whether a call is known to follow from another, which is more than a guess."""
    known = False
    for edge in call.parents:
        known = known or edge.kind is not _INFERRED
    return known


def has(call: Call, classes: Iterable[ToolClass]) -> bool:
    """Whether a call reaches something of these classes."""
    return not frozenset(classes).isdisjoint(call.classes)


def named(call: Call) -> str:
    """A call in a path: what it calls, and where."""
    return f"{cut(call.target or call.method, _NAME)} at {cut(call.upstream, _NAME)}"


def path(calls: Iterable[Call]) -> str:
    """Calls one after the other, with what each reaches and its entry."""
    return " → ".join(f"{named(call)} ({', '.join(call.classes) or 'no class'}; entry {call.index})" for call in calls)
