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
from mcpwatch.detect.rule import Rule
from mcpwatch.detect.strings import strings
from mcpwatch.model.alerts import Finding, Severity
from mcpwatch.model.traffic import Call, Observation

_OPEN = 4_000
_TEXTS = 1_000
"""Strings looked at in the arguments of a call."""
_LONGEST = 2_048
_READ = "resources/read"
_TAKES = frozenset({"tools/call", "prompts/get"})


class Reach(NamedTuple):
    """What a call reaches for."""

    kind: str
    """One word or two; a session has one alert for each kind."""
    what: str
    """As a phrase; quotes the caller."""


class ReachRule(Rule):
    """Base of the rules on what a server is asked to fetch.

    It counts for less where the server did not do it: somebody tried.
    """

    kinds = ("request", "message", "end")

    def __init__(self) -> None:
        self.offered = Offered(self.links)
        self._asked: Recent[str, Reach] = Recent(_OPEN)

    links: ClassVar[bool] = False
    """Whether what a result links to counts as offered."""

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
                reach = self._of_arguments(seen, call)
            elif call.method == _READ:
                reach = self.of_uri(seen, call, call.target)
            else:
                continue
            if reach is not None:
                self._asked.put(call.id, reach)
        return ()

    def _answered(self, seen: Observation) -> list[Finding]:
        self.offered.learn(seen)
        found: list[Finding] = []
        if self._asked:
            for call in seen.updated:
                reach = self._asked.pop(call.id) if call.ended is not None else None
                if reach is not None:
                    found.append(self._tell(seen, call, reach))
        return found

    def _of_arguments(self, seen: Observation, call: Call) -> Reach | None:
        for text in _arguments(seen, call):
            reach = self.of_text(seen, call, text) if len(text) <= _LONGEST else None
            if reach is not None:
                return reach
        return None

    def _tell(self, seen: Observation, call: Call, reach: Reach) -> Finding:
        did = came_through(seen, call)
        how = "answered" if did else f"not answered: {call.state.value}"
        by = "Asked" if call.method == _READ else f"{quote(call.target)} was asked"
        reason = f"{by} for {reach.what}; {how}."
        subject = f"{subject_of(seen)} ({reach.kind})"
        found = self.finding(seen, subject, reason, call.index, seen.index, call=call)
        return found if did else replace(found, severity=Severity.MEDIUM)


def _arguments(seen: Observation, call: Call) -> Iterable[str]:
    """Strings in the arguments of a call."""
    messages = seen.messages
    message = messages[0] if len(messages) == 1 else next((one for one in messages if one.id == call.rpc_id), None)
    params = message.params if message is not None else None
    arguments = params.get("arguments") if type(params) is dict else None
    if type(arguments) is not dict:
        return ()
    values = arguments.values()
    for value in values:
        if type(value) is not str:
            return (found.text for found in islice(strings(arguments), _TEXTS))
    return values
