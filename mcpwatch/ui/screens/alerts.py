"""Alerts: what is wrong, worst first."""

from collections.abc import Callable, Hashable, Iterable
from typing import ClassVar

from textual import on
from textual.binding import BindingType

from mcpwatch.model.alerts import Alert, AlertState
from mcpwatch.model.identity import Signer
from mcpwatch.ui.commands import BY_ID, Command, Scope, bindings
from mcpwatch.ui.looks import ALERT_STATES, SHORT_STATES, severity_cell
from mcpwatch.ui.pages.alert import alert_page
from mcpwatch.ui.pages.identity import alerts_of
from mcpwatch.ui.pages.reasons import Reason, of_one
from mcpwatch.ui.rows.table import Order, Paint, grid_columns
from mcpwatch.ui.screens.alert_groups import RuleGroup, group_page, grouped
from mcpwatch.ui.screens.lists import ListScreen
from mcpwatch.ui.widgets.cells import Cell, text_cell
from mcpwatch.ui.widgets.grid import Grid
from mcpwatch.ui.widgets.lines import Line, Span, Tone, span
from mcpwatch.watch import columns as watch_columns
from mcpwatch.watch.identity import Identity
from mcpwatch.watch.json_lines import alert_line
from mcpwatch.watch.names import short_id
from mcpwatch.watch.path import path
from mcpwatch.watch.row import Row
from mcpwatch.watch.state import State
from mcpwatch.watch.subjects import only_server, short_subject
from mcpwatch.watch.watcher import Watcher

_OF_ONE = frozenset({"acknowledge", "resolve", "unacknowledge", "unsilence", "copy", "its-identity", "its-session"})
"""Commands that are about one alert, never about many at once."""

_HINTED_AT = {
    "acknowledge": {AlertState.FIRING},
    "resolve": {AlertState.FIRING, AlertState.ACKNOWLEDGED},
    "unacknowledge": {AlertState.ACKNOWLEDGED, AlertState.RESOLVED},
    "silence": {AlertState.FIRING},
}
"""In which states of an alert the footer names what can be done to it."""
_HINTS = {"export": 4, "group": 6}
"""Ranks in the footer that are this screen's own: evidence is kept more often than alerts are grouped."""


def _severity(alert: Alert, state: State) -> Cell:
    cell = severity_cell(alert.severity)
    return cell if alert.state is AlertState.FIRING else Span(cell.text, Tone.DIM)


def _state(alert: Alert, state: State) -> Cell:
    return span(SHORT_STATES[alert.state], ALERT_STATES[alert.state])


def _title(alert: Alert, state: State) -> Cell:
    firing = alert.state is AlertState.FIRING
    return text_cell(alert.title, Tone.STRONG if firing else Tone.DIM)


def _about(alert: Alert, state: State) -> Cell:
    subject = short_subject(alert, state)
    if server := only_server(state):
        # What is true of all of them tells nothing.
        subject = subject.removesuffix(f" at {server}")
    return text_cell(subject, Tone.PLAIN if alert.state is AlertState.FIRING else Tone.DIM)


def _rule(alert: Alert, state: State) -> Cell:
    return span(alert.rule, Tone.DIM)


_PAINTS: dict[str, Paint[Alert]] = {
    "severity": _severity,
    "state": _state,
    "title": _title,
    "subject": _about,
    "rule": _rule,
}
_ORDERS: tuple[Order[Alert], ...] = (
    Order("severity", lambda alert: (alert.state is AlertState.FIRING, alert.severity, alert.last_time)),
    Order("seen", lambda alert: alert.last_time),
    Order("count", lambda alert: alert.count),
    Order("title", lambda alert: alert.title, down=False),
)


def _called(identity: Identity) -> str:
    return identity.name or short_id(identity.id)


def _signer_of(row: Row) -> Signer | None:
    """Whose signature an entry has: the server's own on an answer, else that of the request."""
    if row.seen.proof is not None and row.seen.proof.signer is not None:
        return row.seen.proof.signer
    return row.request_verdict.signer if row.request_verdict is not None else None


