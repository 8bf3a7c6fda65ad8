"""What a server is asked to fetch, and whether it does."""

from abc import abstractmethod
from collections.abc import Iterable
from itertools import islice
from typing import ClassVar, NamedTuple

from msgspec.structs import replace

from mcpwatch.detect.offered import Offered
from mcpwatch.detect.phrases import quote, subject_of
from mcpwatch.detect.recent import Recent
from mcpwatch.detect.refusals import came_through
from mcpwatch.detect.rule import ANY_CALL, Rule
from mcpwatch.detect.strings import texts
from mcpwatch.model.alerts import Finding, Severity
from mcpwatch.model.traffic import Call, EntryKind, Observation

_OPEN = 4_000
_TEXTS = 20_000
"""Strings of a call's arguments that are weighed."""
_LOOKS = 1_000
"""Of those, how many are looked at closely."""
_WORK = 64_000
"""Characters of those, as far as they matter."""
_READ = "resources/read"
_TAKES = frozenset({"tools/call", "prompts/get"})


class Reach(NamedTuple):
    """What a call reaches for."""

    kind: str
    """One word or two; a session has one alert for each kind."""
    what: str
    """As a phrase; quotes the caller."""
    severity: Severity = Severity.HIGH
    """Where the server does it."""


class ReachRule(Rule):
    """Base of the rules on what a server is asked to fetch.

    It counts for less where the server did not do it: somebody tried.
    """

    kinds: ClassVar[tuple[EntryKind, ...]] = ("request", "message", "end")
    methods: ClassVar[frozenset[str] | None] = ANY_CALL

    def __init__(self) -> None:
        self.offered = Offered(self.links)
        self._asked: Recent[str, tuple[Reach, ...]] = Recent(_OPEN)

    links: ClassVar[bool] = False
    """Whether what a result links to counts as offered."""

    @abstractmethod
    def weigh(self, text: str) -> int:
        """How many characters of an argument a closer look has to go through; 0 where it is not worth one."""

    @abstractmethod
    def of_uri(self, seen: Observation, call: Call, uri: str) -> Reach | None:
        """What reading a resource reaches for."""

    @abstractmethod
    def of_text(self, seen: Observation, call: Call, text: str) -> Reach | None:
        """What a string among a call's arguments reaches for."""

    def observe(self, seen: Observation) -> Iterable[Finding]:
        if seen.kind != "request":
            return self._answered(seen) if seen.updated else ()
        for call in seen.opened:
            if call.method in _TAKES:
                reaches = self._of_arguments(seen, call)
            elif call.method == _READ:
                reach = self.of_uri(seen, call, call.target)
                reaches = () if reach is None else (reach,)
            else:
                continue
            if reaches:
                self._asked.put(call.id, reaches)
        return ()

    def _answered(self, seen: Observation) -> list[Finding]:
        self.offered.learn(seen)
        found: list[Finding] = []
        if self._asked:
            for call in seen.updated:
                reaches = self._asked.pop(call.id) if call.ended is not None else None
                found += [self._tell(seen, call, reach) for reach in reaches or ()]
        return found

    def _of_arguments(self, seen: Observation, call: Call) -> tuple[Reach, ...]:
        """The first of each kind: one that is harmless must not stand before another."""
        found: dict[str, Reach] = {}
        looks, work = _LOOKS, _WORK
        for text in islice(_arguments(seen, call), _TEXTS):
            cost = self.weigh(text)
            if not cost:
                continue
            looks, work = looks - 1, work - cost
            if looks < 0 or work < 0:
                break
            reach = self.of_text(seen, call, text)
            if reach is not None:
                found.setdefault(reach.kind, reach)
        return tuple(found.values())

    def _tell(self, seen: Observation, call: Call, reach: Reach) -> Finding:
        did = came_through(seen, call)
        how = "answered" if did else f"not answered: {call.state.value}"
        by = "Asked" if call.method == _READ else f"{quote(call.target)} was asked"
        reason = f"{by} for {reach.what}; {how}."
        subject = f"{subject_of(seen)} ({reach.kind})"
        found = self.finding(seen, subject, reason, call.index, seen.index, call=call)
        return replace(found, severity=reach.severity if did else min(reach.severity, Severity.MEDIUM))


def _arguments(seen: Observation, call: Call) -> Iterable[str]:
    """Strings in the arguments of a call, and of all in its batch that go by its id."""
    said = [message.params for message in seen.messages if message.id == call.rpc_id]
    values = [params.get("arguments") for params in said if type(params) is dict]
    if len(values) == 1 and type(only := values[0]) is dict:
        flat = [value for value in only.values() if type(value) is str]
        if len(flat) == len(only):
            return flat
    return texts(values)
