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
    newest, evidence = finding.newest, alert.evidence
    alert.count += 1
    alert.reason = finding.reason
    if finding.severity > alert.severity:
        alert.severity = finding.severity
    if time < alert.first_time:
        alert.first_time = time
    if time > alert.last_time:
        alert.last_time = time
    if newest > alert.last_index:
        alert.last_index = newest
    for index in finding.evidence:
        if index < alert.first_index or alert.first_index < 0:
            alert.first_index = index
        if not evidence or index > evidence[-1] or index not in evidence:
            insort(evidence, index)
            if len(evidence) > _FIRST + _NEWEST:
                del evidence[_FIRST]
    for names, name in ((alert.sessions, finding.session), (alert.calls, finding.call)):
        if len(names) < _NAMED and name and name not in names:
            names.append(name)
