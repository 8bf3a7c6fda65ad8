"""How an alert grows with its findings: counts, evidence, who was there; bounded."""

from bisect import insort

from mcpwatch.model.alerts import Alert, Finding, RuleInfo

_FIRST, _NEWEST = 8, 24
_NAMED = 16


def opened(id: str, info: RuleInfo | None, finding: Finding, time: float) -> Alert:
    """An alert about what a finding is about, which it has not taken in yet."""
    return Alert(
        id=id,
        rule=finding.rule,
        title=info.title if info else finding.rule,
        severity=finding.severity,
        subject=finding.subject,
        reason=finding.reason,
        count=0,
        first_index=min(finding.evidence, default=finding.at),
        last_index=-1,
        first_time=time,
        last_time=time,
        source=finding.source,
    )


def gather(alert: Alert, finding: Finding, time: float) -> None:
    """Take a finding in; `time` is the entry's."""
    alert.count += 1
    alert.reason = finding.reason
    alert.severity = max(alert.severity, finding.severity)
    alert.first_time = min(alert.first_time, time)
    alert.last_time = max(alert.last_time, time)
    alert.last_index = max(alert.last_index, finding.newest)
    for index in finding.evidence:
        alert.first_index = index if alert.first_index < 0 else min(alert.first_index, index)
        if index not in alert.evidence:
            insort(alert.evidence, index)
            if len(alert.evidence) > _FIRST + _NEWEST:
                del alert.evidence[_FIRST]
    for names, name in ((alert.sessions, finding.session), (alert.calls, finding.call)):
        if name and name not in names and len(names) < _NAMED:
            names.append(name)
