"""How a gateway does, by its own word."""

from mcpwatch.model.health import Health
from mcpwatch.text import count
from mcpwatch.ui.times import ago
from mcpwatch.ui.widgets.lines import BLANK, Line, Tone, field, line, span, title
from mcpwatch.watch.times import seconds

_GB = 1e9
_SLOW_S = 1.0
"""Seconds for a commit from which on a person should look at the disk."""
_LITTLE = 1_000_000_000
"""Octets free on the disk from which on a person should make room."""


def health_lines(health: Health | None, now: float) -> list[Line]:
    """Nothing where the gateway does not say."""
    if health is None:
        return []
    trouble = field("trouble", span(health.trouble, Tone.BAD)) if health.trouble else field("trouble", "none")
    kept = max(health.size - health.oldest, 0)
    is_slow = health.commit >= _SLOW_S
    lines = [
        BLANK,
        title("What the gateway says of itself"),
        line(span("its own word, which nothing proves", Tone.DIM)),
        trouble,
        field("started", ago(now, health.started) if health.started > 0 else "not said"),
        field("kept", f"{count(kept, 'entry')} from {health.oldest:,} on, {health.octets / 1e6:,.1f} MB"),
        field(
            "journal",
            f"{count(health.waiting, 'entry')} waiting, ",
            span(f"newest commit {seconds(max(health.commit, 0.0))}", Tone.WARN if is_slow else Tone.PLAIN),
        ),
        field(
            "watchers",
            f"{health.watchers:,}, the last of them {count(health.behind, 'entry')} behind",
            f", {health.from_disk:,} read from its disk" if health.from_disk else "",
        ),
        field("calls", f"{health.exchanges:,} at this moment, {health.refused:,} refused"),
    ]
    if health.lost:
        lines.append(field("lost", span(f"{count(health.lost, 'entry')} that the disk did not take", Tone.BAD)))
    if health.disk_free is not None:
        tone = Tone.WARN if health.disk_free < _LITTLE else Tone.PLAIN
        lines.append(field("disk", span(f"{health.disk_free / _GB:,.1f} GB free", tone)))
    return lines
