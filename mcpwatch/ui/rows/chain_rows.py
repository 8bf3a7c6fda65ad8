"""A session's calls as rows of a tree: what led to what, and how we know."""

from collections.abc import Callable, Hashable, Sequence

from mcpwatch.model.traffic import Call, CallState
from mcpwatch.text import Shown
from mcpwatch.ui.looks import CALLS, EDGES, state_cell, verdict_cell
from mcpwatch.ui.rows.track import took_cell
from mcpwatch.ui.widgets.cells import Cell, Column, Fitted, text_cell
from mcpwatch.ui.widgets.lines import Span, Tone, span
from mcpwatch.watch.chain import Link
from mcpwatch.watch.names import short_session
from mcpwatch.watch.state import State

CHAIN_COLUMNS = (
    Column("verdict", Shown("VERDICT"), 13, 13),
    Column("tree", Shown("CALL"), 30, 20, grow=True),
    Column("how", Shown("HOW WE KNOW"), 14, 11),
    Column("why", Shown("WHY"), 34, 16, priority=2),
    Column("state", Shown("STATE"), 16, 12),
    Column("took", Shown("TOOK"), 6, 6, right=True),
)


class ChainRows:
    """Links of a chain, drawn as a tree."""

    def __init__(self, state: State) -> None:
        self.links: list[Link] = []
        self._state = state

    def __len__(self) -> int:
        return len(self.links)

    def key(self, position: int) -> Hashable:
        """The call's id."""
        return self.links[position].call.id

    def cells(self, position: int, fitted: Fitted) -> Sequence[Cell]:
        """The link's cells."""
        link = self.links[position]
        return [self._cell(link, column.id) for column in fitted.columns]

    def _cell(self, link: Link, column: str) -> Cell:
        call = link.call
        if column == "tree":
            name = text_cell(f"{call.target or call.method}{self._where(link)}").text
            return Span(Shown(link.lead + name), Tone.DIM if link.guest else Tone.PLAIN)
        if column == "how":
            if link.edge is None:
                return span("begins here", Tone.DIM)
            look = EDGES[link.edge.kind]
            return span(f"{look.glyph} {link.edge.kind.value}", look.tone)
        if column == "why":
            return text_cell(link.edge.why if link.edge else "", Tone.DIM)
        return _CELLS[column](call, self._state.gateway_now(call.source))

    def _where(self, link: Link) -> str:
        session = self._state.sessions.get((link.call.source, link.call.session)) if link.guest else None
        return f" (session {short_session(session)})" if session is not None else ""


def _state_cell(call: Call, now: float) -> Cell:
    if call.state is CallState.RUNNING and call.progress is not None and call.progress_total:
        share = min(max(call.progress / call.progress_total, 0.0), 1.0)
        done = round(share * 6)
        return span(f"{'━' * done}{'─' * (6 - done)} {share:.0%}", CALLS[call.state].tone)
    return state_cell(call.state)


_CELLS: dict[str, Callable[[Call, float], Cell]] = {
    "verdict": lambda call, now: verdict_cell(call.verdict.word, call.verdict.waiting),
    "state": _state_cell,
    "took": took_cell,
}
