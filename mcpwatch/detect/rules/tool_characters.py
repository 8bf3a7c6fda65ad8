"""Does text from a server hold characters that nobody sees, or that act?"""

from collections.abc import Callable, Iterable, Iterator

from msgspec.structs import replace

from mcpwatch.detect.characters import acting, acting_in_output, hidden, spell
from mcpwatch.detect.definitions import subject, told
from mcpwatch.detect.phrases import quote, some, upstream_of
from mcpwatch.detect.rule import Rule
from mcpwatch.detect.strings import said, strings, whole
from mcpwatch.model.alerts import Finding, RuleInfo, Severity
from mcpwatch.model.tools import Tool
from mcpwatch.model.traffic import Observation, RpcMessage
from mcpwatch.traffic.dataflow import GIVES


class TerminalEscapes(Rule):
    """A tool's definition and what it answers are two subjects: the one is planted, the other may be a log file.

    So in what a tool gives, colours say nothing, and what programs print to show how far they are is low.
    """

    info = RuleInfo(
        id="tool/terminal-escapes",
        title="Terminal escapes",
        severity=Severity.HIGH,
        meaning="Text from a server holds characters that make a terminal act: hide text, move, type keys.",
        action="Do not print it with other programs. In a definition it is an attack; in a result ask what made it.",
        references=("Trail of Bits: ANSI escapes",),
    )
    kinds = ("message",)

    def observe(self, seen: Observation) -> Iterable[Finding]:
        suspect = [message for message in seen.messages if acting(whole(message))]
        return self._looked_at(seen, suspect) if suspect or seen.tools else ()

    def _looked_at(self, seen: Observation, messages: Iterable[RpcMessage]) -> Iterator[Finding]:
        if seen.tools:
            for tool, reason in _definitions(seen, acting):
                yield self.finding(seen, subject(tool), reason)
        for message in messages:
            texts = [text for text in _texts(message, "tools" if seen.tools else "") if acting(text)]
            if not texts:
                continue
            call = next(iter(seen.updated), None)
            found, is_grave = _weighed(texts, is_output=call is None or call.method in GIVES)
            if found:
                name = (call.target or call.method) if call else message.method or "answer"
                reason = f"What {quote(name)} sent holds {spell(found)}."
                shown = self.finding(seen, f"{name} results at {upstream_of(seen)}", reason)
                yield shown if is_grave else replace(shown, severity=Severity.LOW)


class HiddenCharacters(Rule):
    info = RuleInfo(
        id="tool/hidden-characters",
        title="Hidden characters",
        severity=Severity.HIGH,
        meaning="The definition holds characters that a person does not see and a model reads.",
        action="Read the definition with the characters made visible. Keep agents away until its author explains.",
        references=("SAFE-T1402", "SAFE-T1501", "ATLAS T0068"),
    )
    kinds = ("message",)
    methods = frozenset({"tools/list"})

    def observe(self, seen: Observation) -> Iterable[Finding]:
        for tool, reason in _definitions(seen, hidden):
            yield self.finding(seen, subject(tool), reason)


def _definitions(seen: Observation, search: Callable[[str], list[str]]) -> Iterator[tuple[Tool, str]]:
    """Tools listed for the first time or anew whose definition holds what `search` finds, and the reason."""
    for each in told(seen):
        hits = [(hit.path, found) for hit in each.texts if (found := search(hit.text))] if search(each.whole) else []
        if hits:
            where = some([path for path, _ in hits])
            holds = spell([char for _, found in hits for char in found])
            yield each.tool, f"{quote(each.tool.name)} holds {holds}; in its {where}."


def _weighed(texts: Iterable[str], *, is_output: bool) -> tuple[list[str], bool]:
    """What acts in texts, and whether it is grave; in the output of a program not all of it is."""
    if not is_output:
        return [char for text in texts for char in acting(text)], True
    weighed = [acting_in_output(text) for text in texts]
    return [char for found, _ in weighed for char in found], any(is_grave for _, is_grave in weighed)


def _texts(message: RpcMessage, but: str) -> Iterable[str]:
    """The strings of a message, `but` those that the result has under that name."""
    result = message.result
    if not (but and isinstance(result, dict)):
        return [each.text for each in said(message)]
    parts = ({name: value for name, value in result.items() if name != but}, message.error, message.params)
    return [each.text for part in parts if part is not None for each in strings(part)]