class AlertsScreen(ListScreen[Alert]):
    """All alerts, acknowledged ones last; below or beside, what to do about the one selected."""

    scope = Scope.ALERTS
    BINDINGS: ClassVar[list[BindingType]] = [*bindings(Scope.ALERTS)]
    columns = tuple(
        column._replace(grow=column.id in ("subject", "title"))
        for column in grid_columns(
            watch_columns.ALERTS,
            {"title": 20, "subject": 17, "rule": 16},
            {"severity": 10, "state": 6, "title": 26, "subject": 44},
        )
    )

    def __init__(self, watcher: Watcher) -> None:
        super().__init__(watcher, watch_columns.ALERTS, _PAINTS, _ORDERS)
        self._only: Identity | None = None
        self._is_grouped = False
        self._group: RuleGroup | None = None
        """Whose members are listed alone."""

    def items(self) -> Iterable[Alert]:
        """All alerts, or those of one identity, or of one rule; or a row for each rule."""
        alerts = self.state.alerts.values() if self._only is None else alerts_of(self._only, self.state)
        if not self._is_grouped:
            return alerts
        if self._group is None:
            return grouped(alerts)
        source, rule = self._group.source, self._group.rule
        return [alert for alert in alerts if (alert.source, alert.rule) == (source, rule)]

    def reason(self) -> Reason | None:
        """Why it lists nothing: also what it lists alone may have none."""
        if (reason := super().reason()) is not None:
            return reason
        if self._group is not None:
            return of_one("alert", self._group.rule)
        return None if self._only is None else of_one("alert", _called(self._only))

    def show_only(self, identity: Identity) -> None:
        """List the alerts of one identity, all of them and each, until one steps back."""
        self.narrow("")
        self._only, self._is_grouped, self._group = identity, False, None
        self._relist()

    def crumbs(self) -> list[str]:
        """Whose alerts these are, where they are somebody's, and of which rule."""
        parts = []
        if self._only is not None:
            parts.append(f"of {_called(self._only)} alone; esc shows all")
        if self._group is not None:
            parts.append(f"{self._group.rule} alone; esc shows all rules")
        elif self._is_grouped:
            parts.append("by rule; v shows each")
        return ["Alerts", *parts, *super().crumbs()[1:]] if parts else super().crumbs()

    def go_back(self) -> bool:
        """Out of the maximised pane, then back to all alerts."""
        if super().go_back():
            return True
        if self._group is not None:
            self._group = None
            self._relist()
            return True
        if self._only is None:
            return False
        self._only = None
        self._relist()
        return True

    def _hinted(self) -> list[Command]:
        """Without what is about one alert, where a row stands for many, and what its state leaves nothing to."""
        is_many = self._is_grouped and self._group is None
        idle = set(_OF_ONE) if is_many else set()
        if not is_many and self.is_mounted:
            alert = self.selected
            idle |= {id for id, states in _HINTED_AT.items() if alert is None or alert.state not in states}
        return [
            command._replace(hint=_HINTS.get(command.id, command.hint))
            for command in super()._hinted()
            if command.id not in idle
        ]

    def _relist(self) -> None:
        self.stay()
        self._arrange(self.items())
        self.look()
        self.grid.reveal()

    def key_of(self, item: Alert) -> Hashable:
        """The alert's id."""
        return item.id

    def found_by(self, item: Alert) -> Iterable[str]:
        """What people wrote about it, and who."""
        for event in item.history:
            yield event.note
            yield event.author
        if item.silence is not None:
            yield item.silence.reason

    def page_of(self, item: Alert) -> list[Line]:
        """What it means and what to do."""
        if isinstance(item, RuleGroup):
            return group_page(item, self.host.rules.get(item.rule), self.state)
        return alert_page(item, self.host.rules.get(item.rule), self.state)

    def action_open(self) -> None:
        """From the page too the evidence opens; the list has the command itself."""
        self._opened()

    @on(Grid.Opened, "#list")
    def _opened(self) -> None:
        alert = self.selected
        if alert is None:
            return
        if isinstance(alert, RuleGroup):
            self._group = alert
            self._relist()
            return
        rows = self.state.rows_of_alert(alert)
        if path(alert, self.state):
            self.host.show_path(alert)
        elif rows:
            self.host.show_row(rows[-1])
        elif not alert.evidence:
            self.host.run_command(BY_ID["feed"])
        else:
            self.host.tell("The entries of its evidence are not held any more")

    def action_its_identity(self) -> None:
        """The identity that signed the newest evidence."""
        self.host.show_signer(next(filter(None, map(_signer_of, self._evidence())), None))

    def action_its_session(self) -> None:
        """The session of the newest evidence, at its call."""
        row = next((row for row in self._evidence() if row.session is not None), None)
        session, call = (row.session, row.call) if row is not None else (None, None)
        self.host.show_session(session, call)

    def _evidence(self) -> list[Row]:
        alert = self.selected
        return [] if alert is None else self.state.rows_of_alert(alert)[::-1]

    def action_group(self) -> None:
        """One row for each rule, or for each alert."""
        self._is_grouped, self._group = not self._is_grouped, None
        self._relist()

    def _one(self) -> Alert | None:
        """The alert to act on; many at once are not acted on unseen."""
        if isinstance(self.selected, RuleGroup):
            self.host.tell("These are many alerts: enter lists them, m silences them")
            return None
        return self.selected

    def _act(self, alert: Alert | None, act: Callable[[Alert], None]) -> None:
        """Act on an alert, if there is one, with the cursor on it wherever that leads it."""
        if alert is not None:
            self.go_with(alert)
            act(alert)

    def its_filter(self) -> str:
        """Its evidence."""
        alert = self.selected
        if alert is None:
            return ""
        if isinstance(alert, RuleGroup):
            return f"rule:{alert.rule}{self.within_feed(alert.source)}"
        return f"alert:{alert.id}"

    def action_acknowledge(self) -> None:
        """Ask for a note and acknowledge."""
        self._act(self._one(), self.host.acknowledge)

    def action_resolve(self) -> None:
        """Ask for a note and say that the cause is gone."""
        self._act(self._one(), self.host.resolve)

    def action_unacknowledge(self) -> None:
        """Ask for a note and let it fire again."""
        self._act(self._one(), self.host.unacknowledge)

    def action_silence(self) -> None:
        """Ask what to silence, how long and why."""
        self._act(self.selected, self.host.silence)

    def action_unsilence(self) -> None:
        """Ask for a note and end the silence."""
        self._act(self._one(), self.host.unsilence)

    def action_copy(self) -> None:
        """Copy the alert."""
        if (alert := self._one()) is not None:
            self.host.copy_json(alert_line(alert))
