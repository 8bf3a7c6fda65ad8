"""Alerts by rule, for when there are many: one row for each rule, with how many of its alerts stand how."""

from collections import Counter
from collections.abc import Iterable

from msgspec import field

from mcpwatch.model.alerts import Alert, AlertState, RuleInfo
from mcpwatch.text import count
from mcpwatch.ui.looks import severity_cell
from mcpwatch.ui.times import ago
from mcpwatch.ui.widgets.lines import BLANK, Line, Tone, bullet, line, span, title
from mcpwatch.ui.widgets.lines import field as fact
from mcpwatch.watch.state import State
from mcpwatch.watch.subjects import short_subject

_NAMED = 20


class RuleGroup(Alert, kw_only=True):
    """All alerts of one rule and feed, shown as if they were one; it is firing while one of them is."""

    members: list[Alert] = field(default_factory=list)


def grouped(alerts: Iterable[Alert]) -> list[RuleGroup]:
    """One row for each rule and feed."""
    by_rule: dict[tuple[str, str], list[Alert]] = {}
    for alert in alerts:
        by_rule.setdefault((alert.source, alert.rule), []).append(alert)
    return [_group(members) for members in by_rule.values()]


def standing(group: RuleGroup) -> str:
    """`12 alerts: 9 firing, 3 acknowledged`."""
    states = Counter(alert.state for alert in group.members)
    told = ", ".join(f"{states[state]:,} {state.value}" for state in AlertState if states[state])
    return f"{count(len(group.members), 'alert')}: {told}"


def group_page(group: RuleGroup, rule: RuleInfo | None, state: State) -> list[Line]:
    """What the rule means, how its alerts stand, and the worst of them."""
    now = state.gateway_now(group.source)
    lines = [
        line(severity_cell(group.severity), "  ", span(group.title, Tone.STRONG), hang=2),
        BLANK,
        fact("rule", group.rule),
        fact("stands for", standing(group)),
        fact("seen", f"{count(group.count, 'time')}, ", f"last {ago(now, group.last_time)}"),
        BLANK,
        line(span("enter lists them; m silences them all for a while", Tone.DIM)),
    ]
    if rule is not None:
        lines += [BLANK, title("What it means"), line(rule.meaning), BLANK, title("What to do"), line(rule.action)]
    worst = sorted(group.members, key=_rank, reverse=True)
    lines += [BLANK, title("About")]
    lines += [
        bullet(span("•"), short_subject(alert, state), span(f"  {alert.state.value}", Tone.DIM))
        for alert in worst[:_NAMED]
    ]
    if len(worst) > _NAMED:
        lines.append(line(span(f"… {len(worst) - _NAMED:,} more", Tone.DIM)))
    return lines


def _rank(alert: Alert) -> tuple[bool, int, float]:
    return alert.state is AlertState.FIRING, alert.severity, alert.last_time


def _group(members: list[Alert]) -> RuleGroup:
    worst = max(members, key=_rank)
    group = RuleGroup(
        id=f"{worst.source}|{worst.rule}",
        rule=worst.rule,
        title=worst.title,
        severity=worst.severity,
        subject="",
        reason=worst.reason,
        count=sum(alert.count for alert in members),
        first_index=min(alert.first_index for alert in members),
        last_index=max(alert.last_index for alert in members),
        first_time=min(alert.first_time for alert in members),
        last_time=max(alert.last_time for alert in members),
        source=worst.source,
        state=worst.state,
        members=members,
    )
    group.subject = standing(group)
    return group
