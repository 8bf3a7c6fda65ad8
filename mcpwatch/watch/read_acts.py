"""Acts as they were written down, and what they are worth here."""

from mcpwatch.identity.signed_acts import act_fault, form_fault, key_of, signature_fault
from mcpwatch.model.alerts import Act, AlertEvent, EventKind, Kept, Severity, Silence
from mcpwatch.model.entries import AlertActed
from mcpwatch.watch.operators import ANYBODY, Operators


def act_in_log(acted: AlertActed, origin: str, index: int, time: float, operators: Operators = ANYBODY) -> Act:
    """An act that is entry `index`, of `time`, in the log `origin`."""
    fault = act_fault(acted, origin, time)
    if not fault and acted.previous is not None and acted.previous >= index:
        fault = "it claims to follow an act that had not been made"
    if not fault and acted.last_index is not None and acted.last_index >= index:
        fault = "it claims that its author was shown an entry that had not come"
    return _act(acted, operators, fault, Kept.LOG, index=index)


def act_kept_here(acted: AlertActed, seq: int | None = None, operators: Operators = ANYBODY) -> Act:
    """An act that was kept on this machine, at the place `seq` there."""
    return _act(acted, operators, form_fault(acted) or signature_fault(acted), Kept.HERE, seq=seq)


def _act(
    acted: AlertActed, operators: Operators, fault: str, kept: Kept, *, index: int | None = None, seq: int | None = None
) -> Act:
    terms, key = acted.silence, key_of(acted)
    event = AlertEvent(
        kind=EventKind(acted.kind),
        author=acted.author,
        note=acted.note,
        time=float(acted.time),
        last_index=-1 if acted.last_index is None else acted.last_index,
        severity=None if acted.severity is None else Severity[acted.severity.upper()],
        kept=kept,
        index=index,
        seq=seq,
        key=key,
        fault=fault or operators.fault(key),
        operator=None if fault else operators.name(key),
        until=None if terms is None else float(terms.until),
    )
    silence = None
    if terms is not None:
        silence = Silence(
            id=acted.alert,
            rule=terms.rule,
            subject=terms.subject,
            author=acted.author,
            reason=acted.note,
            time=event.time,
            until=float(terms.until),
            origin=acted.origin,
            key=event.key,
        )
    return Act(acted.alert, event, acted.previous, silence)
