"""Does a server speak to the model behind the back of those who read along?"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from typing import NamedTuple

from msgspec.structs import replace

from mcpwatch.detect.definitions import subject, told
from mcpwatch.detect.instructions import Hit, Search, due, hits, hits_of_result, may_be_in_result, points
from mcpwatch.detect.phrases import quote, together, upstream_of
from mcpwatch.detect.recent import Recent
from mcpwatch.detect.rule import Rule
from mcpwatch.detect.strings import Found, Path, said, whole
from mcpwatch.model.alerts import Finding, RuleInfo, Severity
from mcpwatch.model.traffic import Observation, RpcMessage

_SERVERS = 1_000
_LEAST = 8
"""Characters; in fewer nobody says anything."""
_NAME = re.compile(r"[\w-]+")
_PARTS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|[_-]")
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
    methods = frozenset({"tools/list"}) | _INTRODUCES

    def __init__(self) -> None:
        self._introduced: Recent[tuple[str, str], bytes] = Recent(_SERVERS)

    def observe(self, seen: Observation) -> Iterable[Finding]:
        for each in told(seen):
            reason = _planted(each.texts, each.whole)
            if reason:
                yield self.finding(seen, subject(each.tool), f"The definition of {quote(each.tool.name)} {reason}.")
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
        return _planted([Found(Path(None, "instructions"), text)], text)


class PoisonedResult(Rule):
    """Weaker than in a definition: a web page about such attacks says the same words, so only the plainest count.

    Low where all of them are quoted, word for word.
    """

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
            return ()
        suspect = [message for message in seen.messages if may_be_in_result(whole(message))]
        return self._of_results(seen, suspect) if suspect else ()

    def _of_results(self, seen: Observation, messages: Iterable[RpcMessage]) -> Iterator[Finding]:
        for message in messages:
            found = points(
                hit for each in said(message) if len(each.text) > _LEAST for hit in hits_of_result(each.text)
            )
            if found:
                call = next(iter(seen.updated), None)
                name = (call.target or call.method) if call else message.method or "answer"
                reason = f"What {quote(name)} gave back {together(_told(found))}."
                shown = self.finding(seen, f"{name} results at {upstream_of(seen)}", reason)
                is_spoken_of = all(hit.is_quoted for hit in found.values())
                yield replace(shown, severity=Severity.LOW) if is_spoken_of else shown


def _planted(texts: Sequence[Found], whole: str) -> str:
    """What the texts of a definition do and where, as it follows the definition's name; empty where they are fair."""
    found = list(_hits(texts, due(whole)))
    kinds = points(planted.hit for planted in found)
    if not kinds:
        return ""
    where = dict.fromkeys(planted.where for planted in found if planted.hit in kinds.values())
    return f"{together(_told(kinds))}; in its {together(list(where)[:3])}"


def _hits(texts: Sequence[Found], searches: Sequence[Search]) -> Iterator[_Planted]:
    for each in texts if searches else ():
        if len(each.text) > _LEAST:
            for hit in hits(_in_words(each.text), searches):
                yield _Planted(hit, str(each.path)[:60])


def _in_words(text: str) -> str:
    """A name as words; any other text as it is."""
    return _PARTS.sub(" ", text) if _NAME.fullmatch(text) else text


def _told(kinds: Mapping[str, Hit]) -> list[str]:
    return [f"{does} ({quote(hit.words)})" for does, hit in kinds.items()]
