"""What people do to alerts, asked for in dialogs: acknowledge, resolve, silence, and the ways back."""

from collections.abc import Callable, Iterable
from functools import partial

from textual.app import App

from mcpwatch.model.alerts import Alert, AlertState
from mcpwatch.ui.dialogs.note import SINKS, ActWords, NoteDialog
from mcpwatch.ui.dialogs.silence import SilenceDialog, Silencing
from mcpwatch.ui.host import Host
from mcpwatch.ui.pages.parties import head_line
from mcpwatch.ui.screens.alert_groups import RuleGroup
from mcpwatch.ui.times import full
from mcpwatch.ui.widgets.lines import field
from mcpwatch.watch.row import Row
from mcpwatch.watch.state import State
from mcpwatch.watch.subjects import with_names
from mcpwatch.watch.watcher import Watcher

_RISES = "back with the firing ones"

_ACKNOWLEDGE = ActWords(
    "Acknowledge",
    "It stays in the list as seen by you and rests for eight hours. It fires again at a higher severity, or when"
    " somebody else, another tool or another reason shows up behind it.",
    "Acknowledged",
    SINKS,
)
_UNACKNOWLEDGE = ActWords(
    "Un-acknowledge",
    "It fires again from now on. The acknowledgement stays in its history.",
    "Fires again",
    _RISES,
)
_REOPEN = ActWords("Reopen", "It fires again from now on. Who resolved it stays in its history.", "Fires again", _RISES)
_RESOLVE = ActWords(
    "Resolve",
    "The cause is gone: somebody fixed it, or it was none. It fires again as soon as anything shows it anew.",
    "Resolved",
    SINKS,
)
_UNSILENCE = ActWords("End the silence", "All that it covers is told again from now on.", "Silence ended", _RISES)


def first_to_see(rows: Iterable[Row], state: State) -> Alert | None:
    """Of the alerts that these entries are part of, the worst that fires; the worst at all where none does."""
    ids = {id for row in rows for id in row.alerts}
    alerts = [alert for id in ids if (alert := state.alerts.get(id)) is not None]
    return max(
        alerts, key=lambda alert: (alert.state is AlertState.FIRING, alert.severity, alert.last_index), default=None
    )


def acknowledge_of(rows: Iterable[Row], state: State, host: Host) -> None:
    """Acknowledge the alert that these entries are part of."""
    alert = first_to_see(rows, state)
    if alert is None:
        host.tell("This is part of no alert")
    else:
        host.acknowledge(alert)


def acknowledge(app: App[None], watcher: Watcher, alert: Alert) -> None:
    """Ask for a note and acknowledge."""
    act = partial(watcher.acknowledge, alert.id)
    app.push_screen(NoteDialog(_ACKNOWLEDGE, alert, watcher, lambda note, shown: act(note, *shown)))


def resolve(app: App[None], watcher: Watcher, alert: Alert) -> None:
    """Ask for a note and say that the cause is gone."""
    act = partial(watcher.resolve, alert.id)
    app.push_screen(NoteDialog(_RESOLVE, alert, watcher, lambda note, shown: act(note, *shown)))


def unacknowledge(app: App[None], tell: Callable[[str], None], watcher: Watcher, alert: Alert) -> None:
    """Ask for a note and let an alert fire again that is acknowledged or resolved."""
    if alert.acknowledgement is None and alert.state is not AlertState.RESOLVED:
        is_silenced = alert.silence is not None
        tell("It is silenced: M ends that" if is_silenced else "This alert is neither acknowledged nor resolved")
        return
    words = _REOPEN if alert.state is AlertState.RESOLVED else _UNACKNOWLEDGE
    act = partial(watcher.unacknowledge, alert.id)
    app.push_screen(NoteDialog(words, alert, watcher, lambda note, shown: act(note, shown.last_act)))


def silence(app: App[None], watcher: Watcher, alert: Alert) -> None:
    """Ask what to silence, how long and why; at first it is this alert, or all of the rule where many are one."""
    rule, subject = watcher.globs(alert)
    is_many = isinstance(alert, RuleGroup)
    silencing = Silencing(
        rule,
        "*" if is_many else subject,
        watcher.keeps(alert),
        partial(watcher.matching, alert.source),
        partial(watcher.silence, alert.source),
        [head_line(alert), *([] if is_many else [field("about", with_names(alert.subject, alert, watcher.state))])],
    )
    app.push_screen(SilenceDialog(silencing))


def unsilence(app: App[None], tell: Callable[[str], None], watcher: Watcher, alert: Alert) -> None:
    """Ask for a note and end the silence that covers an alert."""
    silence = alert.silence
    if silence is None:
        tell("This alert is not silenced")
        return
    about = [
        field("silences", f"{silence.rule} about {with_names(silence.subject, alert, watcher.state)}"),
        field("until", full(silence.until)),
        field("by", f"{silence.author}: {silence.reason}"),
    ]
    app.push_screen(NoteDialog(_UNSILENCE, alert, watcher, lambda note, _: watcher.unsilence(silence, note), about))
