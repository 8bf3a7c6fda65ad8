"""What a command reads and a webhook is sent.

A field may be added; none is renamed or taken away.
"""

import uuid
from collections import Counter
from collections.abc import Sequence

from msgspec import Struct

from mcpwatch.model.alerts import Alert
from mcpwatch.watch.json_lines import AlertLine, alert_line
from mcpwatch.watch.printer import encode


class Message(Struct, frozen=True, tag="notification"):
    """One notification, as JSON."""

    id: str
    """Another for each message; the same where a message is sent again."""
    event: str
    """`fired`, or `open` for alerts that were there before the watcher began: they come as one message."""
    text: str
    """One line of words that no agent can choose."""
    alert: AlertLine
    """The worst that this message is about."""
    more: int
    """Further alerts that no other message tells of."""
    more_by_severity: dict[str, int]
    """Those, counted."""


def compose(event: str, alerts: Sequence[Alert]) -> Message:
    """A message about these alerts, of which the first is told in full."""
    worst, *others = alerts
    counts = Counter(alert.severity for alert in others)
    text = f"{worst.severity.name}: {worst.title} ({worst.rule}), alert {worst.id}"
    return Message(
        id=uuid.uuid4().hex,
        event=event,
        text=f"{text}, and {len(others):,} more" if others else text,
        alert=alert_line(worst),
        more=len(others),
        more_by_severity={severity.name.lower(): counts[severity] for severity in sorted(counts, reverse=True)},
    )


def octets(message: Message) -> bytes:
    """JSON on one line, in which nothing acts on a terminal."""
    return encode(message).encode()
