"""Identities: signers and their keys."""

from collections.abc import Hashable, Iterable
from itertools import chain
from typing import ClassVar

from textual import on
from textual.binding import BindingType

from mcpwatch.model.identity import Word
from mcpwatch.ui.commands import Scope, bindings
from mcpwatch.ui.looks import KEYS, VERDICTS
from mcpwatch.ui.pages.identity import identity_page, is_disputed
from mcpwatch.ui.pinning import pin, unpin
from mcpwatch.ui.rows.table import Order, Paint, grid_columns
from mcpwatch.ui.screens.identity import IdentityScreen
from mcpwatch.ui.screens.lists import ListScreen
from mcpwatch.ui.widgets.cells import Cell, text_cell
from mcpwatch.ui.widgets.grid import Grid
from mcpwatch.ui.widgets.lines import Line, Tone, span
from mcpwatch.watch import columns as watch_columns
from mcpwatch.watch.columns import called, open_alerts
from mcpwatch.watch.facts import identity_facts
from mcpwatch.watch.identity import Identity, Kind
from mcpwatch.watch.nodes import quote
from mcpwatch.watch.state import State
from mcpwatch.watch.watcher import Watcher


def _fingerprint(identity: Identity, state: State) -> Cell:
    return span(identity.fingerprint[:8] or "no key", Tone.STRONG if identity.fingerprint else Tone.WARN)


def _key(identity: Identity, state: State) -> Cell:
    return span(identity.key_state.value, KEYS[identity.key_state])


def _words(identity: Identity, state: State) -> Cell:
    seen = [word for word in Word if identity.words.get(word, 0) > 0]
    worst = any(VERDICTS[word].tone is Tone.WORST for word in seen)
    return span(
        "  ".join(f"{VERDICTS[word].glyph} {identity.words[word]}" for word in seen), Tone.BAD if worst else Tone.PLAIN
    )


def _names(identity: Identity, state: State) -> Cell:
    disputed = is_disputed(identity, state.names)
    return span(", ".join(sorted(identity.claimed_names))[:200], Tone.BAD if disputed else Tone.DIM)


def _id(identity: Identity, state: State) -> Cell:
    known = Tone.STRONG if identity.name else Tone.PLAIN if identity.proven else Tone.DIM
    return text_cell(called(identity), known)


def _kind(identity: Identity, state: State) -> Cell:
    return span(identity.kind.value, Tone.ACCENT if identity.kind is Kind.SERVER else Tone.DIM)


def _alerts(identity: Identity, state: State) -> Cell:
    count = open_alerts(identity, state)
    return span(f"{count}" if count else "", Tone.BAD)


_PAINTS: dict[str, Paint[Identity]] = {
    "fingerprint": _fingerprint,
    "key": _key,
    "words": _words,
    "names": _names,
    "id": _id,
    "kind": _kind,
    "alerts": _alerts,
}
_ORDERS: tuple[Order[Identity], ...] = (
    Order("seen", lambda identity: identity.last_time),
    Order("proven", lambda identity: identity.proven),
    Order("sessions", lambda identity: len(identity.sessions)),
    Order("id", lambda identity: identity.id, down=False),
)

_SCREEN = {"since": 100}
_PRIORITY = {"words": 1, "sessions": 2}


class IdentitiesScreen(ListScreen[Identity]):
    """Every name that a signature gave, proven or not."""

    scope = Scope.IDENTITIES
    BINDINGS: ClassVar[list[BindingType]] = [*bindings(Scope.IDENTITIES)]
    columns = tuple(
        column._replace(priority=_PRIORITY.get(column.id, column.priority), screen=_SCREEN.get(column.id, 0))
        for column in grid_columns(watch_columns.IDENTITIES, {"id": 16, "words": 12, "fingerprint": 8})
    )

    def __init__(self, watcher: Watcher) -> None:
        super().__init__(watcher, watch_columns.IDENTITIES, _PAINTS, _ORDERS)

    def items(self) -> Iterable[Identity]:
        """Agents and servers."""
        return chain(self.state.identities.values(), self.state.servers.values())

    def key_of(self, item: Identity) -> Hashable:
        """Kind and id."""
        return item.kind, item.id

    def page_of(self, item: Identity) -> list[Line]:
        """Its key and where it was seen."""
        return identity_page(item, self.watcher)

    @on(Grid.Opened, "#list")
    def _opened(self) -> None:
        if (identity := self.selected) is not None:
            self.app.push_screen(IdentityScreen(self.watcher, identity))

    def its_filter(self) -> str:
        """What was signed in its name."""
        return f"who={quote(self.selected.id)}" if self.selected is not None else ""

    def action_its_alerts(self) -> None:
        """Its alerts."""
        if (identity := self.selected) is not None:
            self.host.show_alerts(identity)

    def action_pin(self) -> None:
        """Ask whether its key is to be pinned."""
        if (identity := self.selected) is not None:
            pin(self, self.host, self.watcher, identity)

    def action_unpin(self) -> None:
        """Ask whether its pinned keys are to be forgotten."""
        if (identity := self.selected) is not None:
            unpin(self, self.host, self.watcher, identity)

    def action_copy(self) -> None:
        """Copy the identity."""
        if (identity := self.selected) is not None:
            self.host.copy_json(identity_facts(identity))
