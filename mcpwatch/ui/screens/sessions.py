"""Sessions: who is connected, and what binds them."""

from collections.abc import Hashable, Iterable
from typing import ClassVar

from textual import on
from textual.binding import BindingType

from mcpwatch.model.traffic import Session
from mcpwatch.ui.commands import Scope, bindings
from mcpwatch.ui.looks import SESSIONS, STRENGTHS
from mcpwatch.ui.pages.session import identity_card
from mcpwatch.ui.rows.table import Order, Paint, grid_columns
from mcpwatch.ui.screens.lists import ListScreen
from mcpwatch.ui.widgets.cells import Cell, text_cell
from mcpwatch.ui.widgets.grid import Grid
from mcpwatch.ui.widgets.lines import Line, Tone, span
from mcpwatch.watch import columns as watch_columns
from mcpwatch.watch.facts import session_facts
from mcpwatch.watch.names import short_session, short_signer
from mcpwatch.watch.state import State
from mcpwatch.watch.watcher import Watcher

_STRENGTH_WORDS = {
    strength: f"{look.glyph} {look.means.partition(':')[0].lower()}" for strength, look in STRENGTHS.items()
}


def _signer_text(session: Session) -> str:
    signer = session.binding.signer
    return short_signer(signer) if signer else ""


def _signer(session: Session, state: State) -> Cell:
    signer = session.binding.signer
    if signer is None:
        return span("○ nobody proven", Tone.DIM)
    return text_cell(short_signer(signer))


def _strength(session: Session, state: State) -> Cell:
    strength = session.binding.strength
    return span(_STRENGTH_WORDS[strength], STRENGTHS[strength].tone)


def _state(session: Session, state: State) -> Cell:
    look = SESSIONS[session.state]
    return span(f"{look.glyph} {session.state.value}", look.tone)


def _errors(session: Session, state: State) -> Cell:
    return span(str(session.errors), Tone.WARN if session.errors else Tone.DIM)


def _client(session: Session, state: State) -> Cell:
    return text_cell(session.client_name, Tone.DIM)


_PAINTS: dict[str, Paint[Session]] = {
    "signer": _signer,
    "strength": _strength,
    "state": _state,
    "errors": _errors,
    "client": _client,
}
_ORDERS: tuple[Order[Session], ...] = (
    Order("seen", lambda session: session.last_seen),
    Order("calls", lambda session: session.call_count),
    Order("errors", lambda session: session.errors),
    Order("server", lambda session: session.upstream, down=False),
    Order("signer", lambda session: _signer_text(session)),
)


class SessionsScreen(ListScreen[Session]):
    """All sessions of all feeds."""

    scope = Scope.SESSIONS
    BINDINGS: ClassVar[list[BindingType]] = [*bindings(Scope.SESSIONS)]
    columns = tuple(
        column._replace(priority=1) if column.id == "strength" else column
        for column in grid_columns(
            watch_columns.SESSIONS, {"signer": 17, "server": 7}, {"strength": 8, "state": 7, "signer": 29}
        )
    )

    def __init__(self, watcher: Watcher) -> None:
        super().__init__(watcher, watch_columns.SESSIONS, _PAINTS, _ORDERS)

    def items(self) -> Iterable[Session]:
        """All sessions."""
        return self.state.sessions.values()

    def key_of(self, item: Session) -> Hashable:
        """Feed and key."""
        return item.source, item.key

    def page_of(self, item: Session) -> list[Line]:
        """Its identity card."""
        return identity_card(item, self.watcher)

    @on(Grid.Opened, "#list")
    def _opened(self) -> None:
        if (session := self.selected) is not None:
            self.host.show_session(session)

    def its_filter(self) -> str:
        """Its entries."""
        session = self.selected
        return f"sess:{short_session(session)}{self.within_feed(session.source)}" if session is not None else ""

    def action_copy(self) -> None:
        """Copy the session."""
        if (session := self.selected) is not None:
            self.host.copy_json(session_facts(session))
