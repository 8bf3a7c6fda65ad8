"""The bars at a narrow width: what is told in short, and what is left out first."""

from collections import Counter

from mcpwatch.model.alerts import AlertState, Severity
from mcpwatch.model.identity import Word
from mcpwatch.ui.bars import wrong_line
from mcpwatch.ui.widgets.lines import cells
from mcpwatch.watch.state import State


def test_alerts_that_rest_are_counted_by_state_however_much_else_there_is_to_say() -> None:
    state = State()
    state.counts.words.update(dict.fromkeys(Word, 1_000))
    alerts = Counter({Severity.CRITICAL: 14, Severity.HIGH: 120, Severity.MEDIUM: 33, Severity.LOW: 5})
    resting = Counter({AlertState.ACKNOWLEDGED: 3, AlertState.SILENCED: 12, AlertState.RESOLVED: 1})
    line = wrong_line(state, alerts, 80, resting)
    text = "".join(part.text for part in line.spans)
    assert "3 ack'd  12 silent  1 done" in text and "‼14 !120 ▪33 ·5" in text
    assert cells(line) <= 80
