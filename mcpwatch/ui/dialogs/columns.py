"""Choosing the columns of the Live grid."""

from collections.abc import Callable, Collection, Sequence

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.content import Content
from textual.widgets import SelectionList
from textual.widgets.selection_list import Selection

from mcpwatch.ui.dialogs.dialog import Dialog
from mcpwatch.ui.lines import Tone, line, span
from mcpwatch.ui.ribbon import Ribbon

Choose = Callable[[Collection[str] | None], object]


class ColumnsDialog(Dialog):
    """Space turns a column on or off; the grid behind follows at once."""

    BINDINGS = [  # noqa: RUF012  a class variable of Textual's
        Binding("c,q", "leave", show=False),
        Binding("d", "defaults", show=False),
    ]

    def __init__(self, columns: Sequence[tuple[str, str]], shown: Collection[str], choose: Choose) -> None:
        super().__init__("Columns")
        self._columns = columns
        self._shown = frozenset(shown)
        self._choose = choose

    def compose_box(self) -> ComposeResult:
        """All columns, those shown ticked."""
        yield SelectionList[str](
            *(Selection(Content(name), id, id in self._shown) for id, name in self._columns), id="choices", compact=True
        )
        yield Ribbon(id="keys")

    def on_mount(self) -> None:
        """Say what the keys do."""
        self.opened_at = self.host.monotonic()
        keys = [("space ", "on or off   "), ("d ", "as the width allows   "), ("esc ", "done")]
        self.query_one("#keys", Ribbon).show_lines(
            line(*(part for key, does in keys for part in (span(key, Tone.ACCENT), span(does))))
        )

    @on(SelectionList.SelectedChanged, "#choices")
    def _changed(self, event: SelectionList.SelectedChanged[str]) -> None:
        event.stop()
        chosen = set(event.selection_list.selected)
        if chosen and chosen != self._shown:
            self._shown = frozenset(chosen)
            self._choose(chosen)

    def action_defaults(self) -> None:
        """Leave the columns to the width again."""
        self._choose(None)
        self.dismiss()
