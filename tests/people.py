"""What people do to alerts, without keys and logs."""

from mcpwatch.detect.act_checks import checked_note
from mcpwatch.detect.book import AlertBook
from mcpwatch.identity.signed_acts import silence_id
from mcpwatch.model.alerts import Act, Alert, AlertEvent, EventKind, Severity, Silence

DAY = 86_400.0


def act(
    kind: EventKind,
    id: str,
    author: str,
    note: str,
    now: float,
    last_index: int = -1,
    severity: Severity | None = None,
    *,
    index: int | None = None,
    previous: int | None = None,
    fault: str = "",
) -> Act:
    """An act as a log or a store brings it."""
    return Act(id, AlertEvent(kind, author, note, now, last_index, severity, index=index, fault=fault), previous)


def do(book: AlertBook, kind: EventKind, id: str, author: str, note: str, now: float, last_index: int = -1) -> Alert:
    """Act on an alert as it stands; raises as the book does."""
    alert = book.alerts.get(id)
    done = act(kind, id, author, checked_note(note), now, last_index, alert.severity if alert else None)
    book.check(done, alert.last_act if alert else None)
    book.take([done])
    return book.alerts[id]


def acknowledge(book: AlertBook, id: str, author: str, note: str, last_index: int, now: float) -> Alert:
    return do(book, EventKind.ACKNOWLEDGED, id, author, note, now, last_index)


def unacknowledge(book: AlertBook, id: str, author: str, note: str, now: float) -> Alert:
    return do(book, EventKind.UNACKNOWLEDGED, id, author, note, now)


def resolve(book: AlertBook, id: str, author: str, note: str, last_index: int, now: float) -> Alert:
    return do(book, EventKind.RESOLVED, id, author, note, now, last_index)


def silence(
    book: AlertBook, now: float, *, rule: str = "*", subject: str = "*", lasts: float = DAY, origin: str = "gw"
) -> Silence:
    """Silence what matches; raises as the book does."""
    wanted = Silence(silence_id(origin, rule, subject), rule, subject, "ann", "a test", now, now + lasts, origin)
    event = AlertEvent(EventKind.SILENCED, "ann", "a test", now, -1, until=wanted.until)
    done = Act(wanted.id, event, silence=wanted)
    book.check(done, book.began(wanted.id))
    book.take([done])
    return wanted


def unsilence(book: AlertBook, silence: Silence, now: float) -> None:
    done = act(EventKind.UNSILENCED, silence.id, "ben", "enough", now)
    book.check(done, book.began(silence.id))
    book.take([done])
