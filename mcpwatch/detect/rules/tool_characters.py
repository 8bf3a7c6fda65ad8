"""Does text from a server hold characters that nobody sees, or that act?"""

from collections.abc import Callable, Iterable, Iterator

from mcpwatch.detect.characters import acting, hidden, spell
from mcpwatch.detect.definitions import subject, told
from mcpwatch.detect.phrases import quote, some, upstream_of
from mcpwatch.detect.rule import Rule
from mcpwatch.detect.strings import said, strings
from mcpwatch.model.alerts import Finding, RuleInfo, Severity
from mcpwatch.model.traffic import Observation, RpcMessage, Tool


class TerminalEscapes(Rule):
    """A tool's definition and what it answers are two subjects: the one is planted, the other may be a log file."""

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
        if seen.tools:
            for tool, reason in _definitions(seen, acting):
                yield self.finding(seen, subject(tool), reason)
        for message in seen.messages:
            found = _characters(message, acting, but="tools" if seen.tools else "")
            if found:
                call = next(iter(seen.updated), None)
                name = (call.target or call.method) if call else message.method or "answer"
                reason = f"What {quote(name)} sent holds {spell(found)}."
                yield self.finding(seen, f"{name} results at {upstream_of(seen)}", reason)


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


def _characters(message: RpcMessage, search: Callable[[str], list[str]], but: str) -> list[str]:
    """What `search` finds in a message's payload, `but` what the result has under that name."""
    result = message.result
    if not (but and isinstance(result, dict)):
        return [char for each in said(message) for char in search(each.text)]
    parts = ({name: value for name, value in result.items() if name != but}, message.error, message.params)
    return [char for part in parts if part is not None for each in strings(part) for char in search(each.text)]
