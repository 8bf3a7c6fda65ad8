"""A tool as its server defines it: whether that is trusted, what it reaches, who saw it, and what changed in it."""

from collections.abc import Sequence

from mcpwatch.model.alerts import Alert
from mcpwatch.model.tools import Tool
from mcpwatch.text import count
from mcpwatch.ui.looks import severity_cell
from mcpwatch.ui.pages.definition import NARROW, Diff, baseline, change_lines, pinned
from mcpwatch.ui.pages.payload import json_lines
from mcpwatch.ui.widgets.lines import BLANK, Line, Tone, field, line, span, title
from mcpwatch.ui.widgets.sparks import sparks
from mcpwatch.watch.columns import failed, percentile
from mcpwatch.watch.exposure import Exposure, Party
from mcpwatch.watch.times import seconds

_PARTIES = 8
_BARS = 40
"""Newest calls of which each has a bar."""


def tool_page(
    tool: Tool, alerts: Sequence[Alert] = (), exposure: Exposure | None = None, diff: Diff = NARROW
) -> list[Line]:
    """Trust, reach, exposure, use, change, definition; `alerts` are those about it."""
    exposure = exposure or Exposure([], [])
    change = _change(tool, diff)
    is_new = tool.is_untrusted
    return [
        line(span(tool.name, Tone.STRONG), span(f"  on {tool.upstream}", Tone.DIM)),
        BLANK,
        *_trust(tool),
        *([*change, BLANK] if is_new else []),
        *_reach(tool),
        *(_alert(alert) for alert in alerts),
        BLANK,
        *_offered(tool, exposure),
        *_called(tool, exposure),
        field("calls", f"{tool.calls:,}", span(_failed(tool), Tone.BAD) if tool.errors else ""),
        *_took(tool),
        field("listed", f"first in entry {tool.first_seen}, last in entry {tool.last_seen}"),
        field("digest", span(tool.digest, Tone.DIM)),
        *([] if is_new else change),
        BLANK,
        title("Definition"),
        *json_lines(tool.definition),
    ]


def description(tool: Tool) -> str:
    """What the server says the tool does; untrusted."""
    said = tool.definition.get("description") if isinstance(tool.definition, dict) else None
    return said if isinstance(said, str) else ""


def _trust(tool: Tool) -> list[Line]:
    pin = tool.pin
    if tool.is_untrusted:
        times = "once" if tool.changed == 1 else f"{tool.changed} times"
        was = f"; it was {pinned(tool.pins[-1])}" if tool.pins else ""
        said = span(f"≠ not as it was: the definition changed {times}, and nobody accepted it", Tone.BAD)
        return [field("trust", said, span(was, Tone.DIM))]
    if pin is None:
        return []
    lines = [field("trust", span("✓ ", Tone.GOOD), pinned(pin))]
    return [*lines, field("because", pin.note)] if pin.note else lines


def _change(tool: Tool, diff: Diff) -> list[Line]:
    """What changed, under a heading; nothing where nothing did."""
    if not tool.changed:
        return []
    since, before = baseline(tool)
    return [BLANK, title(f"What changed {since}"), *change_lines(before, tool.definition, diff)]


def _reach(tool: Tool) -> list[Line]:
    lines = []
    if tool.classes:
        names = span("  ".join(kind.value for kind in tool.classes), Tone.WARN)
        lines.append(field("reaches", names, span(f"   {tool.classed_by}", Tone.DIM)))
    if tool.privileged:
        lines.append(field("for few", span(tool.privileged, Tone.WARN)))
    return lines


def _alert(alert: Alert) -> Line:
    return field("alert", severity_cell(alert.severity), "  ", span(alert.title, Tone.STRONG), f": {alert.reason}")


def _offered(tool: Tool, exposure: Exposure) -> list[Line]:
    sessions = count(len(tool.sessions), "session")
    roles = ", ".join(f"{number:,} as {role.value}" for role, number in exposure.roles.most_common())
    return [
        field("offered to", sessions, span(f"   {roles}" if roles else "", Tone.DIM)),
        *_parties(exposure.offered),
    ]


def _called(tool: Tool, exposure: Exposure) -> list[Line]:
    return [field("called by", count(len(tool.callers), "caller")), *_parties(exposure.called)]


def _parties(parties: Sequence[Party]) -> list[Line]:
    lines = [
        field("", party.name, span(f"  {party.role.value}" if party.role else "", Tone.DIM))
        for party in parties[:_PARTIES]
    ]
    if len(parties) > _PARTIES:
        lines.append(field("", span(f"… {len(parties) - _PARTIES:,} more", Tone.DIM)))
    return lines


def _failed(tool: Tool) -> str:
    share = failed(tool)
    return f"  {tool.errors:,} failed, {share}" if share else f"  {tool.errors:,} failed"


def _took(tool: Tool) -> list[Line]:
    """How long its newest calls took, and a bar for each of the last of them."""
    durations = tool.durations
    if not durations:
        return [field("took")]
    told = "   ".join(f"p{percent} {_percentile(tool, percent)}" for percent in (50, 95, 99))
    newest = durations[-_BARS:]
    of = span(f"   of the newest {count(len(durations), 'answered call')}", Tone.DIM)
    top = span(f"  newest last, at most {seconds(max(newest))}", Tone.DIM)
    return [field("took", told, of), field("", span(sparks(newest), Tone.ACCENT), top)]


def _percentile(tool: Tool, percent: int) -> str:
    value = percentile(tool.durations, percent)
    return "–" if value is None else seconds(value)
