"""Does a server fetch for a caller what is not its to give?"""

from abc import abstractmethod
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from msgspec.structs import replace

from mcpwatch.detect.addresses import inside, origin
from mcpwatch.detect.offered import Offered
from mcpwatch.detect.paths import SECRETS, SYSTEM, TRAVERSAL, climbs, is_file_uri, plain, resolved, trespass
from mcpwatch.detect.phrases import quote, subject_of
from mcpwatch.detect.recent import Recent
from mcpwatch.detect.refusals import came_through
from mcpwatch.detect.rule import Rule
from mcpwatch.detect.strings import strings
from mcpwatch.model.alerts import Finding, RuleInfo, Severity
from mcpwatch.model.traffic import Call, Direction, Observation
from mcpwatch.traffic.claims import fields

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

    kinds = ("request", "response", "message", "end")

    def __init__(self) -> None:
        self.offered = Offered()
        self._asked: Recent[str, Reach] = Recent(_OPEN)

    @abstractmethod
    def of_uri(self, seen: Observation, call: Call, uri: str) -> Reach | None:
        """What reading a resource reaches for."""

    @abstractmethod
    def of_text(self, seen: Observation, call: Call, text: str) -> Reach | None:
        """What a string among a call's arguments reaches for."""

    def observe(self, seen: Observation) -> Iterable[Finding]:
        if seen.kind == "request":
            for call in seen.opened:
                if call.direction is Direction.TO_SERVER:
                    reach = self._reach(seen, call)
                    if reach is not None:
                        self._asked.put(call.id, reach)
            return
        if not seen.updated:
            return
        self.offered.learn(seen)
        if not self._asked:
            return
        for call in seen.updated:
            reach = self._asked.pop(call.id) if call.ended is not None else None
            if reach is not None:
                yield self._tell(seen, call, reach)

    def _reach(self, seen: Observation, call: Call) -> Reach | None:
        if call.method == _READ:
            return self.of_uri(seen, call, call.target)
        if call.method in _TAKES:
            for text in _arguments(seen, call):
                reach = self.of_text(seen, call, text)
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


class LocalFileRead(ReachRule):
    """What a server lists it may give, and so what is beside it.

    Of tool arguments only files of secrets count and paths that hide where they climb: working on files is what many
    tools are for.
    """

    info = RuleInfo(
        id="discovery/local-file-read",
        title="Local file read",
        severity=Severity.HIGH,
        meaning="A server was asked for a file that it does not offer: beside its resources, of the system, or secret.",
        action="See what came back and change any secret in it. Let the server give out the files that it lists only.",
        references=("OWASP MCP05", "SAFE-T1105"),
    )

    def of_uri(self, seen: Observation, call: Call, uri: str) -> Reach | None:
        is_file = is_file_uri(uri)
        if not is_file and (not climbs(uri) or origin(uri)):
            return None
        offer = self.offered.of(seen.source, call.upstream)
        if offer is not None and uri in offer.uris:
            return None
        kind = trespass(uri, is_uri=True)
        if kind:
            return Reach(kind, f"{quote(uri)}, {_WHY[kind]}")
        if offer is None or not offer.is_listed or offer.holds(resolved(plain(uri))):
            return None
        return Reach("unlisted file", f"{quote(uri)}, which is beside all that the server lists")

    def of_text(self, seen: Observation, call: Call, text: str) -> Reach | None:
        kind = trespass(text, is_uri=False)
        return Reach(kind, f"{quote(text)}, {_WHY[kind]}") if kind else None


class Ssrf(ReachRule):
    """Server-side request forgery. An address counts however it is spelled; one that the server lists does not."""

    info = RuleInfo(
        id="discovery/ssrf",
        title="Inside address fetched",
        severity=Severity.HIGH,
        meaning="A server was asked to fetch from its own host or network, where the caller may not reach (SSRF).",
        action="See what came back. Let the server refuse such addresses; if a tool is meant for them, allow it.",
        references=("OWASP MCP05",),
    )

    def of_uri(self, seen: Observation, call: Call, uri: str) -> Reach | None:
        return self.of_text(seen, call, uri)

    def of_text(self, seen: Observation, call: Call, text: str) -> Reach | None:
        found = inside(text)
        if found is None:
            return None
        offer = self.offered.of(seen.source, call.upstream)
        at = origin(text)
        if offer is not None and (text in offer.uris or at in offer.origins):
            return None
        if seen.request is not None and at.partition("//")[2] == seen.request.authority:
            return None
        spelled = f", which is {found.address}" if found.address and found.address != found.host else ""
        return Reach(found.kind, f"{quote(text)}{spelled}, a {found.kind} address")


_WHY = {
    SECRETS: "a file that holds secrets",
    SYSTEM: "a file of the system",
    TRAVERSAL: "which climbs out of its folder",
}


def _arguments(seen: Observation, call: Call) -> Iterator[str]:
    """Strings in the arguments of a call that may be a path or an address."""
    messages = seen.messages
    message = messages[0] if len(messages) == 1 else next((one for one in messages if one.id == call.rpc_id), None)
    arguments = fields(message.params).get("arguments") if message is not None else None
    if type(arguments) is not dict:
        return
    left = _TEXTS
    for value in arguments.values():
        if type(value) is str:
            left -= 1
            if len(value) <= _LONGEST:
                yield value
        elif type(value) is dict or type(value) is list:
            for found in strings(value):
                left -= 1
                if left < 0:
                    return
                if len(found.text) <= _LONGEST:
                    yield found.text
        if left < 0:
            return
