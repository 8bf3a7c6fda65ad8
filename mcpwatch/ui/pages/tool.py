"""A tool as its server defines it, and what changed in that."""

import difflib
import json
from collections.abc import Iterator

from mcpwatch.model.entries import Json
from mcpwatch.model.traffic import Tool
from mcpwatch.ui.lines import BLANK, Line, Tone, field, line, span, title
from mcpwatch.ui.pages.payload import json_lines
from mcpwatch.ui.times import count, seconds
from mcpwatch.watch.columns import percentile

_DIFF_LINES = 400
_DIFF_CHARS = 200_000
_TONES = {"+": Tone.GOOD, "-": Tone.BAD, "@": Tone.ACCENT}


def tool_page(tool: Tool) -> list[Line]:
    """Use, change, definition."""
    lines = [
        line(span(tool.name, Tone.STRONG), span(f"  on {tool.upstream}", Tone.DIM)),
        BLANK,
        field("calls", f"{tool.calls:,}", span(f"  {tool.errors:,} failed", Tone.BAD) if tool.errors else ""),
        field("took", f"p50 {_percentile(tool, 50)}   p95 {_percentile(tool, 95)}"),
        field("offered to", count(len(tool.sessions), "session")),
        field("called by", count(len(tool.callers), "caller")),
        field("listed", f"first in entry {tool.first_seen}, last in entry {tool.last_seen}"),
        field("digest", span(tool.digest, Tone.DIM)),
    ]
    if tool.changed:
        times = "once" if tool.changed == 1 else f"{tool.changed} times"
        lines += [BLANK, line(span(f"≠ The definition changed {times}. The last change:", Tone.BAD)), *_diff(tool)]
    return [*lines, BLANK, title("Definition"), *json_lines(tool.definition)]


def description(tool: Tool) -> str:
    """What the server says the tool does; untrusted."""
    said = tool.definition.get("description") if isinstance(tool.definition, dict) else None
    return said if isinstance(said, str) else ""


def tool_facts(tool: Tool) -> dict[str, object]:
    """The tool as JSON."""
    return {"server": tool.upstream, "digest": tool.digest, "definition": tool.definition}


def _percentile(tool: Tool, percent: int) -> str:
    value = percentile(tool.durations, percent)
    return "–" if value is None else seconds(value)


def _diff(tool: Tool) -> list[Line]:
    if tool.previous is None:
        return [line(span("of the definition before, only the digest was still held", Tone.WARN))]
    lines: list[Line] = []
    for text in difflib.unified_diff(_laid(tool.previous), _laid(tool.definition), "before", "after", lineterm="", n=2):
        if len(lines) == _DIFF_LINES:
            return [*lines, line(span("… more changes", Tone.DIM))]
        lines.append(Line((span(text, _TONES.get(text[:1], Tone.DIM)),), 2))
    return lines


def _laid(value: Json) -> list[str]:
    text = json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False)[:_DIFF_CHARS]
    return list(_broken(text))


def _broken(text: str) -> Iterator[str]:
    """Lines of JSON with long text values broken at their own line ends, so that a diff shows what changed."""
    for each in text.split("\n"):
        yield from each.replace("\\n", "\\n\n").split("\n")
