"""A report, and alerts, as lines for a person; everything from outside goes through the text door."""

from collections.abc import Iterator

from mcpwatch.report.report import NEVER, CheckedAlert, CheckedFeed, Report
from mcpwatch.text import count, show

_NAME, _SUBJECT = 60, 120
_REASON = 300
_NOTE = 200
_NEWEST = 4
"""Entries that are named of an alert's evidence."""


def text(report: Report) -> str:
    """The feeds, the alerts with the worst first, and the result last."""
    lines = [feed_line(feed) for feed in report.feeds]
    for alert in report.alerts:
        lines += alert_lines(alert)
    return "\n".join([*lines, verdict(report)])


def feed_line(feed: CheckedFeed) -> str:
    """How far a feed was read, and whether that is proven."""
    name = show(feed.source or feed.address, _NAME)
    read = f"{name}: {count(feed.entries, 'entry')}"
    if not feed.is_proven:
        return f"{read}, NOT PROVEN: {show(feed.fault, _REASON)}"
    when = f" of {show(feed.checkpoint_time)}" if feed.checkpoint_time else ""
    return f"{read}, proven by the checkpoint{when} of {show(feed.origin, _NAME)}, size {feed.verified_size}"


def verdict(report: Report) -> str:
    """One line: passed or failed, and why."""
    if not report.passed:
        return show(f"FAILED: {'; '.join(report.reasons)}{_besides(report)}", _REASON)
    above = f"no alert of severity {report.fail_on} or above" if report.fail_on != NEVER else "alerts do not fail"
    return f"passed: {above}{_besides(report)}"


def alert_lines(alert: CheckedAlert) -> Iterator[str]:
    """What `ack` needs first: the id; then what, about what, why, and who lets it rest."""
    yield (
        f"{show(alert.id)}  {alert.severity.upper():8}  {show(alert.rule)}  {show(alert.about, _SUBJECT)}"
        f"  ×{alert.count}  {evidence(alert)}  {show(alert.state)}"
    )
    yield f"    {show(alert.because, _REASON)}"
    if alert.senders:
        yield f"    sent from {show(', '.join(alert.senders), _REASON)}"
    rests = alert.history[-1] if alert.history else None
    if rests is not None:
        yield f"    {show(_event(rests.kind, rests.author, rests.note), _NOTE)}  {show(rests.time)}"


def evidence(alert: CheckedAlert) -> str:
    """The newest entries that show it; the last is the one that `ack --seen` wants."""
    if not alert.evidence:
        return f"[as of #{alert.last_index}]" if alert.last_index >= 0 else "[no entry]"
    more = "… " if len(alert.evidence) > _NEWEST else ""
    return f"[{more}{' '.join(f'#{index}' for index in alert.evidence[-_NEWEST:])}]"


def _event(kind: str, author: str, note: str) -> str:
    return f"{kind}{f' by {author}' if author else ''}{f': {note}' if note else ''}"


def _besides(report: Report) -> str:
    """What else was found and does not fail."""
    rest = [alert for alert in report.alerts if not alert.fails]
    resting = sum(alert.state != "firing" for alert in rest)
    parts = [f"{count(len(rest) - resting, 'other alert')}"] if len(rest) > resting else []
    parts += [f"{resting} at rest"] if resting else []
    parts += [f"{count(report.waiting, 'request')} not judged: keys did not come"] if report.waiting else []
    return f" ({'; '.join(parts)})" if parts else ""
