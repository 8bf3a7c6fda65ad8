"""What a person may do to an alert, or a silence, as it stands."""

from mcpwatch.detect.silences import NEVER_SILENT, WHY_NEVER
from mcpwatch.errors import McpwatchError
from mcpwatch.identity.signed_acts import DID, MAX_GLOB, MAX_NOTE, ends_in_time, is_glob
from mcpwatch.model.alerts import Act, Alert, AlertEvent, AlertState, EventKind, Silence
from mcpwatch.text import count

_OPEN_FOR: dict[EventKind, tuple[frozenset[AlertState], str]] = {
    EventKind.ACKNOWLEDGED: (
        frozenset({AlertState.FIRING, AlertState.ACKNOWLEDGED, AlertState.SILENCED}),
        "There is nothing to acknowledge: the alert is resolved",
    ),
    EventKind.UNACKNOWLEDGED: (
        frozenset({AlertState.ACKNOWLEDGED, AlertState.RESOLVED, AlertState.SILENCED}),
        "The alert is neither acknowledged nor resolved",
    ),
    EventKind.RESOLVED: (
        frozenset({AlertState.FIRING, AlertState.ACKNOWLEDGED, AlertState.SILENCED}),
        "The alert is resolved already",
    ),
}
"""Act -> the states it is for, and what to say in another."""


class ActError(McpwatchError):
    """This cannot be done to the alert or the silence."""


class StaleAct(ActError):
    """The alert, or what people did to it, is not what its author was shown."""


def check_act(alert: Alert, act: Act, known: AlertEvent | None) -> None:
    """Whether somebody who was shown `known` as the newest act on this alert may act so now.

    Raises StaleAct where they were shown another alert than there is now, and ActError for what makes no sense.
    """
    event = act.event
    states, otherwise = _OPEN_FOR[event.kind]
    if alert.last_act != known:
        raise _meanwhile(alert.last_act, event.time)
    if alert.state not in states or (
        event.kind is EventKind.UNACKNOWLEDGED and alert.state is AlertState.SILENCED and not alert.acknowledgement
    ):
        raise ActError(otherwise)
    if event.kind is not EventKind.UNACKNOWLEDGED and event.last_index < alert.last_index:
        raise StaleAct(*grown(alert))


def grown(alert: Alert) -> tuple[str, str]:
    """That somebody was shown less of the alert than there is, and what to do about it."""
    newest = f"The alert has grown: entry {alert.last_index} is newer than what you were shown"
    return newest, "Look at the new entries, then say it again if it still holds."


def check_silence(act: Act, held: AlertEvent | None, known: AlertEvent | None) -> None:
    """The same for the beginning and the end of a silence; `held` is the act that the one in force began with."""
    if held != known:
        raise _meanwhile(held, act.event.time)
    if act.event.kind is EventKind.UNSILENCED:
        if held is None:
            raise ActError("There is no such silence any more")
        return
    fault = fault_of(act.silence)
    if fault:
        raise ActError(*fault)


def fault_of(silence: Silence | None) -> tuple[str, str] | None:
    """What is wrong with a silence as such, and what to do about it."""
    if silence is None:
        return "It does not say what to silence", ""
    if silence.rule.startswith(NEVER_SILENT):
        return "Alerts about the feed cannot be silenced", f"{WHY_NEVER} Acknowledge it instead."
    if not (is_glob(silence.rule) and is_glob(silence.subject)):
        return "A silence needs a rule and a subject", f"Globs of at most {MAX_GLOB} characters; * is any."
    if not ends_in_time(silence.time, silence.until):
        return "A silence ends after it begins, and within seven days", "Silence it again then, if it must be."
    return None


def checked_note(note: str) -> str:
    """The note without blanks around it; raises ActError for none, and for one that is too long."""
    note = note.strip()
    if not note:
        raise ActError("A note is needed", "Say in a few words why.")
    if len(note) > MAX_NOTE:
        raise ActError(f"The note is too long: {len(note):,} characters", f"Keep it to {MAX_NOTE:,}.")
    return note


def _meanwhile(last: AlertEvent | None, now: float) -> StaleAct:
    hint = "Look at its history, then say it again if it still holds."
    if last is None:
        return StaleAct("What you were shown does not stand any more", hint)
    when = count(max(round(now - last.time), 0), "second")
    return StaleAct(f"{last.author} {DID[last.kind.value]} {when} ago: {last.note}", hint)
