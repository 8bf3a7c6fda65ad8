"""Does a server speak to the model behind the back of those who read along?"""

from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256
from typing import NamedTuple

from mcpwatch.detect.definitions import subject, told
from mcpwatch.detect.instructions import Hit, hits, hits_of_result, points
from mcpwatch.detect.phrases import quote, together, upstream_of
from mcpwatch.detect.recent import Recent
from mcpwatch.detect.rule import Rule
from mcpwatch.detect.strings import said, strings
from mcpwatch.model.alerts import Finding, RuleInfo, Severity
from mcpwatch.model.entries import Json
from mcpwatch.model.traffic import Observation, RpcMessage

_SERVERS = 1_000
_LEAST = 8
"""Characters; in fewer nobody says anything."""
_INTRODUCES = frozenset({"initialize", "server/discover"})


class _Planted(NamedTuple):
    hit: Hit
    where: str


class Poisoned(Rule):
    """Looks at a text once, as it is listed or changes, so that honest repetition costs nothing."""

    info = RuleInfo(
        id="tool/poisoned",
        title="Poisoned tool",
        severity=Severity.HIGH,
        meaning="A definition, or what a server says of itself, gives the model orders that have nothing to do with "
        "the tool, or hides what it says.",
        action="Read the definition in 5 Tools. Keep agents away from the server until its author explains.",
        references=("OWASP MCP03", "SAFE-T1001", "SAFE-T1401", "SAFE-T1501", "ATLAS T0110"),
    )
    kinds = ("message",)

    def __init__(self) -> None:
        self._introduced: Recent[tuple[str, str], bytes] = Recent(_SERVERS)

    def observe(self, seen: Observation) -> Iterable[Finding]:
        for change in told(seen):
            reason = _planted(change.tool.definition)
            if reason:
                yield self.finding(seen, subject(change.tool), f"The definition of {quote(change.tool.name)} {reason}.")
        if any(call.method in _INTRODUCES for call in seen.updated):
            for message in seen.messages:
                reason = self._introduction(seen, message)
                if reason:
                    upstream = upstream_of(seen)
                    yield self.finding(seen, f"instructions of {upstream}", f"What {upstream} says of itself {reason}.")

    def _introduction(self, seen: Observation, message: RpcMessage) -> str:
        text = message.result.get("instructions") if isinstance(message.result, dict) else None
        if not isinstance(text, str):
            return ""
        server, digest = (seen.source, upstream_of(seen)), sha256(text.encode(errors="surrogatepass")).digest()
        if self._introduced.get(server) == digest:
            return ""
        self._introduced.put(server, digest)
        return _planted({"instructions": text})


class PoisonedResult(Rule):
    """Weaker than in a definition: a web page about such attacks says the same words, so only the plainest count."""

    info = RuleInfo(
        id="tool/poisoned-result",
        title="Instructions in result",
        severity=Severity.MEDIUM,
        meaning="What a tool gave back speaks to the model: to set its instructions aside, or to keep something from "
        "its user.",
        action="See where the text comes from, and what the agent called next.",
        references=("OWASP MCP06", "SAFE-T1102", "ATLAS T0051.001"),
    )
    kinds = ("message",)

    def observe(self, seen: Observation) -> Iterable[Finding]:
        if seen.tools:
            return
        for message in seen.messages:
            found = points(
                hit for each in said(message) if len(each.text) > _LEAST for hit in hits_of_result(each.text)
            )
            if found:
                call = next(iter(seen.updated), None)
                name = (call.target or call.method) if call else message.method or "answer"
                reason = f"What {quote(name)} gave back {together(_told(found))}."
                yield self.finding(seen, f"{name} results at {upstream_of(seen)}", reason)


def _planted(value: Json) -> str:
    """What text in a definition does and where, as it follows the definition's name; empty where it is fair."""
    found = list(_hits(value))
    kinds = points(planted.hit for planted in found)
    if not kinds:
        return ""
    where = dict.fromkeys(planted.where for planted in found if planted.hit in kinds.values())
    return f"{together(_told(kinds))}; in its {together(list(where)[:3])}"


def _hits(value: Json) -> Iterator[_Planted]:
    for each in strings(value):
        if len(each.text) > _LEAST:
            for hit in hits(each.text if " " in each.text else each.text.replace("_", " ")):
                yield _Planted(hit, str(each.path)[:60])


def _told(kinds: Mapping[str, Hit]) -> list[str]:
    return [f"{does} ({quote(hit.words)})" for does, hit in kinds.items()]
