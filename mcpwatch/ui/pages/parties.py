"""Whom an alert is about and who sent what shows it: the operator's names first, then ids and addresses."""

from mcpwatch.model.alerts import Alert
from mcpwatch.ui.looks import severity_cell
from mcpwatch.ui.widgets.lines import Line, Tone, field, line, span
from mcpwatch.watch.senders import senders
from mcpwatch.watch.state import State
from mcpwatch.watch.subjects import with_names

_SENDERS = 3


def head_line(alert: Alert) -> Line:
    """How bad it is, and what it is called."""
    return line(severity_cell(alert.severity), "  ", span(alert.title, Tone.STRONG), hang=2)


def about_lines(alert: Alert, state: State) -> list[Line]:
    """Whom or what the alert is about, and from where it was sent."""
    return [field("about", with_names(alert.subject, alert, state)), *sender_lines(alert, state)]


def sender_lines(alert: Alert, state: State) -> list[Line]:
    """From which addresses the requests came that prove nobody, newest first; nothing where no entry has one."""
    peers = senders(alert, state)
    if not peers:
        return []
    shown = ", ".join(f"{peer} (entry {index})" for peer, index in list(peers.items())[:_SENDERS])
    more = f"  and {len(peers) - _SENDERS:,} more" if len(peers) > _SENDERS else ""
    return [field("sent from", shown, span(more, Tone.DIM))]
