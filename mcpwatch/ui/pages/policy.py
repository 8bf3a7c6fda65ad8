"""The policy that a watcher goes by: where it is from, whether it is followed, and what it keeps quiet."""

from mcpwatch.text import count
from mcpwatch.ui.times import ago
from mcpwatch.ui.widgets.lines import Line, Tone, bullet, field, span
from mcpwatch.watch.state import State

_QUIET = 20


def policy_lines(state: State) -> list[Line]:
    """Nothing where there is no policy."""
    standing = state.policy
    lines: list[Line] = []
    if standing.path is not None:
        lines.append(field("policy", str(standing.path), span(f"  read {ago(state.now, standing.since)}", Tone.DIM)))
    if standing.note:
        lines.append(field("note", span(f"it {standing.note}", Tone.WARN)))
    if standing.fault:
        lines.append(field("not read", span(standing.fault, Tone.BAD)))
        lines.append(bullet(span(" "), span("The policy that was read before holds.", Tone.WARN)))
    rows = sorted(standing.quiet, key=lambda quiet: -quiet.count)
    if rows:
        total = sum(quiet.count for quiet in rows)
        lines.append(field("kept quiet", f"{count(total, 'finding')} by the policy"))
        lines += [
            bullet(span(" "), f"{quiet.count:,} {quiet.rule}  ", span(quiet.reason, Tone.DIM))
            for quiet in rows[:_QUIET]
        ]
    return lines
