"""Alerts: what is wrong, worst first."""

from collections.abc import Hashable, Iterable
from typing import ClassVar

from textual import on
from textual.binding import BindingType

from mcpwatch.model.alerts import Alert, AlertState
from mcpwatch.text import show
from mcpwatch.ui.cells import Cell
from mcpwatch.ui.commands import Scope, bindings
from mcpwatch.ui.grid import Grid
from mcpwatch.ui.lines import Line, Span, Tone, line, span
from mcpwatch.ui.lists import ListScreen
from mcpwatch.ui.looks import ALERT_STATES, severity_cell
from mcpwatch.ui.pages.alert import alert_page
from mcpwatch.ui.table import Order, Paint, grid_columns
from mcpwatch.watch import columns as watch_columns
from mcpwatch.watch.state import State
from mcpwatch.watch.told import alert_line
from mcpwatch.watch.watcher import Watcher

_MAX_CELLS = 200


def _severity(alert: Alert, state: State) -> Cell:
    cell = severity_cell(alert.severity)
    return cell if alert.state is AlertState.FIRING else Span(cell.text, Tone.DIM)


def _state(alert: Alert, state: State) -> Cell:
    return span(alert.state.value, ALERT_STATES[alert.state])


def _title(alert: Alert, state: State) -> Cell:
    firing = alert.state is AlertState.FIRING
    return Span(show(alert.title, _MAX_CELLS), Tone.STRONG if firing else Tone.DIM)


def _rule(alert: Alert, state: State) -> Cell:
    return span(alert.rule, Tone.DIM)


_PAINTS: dict[str, Paint[Alert]] = {"severity": _severity, "state": _state, "title": _title, "rule": _rule}
_ORDERS: tuple[Order[Alert], ...] = (
    Order("severity", lambda alert: (alert.state is AlertState.FIRING, alert.severity, alert.last_time)),
    Order("seen", lambda alert: alert.last_time),
    Order("count", lambda alert: alert.count),
    Order("title", lambda alert: alert.title, down=False),
)


class AlertsScreen(ListScreen[Alert]):
    """All alerts, acknowledged ones last; below or beside, what to do about the one selected."""

    scope = Scope.ALERTS
    BINDINGS: ClassVar[list[BindingType]] = [*bindings(Scope.ALERTS)]
    columns = grid_columns(watch_columns.ALERTS, {"title": 20, "subject": 14, "state": 8}, {"severity": 10})
    empty = (
        line(span("No alert", Tone.STRONG)),
        line(span("Nothing that the rules know was seen so far. That is not a proof that all is well.", Tone.DIM)),
    )

    def __init__(self, watcher: Watcher) -> None:
        super().__init__(watcher, watch_columns.ALERTS, _PAINTS, _ORDERS)

    def items(self) -> Iterable[Alert]:
        """All alerts."""
        return self.state.alerts.values()

    def key_of(self, item: Alert) -> Hashable:
        """The alert's id."""
        return item.id

    def page_of(self, item: Alert) -> list[Line]:
        """What it means and what to do."""
        return alert_page(item, self.host.rules.get(item.rule), self.state)

    @on(Grid.Opened, "#list")
    def _opened(self) -> None:
        alert = self.selected
        if alert is None:
            return
        rows = self.state.rows_of_alert(alert)
        if rows:
            self.host.show_row(rows[-1])
        else:
            self.host.tell("No entry of its evidence is held; feed alerts are told on the Feed screen")

    def action_traffic(self) -> None:
        """Its evidence, on Live."""
        if (alert := self.selected) is not None:
            self.host.show_traffic(f"alert:{alert.id}")

    def action_acknowledge(self) -> None:
        """Ask for a note and acknowledge."""
        if (alert := self.selected) is not None:
            self.stay()
            self.host.acknowledge(alert)

    def action_unacknowledge(self) -> None:
        """Ask for a note and take the acknowledgement back."""
        if (alert := self.selected) is not None:
            self.host.unacknowledge(alert)

    def action_copy(self) -> None:
        """Copy the alert."""
        if (alert := self.selected) is not None:
            self.host.copy_json(alert_line(alert))
