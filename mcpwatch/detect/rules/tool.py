"""What do tools hide?"""

from collections.abc import Callable, Iterable, Iterator

import msgspec

from mcpwatch.detect.characters import acting, hidden, spell
from mcpwatch.detect.phrases import cut, excerpts, quote, some, upstream_of
from mcpwatch.detect.rule import Rule
from mcpwatch.detect.strings import strings
from mcpwatch.model.alerts import Finding, RuleInfo, Severity
from mcpwatch.model.entries import Json
from mcpwatch.model.traffic import Observation, RpcMessage, Tool

_FIELD = 40


class DefinitionChanged(Rule):
    info = RuleInfo(
        id="tool/definition-changed",
        title="Tool changed",
        severity=Severity.CRITICAL,
        meaning="A server offers a tool under the same name with another definition than before. "
        "An agent that trusted the first now follows the second.",
        action="Read what changed: 5 Tools shows the change. "
        "If it is not a release you know of, take the server out of use.",
        references=("SAFE-T1201", "ATLAS T0109"),
    )
    kinds = ("message",)

    def observe(self, seen: Observation) -> Iterable[Finding]:
        for change in seen.tools:
            if change.is_changed:
                tool = change.tool
                reason = f"{_changes(tool)}; first listed by entry {tool.first_seen}."
                yield self.finding(seen, _subject(tool), reason, tool.first_seen, seen.index)


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
                yield self.finding(seen, _subject(tool), reason)
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
            yield self.finding(seen, _subject(tool), reason)


def _definitions(seen: Observation, search: Callable[[str], list[str]]) -> Iterator[tuple[Tool, str]]:
    """Tools listed for the first time or anew whose definition holds what `search` finds, and the reason."""
    for change in seen.tools:
        if not (change.is_new or change.is_changed):
            continue
        hits = [(hit.path, found) for hit in strings(change.tool.definition) if (found := search(hit.text))]
        if hits:
            where = some([path for path, _ in hits])
            holds = spell([char for _, found in hits for char in found])
            yield change.tool, f"{quote(change.tool.name)} holds {holds}; in its {where}."


def _characters(message: RpcMessage, search: Callable[[str], list[str]], but: str) -> list[str]:
    """What `search` finds in a message's payload, `but` what the result has under that name."""
    result = message.result
    if but and isinstance(result, dict):
        result = {name: value for name, value in result.items() if name != but}
    parts = (result, message.error, message.params)
    return [char for part in parts if part is not None for hit in strings(part) for char in search(hit.text)]


def _changes(tool: Tool) -> str:
    """The top-level fields that differ from the definition before, with what the first of them said and says."""
    if tool.previous is None:
        return f"{quote(tool.name)} comes back changed; of the definition before, only the digest is still held"
    old: Json = tool.previous if isinstance(tool.previous, dict) else {}
    new: Json = tool.definition if isinstance(tool.definition, dict) else {}
    missing = object()
    fields = [key for key in {**old, **new} if old.get(key, missing) != new.get(key, missing)]
    if not fields:
        return f"The definition of {quote(tool.name)} changed"
    before, after = excerpts(_said(old, fields[0]), _said(new, fields[0]))
    excerpt = f"{quote(before)} → {quote(after)}"
    of = f"{cut(fields[0], _FIELD)} " if len(fields) > 1 else ""
    return f"{some(fields)} of {quote(tool.name)} changed: {of}{excerpt}"


def _said(definition: Json, field: str) -> str:
    """What a definition has under a name, as text; empty where it has nothing."""
    value = definition.get(field, "")
    try:
        return value if isinstance(value, str) else msgspec.json.encode(value).decode()
    except UnicodeEncodeError:
        # Half a surrogate pair, which UTF-8 cannot carry.
        return repr(value)


def _subject(tool: Tool) -> str:
    return f"{tool.name} at {tool.upstream}"


TOOL: tuple[type[Rule], ...] = (DefinitionChanged, TerminalEscapes, HiddenCharacters)
