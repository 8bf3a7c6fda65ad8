"""Does a tool stay what it was?"""

import re
from collections.abc import Iterable
from datetime import UTC, datetime

import msgspec

from mcpwatch.detect.definitions import annotations, subject, told
from mcpwatch.detect.phrases import cut, excerpts, quote, some, together
from mcpwatch.detect.rule import Rule
from mcpwatch.model.alerts import Finding, RuleInfo, Severity
from mcpwatch.model.entries import Json
from mcpwatch.model.tools import Tool
from mcpwatch.model.traffic import Observation
from mcpwatch.traffic.tool_class import restriction, words_of

_FIELD = 40


class DefinitionChanged(Rule):
    """Quiet where the operator accepted what the definition is now, or where it is again what was trusted first."""

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
    methods = frozenset({"tools/list"})

    def observe(self, seen: Observation) -> Iterable[Finding]:
        for change in seen.tools:
            tool = change.tool
            if change.is_changed and tool.pin is None:
                reason = f"{_changes(tool)}; {_trusted(tool)}."
                yield self.finding(seen, subject(tool), reason, *sorted({tool.first_seen, seen.index}))


class AnnotationLoosened(Rule):
    """Clients ask their user less before they call what is said to be harmless."""

    info = RuleInfo(
        id="tool/annotation-loosened",
        title="Annotation loosened",
        severity=Severity.HIGH,
        meaning="A tool is said to be more harmless than before, or than its own name says, so that clients call it "
        "without asking.",
        action="Compare the tool's hints with what it does. Let agents ask before each call of it.",
        references=("SAFE-T1406",),
    )
    kinds = ("message",)
    methods = frozenset({"tools/list"})

    def observe(self, seen: Observation) -> Iterable[Finding]:
        for change in told(seen):
            tool = change.tool
            looser = list(_loosened(tool.previous, tool.definition)) if change.is_changed else []
            if looser:
                reason = f"{quote(tool.name)} {together(looser)}."
                yield self.finding(seen, subject(tool), reason, tool.first_seen, seen.index)
            elif belied := _belied(tool):
                yield self.finding(seen, subject(tool), f"{quote(tool.name)} {belied}.")


_HINTS = (("readOnlyHint", True), ("destructiveHint", False), ("openWorldHint", False))
"""Hints and the value that lets a client be careless; none of them is what a tool has that says nothing."""
_CHANGES_THINGS = re.compile(
    r"(?:delete|truncate|purge|wipe|erase|overwrite|drop|send|upload)\b"
    r"|write (?:to )?(?:files?|disk|database|db|tables?|records?|rows?)\b"
)
"""Words of names that no read-only tool has."""


def _loosened(before: Json, after: Json) -> Iterable[str]:
    """What a definition says that is more harmless than the one before; nothing where that one is not held."""
    if before is None:
        return
    old, new = annotations(before), annotations(after)
    for hint, careless in _HINTS:
        if new.get(hint) is careless and old.get(hint) is not careless:
            yield f"says {hint} {str(careless).lower()} and did not before"
    if (restricted := restriction(before)) and not restriction(after):
        yield f"was for few ({restricted}) and is not any more"


def _belied(tool: Tool) -> str:
    """How a tool's name says otherwise than its hints."""
    if annotations(tool.definition).get("readOnlyHint") is True and (
        found := _CHANGES_THINGS.match(words_of(tool.name))
    ):
        return f"says readOnlyHint, and its name says {quote(found.group())}"
    return ""


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


def _trusted(tool: Tool) -> str:
    """What was trusted before, since when and by whom."""
    pin = tool.pins[-1] if tool.pins else None
    if pin is None or (pin.index is not None and not pin.author):
        return f"first listed by entry {tool.first_seen}"
    day = f"{datetime.fromtimestamp(pin.time, UTC):%Y-%m-%d %H:%M} UTC"
    if not pin.author:
        return f"pinned on first use, {day}"
    return f"what {pin.author} accepted, {day}, is another definition"


def _said(definition: Json, field: str) -> str:
    """What a definition has under a name, as text; empty where it has nothing."""
    value = definition.get(field, "")
    try:
        return value if isinstance(value, str) else msgspec.json.encode(value).decode()
    except UnicodeEncodeError:
        # Half a surrogate pair, which UTF-8 cannot carry.
        return repr(value)
