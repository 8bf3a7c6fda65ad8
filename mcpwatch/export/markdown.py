"""A report in Markdown (CommonMark with GitHub's tables): the sessions, the calls and what is wrong, with verdicts.

All that came from outside stands in code spans, in which there is no markup, no link and no HTML.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence

from msgspec import Struct

from mcpwatch.export.head import Head
from mcpwatch.export.notice import extent, standing
from mcpwatch.export.writer import Covered, Piece
from mcpwatch.model.alerts import Alert
from mcpwatch.model.traffic import SessionKey
from mcpwatch.text import show
from mcpwatch.watch.row import Row
from mcpwatch.watch.state import State
from mcpwatch.watch.times import rfc3339, seconds

MAX_SESSIONS = 1_000
"""Sessions that are listed; the calls of others are told all the same."""
MAX_ALERTS = 1_000
_CELL = 200
"""Terminal cells of a code span at most."""


class MarkdownColumn(Struct, frozen=True):
    """One column of the calls: its title and the Markdown in it."""

    title: str
    text: Callable[[Row, State], str]


def _took(row: Row, state: State) -> str:
    value = None if row.is_running else row.duration(state.gateway_now(row.source))
    return "" if value is None else seconds(value)


COLUMNS: tuple[MarkdownColumn, ...] = (
    MarkdownColumn("entry", lambda row, state: str(row.index)),
    MarkdownColumn("time", lambda row, state: rfc3339(row.time)),
    MarkdownColumn("verdict", lambda row, state: f"**{row.word}**" if row.word else ""),
    MarkdownColumn("who", lambda row, state: code(row.who.text)),
    MarkdownColumn("session", lambda row, state: code(row.session_label)),
    MarkdownColumn("server", lambda row, state: code(row.upstream)),
    MarkdownColumn("what", lambda row, state: f"{row.arrow} {code(row.method)} {code(row.tool)}".strip()),
    MarkdownColumn("outcome", lambda row, state: code(row.outcome(state.gateway_now(row.source)))),
    MarkdownColumn("took", _took),
    MarkdownColumn("alerts", lambda row, state: " ".join(map(code, row.alerts))),
    MarkdownColumn("note", lambda row, state: code(row.seen.note or row.entry.fault)),
)


class MarkdownWriter:
    """Writes the report; entries that only carry, such as the heads of good answers, are left out."""

    def __init__(self) -> None:
        self._sessions: dict[SessionKey, int] = {}
        """Entries of each that were told."""
        self._alerts: dict[str, None] = {}

    def row(self, row: Row, state: State, passes: bool) -> Iterable[Piece]:
        """A line of the table for each entry that passes and says something."""
        if not passes or row.plumbing:
            return
        session = row.session
        key = (row.source, session.key if session is not None else "")
        if session is not None and (key in self._sessions or len(self._sessions) < MAX_SESSIONS):
            self._sessions[key] = self._sessions.get(key, 0) + 1
        for alert in row.alerts:
            if len(self._alerts) < MAX_ALERTS:
                self._alerts[alert] = None
        yield Piece(row.source, row.index, " | ".join(column.text(row, state) for column in COLUMNS))

    def rest(self, state: State) -> Iterable[Piece]:
        """Nothing is held back."""
        return ()

    def head(self, head: Head) -> str:
        """Title, feeds, and the head of the table."""
        lines = ["# What mcpwatch saw", "", *_about(head), "", "## Calls", ""]
        titles = [*(column.title for column in COLUMNS), "proven"]
        return "\n".join([*lines, _line(titles), _line(["---"] * len(titles)), ""])

    def sealed(self, piece: Piece, covered: Covered) -> str:
        """A line of the table."""
        return f"| {piece.text} | {'yes' if covered.is_proven else 'no'} |\n"

    def foot(self, head: Head, state: State) -> str:
        """The sessions of those calls, and their alerts."""
        sessions = [(key, told) for key, told in self._sessions.items() if key in state.sessions]
        alerts = [state.alerts[id] for id in self._alerts if id in state.alerts]
        lines = ["", "## Sessions", "", *(_sessions(sessions, state) if sessions else ["None."])]
        lines += ["", "## Alerts", "", *(_alerts(alerts) if alerts else ["None."])]
        return "\n".join([*lines, ""])


def code(text: str) -> str:
    """Text from outside as a code span that can stand in a table; nothing where there is none."""
    if not text:
        return ""
    shown = show(text, _CELL).replace("`", "\\x60").replace("|", "\\x7c")
    # Where there is a space at both ends, a reader of Markdown takes one of each away.
    is_padded = shown.startswith(" ") and shown.endswith(" ") and shown.strip()
    return f"` {shown} `" if is_padded else f"`{shown}`"


def _about(head: Head) -> Iterator[str]:
    let = f"what passes {code(head.filter)}" if head.filter else "everything"
    yield f"Made {head.time} by mcpwatch {head.version}: {let}. Bodies are as in the log, masked or not."
    for feed in head.feeds:
        told = code(standing(feed)) if not feed.proven else standing(feed)
        yield f"\n- feed {code(feed.source)} at {code(feed.address)}, log {code(feed.origin)}"
        yield f"- entries {extent(feed)}, {told}"
        if feed.gaps:
            yield f"- missing: {', '.join(f'entries {first} to {last}' for first, last in feed.gaps)}"
        if feed.checkpoint:
            yield f"- key {code(feed.key)}, checkpoint:\n"
            yield from (f"      {show(line)}" for line in feed.checkpoint.rstrip("\n").split("\n"))


def _sessions(sessions: Sequence[tuple[SessionKey, int]], state: State) -> Iterator[str]:
    yield _line(("session", "server", "client", "kind", "bound to", "strength", "entries here"))
    yield _line(["---"] * 7)
    for key, told in sessions:
        session = state.sessions[key]
        binding = session.binding
        yield _line(
            (
                code(session.key),
                code(session.upstream),
                code(session.client_name),
                session.kind.value,
                code(binding.signer.id if binding.signer else ""),
                binding.strength.value,
                str(told),
            )
        )


def _alerts(alerts: Sequence[Alert]) -> Iterator[str]:
    yield _line(("alert", "severity", "rule", "about", "times", "state", "why"))
    yield _line(["---"] * 7)
    for alert in sorted(alerts, key=lambda each: (-each.severity, each.last_time, each.id)):
        severity, state = alert.severity.name.lower(), alert.state.value
        told = (code(alert.id), severity, code(alert.rule), code(alert.subject), str(alert.count), state)
        yield _line((*told, code(alert.reason)))


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
