"""Choosing the columns of the Live grid."""

from collections.abc import Callable, Collection, Hashable, Sequence

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding

from mcpwatch.text import Shown
from mcpwatch.ui.dialogs.dialog import Dialog
from mcpwatch.ui.widgets.cells import Cell, Column, Fitted
from mcpwatch.ui.widgets.grid import Grid
from mcpwatch.ui.widgets.lines import Tone, span
from mcpwatch.ui.widgets.ribbon import Ribbon

Choose = Callable[[Collection[str] | None], object]

FIXED = frozenset({"mark", "verdict"})
"""Columns that nobody can turn off: what is wrong, and what we proved."""
_NAMES = {"arrow": "DIRECTION"}
_COLUMNS = (
    Column("shown", Shown("SHOWN"), 8, 8),
    Column("name", Shown("COLUMN"), 20, 10, grow=True),
)


class _Choices:
    """The columns that can be turned on or off."""

    def __init__(self, columns: Sequence[Column], shown: Collection[str]) -> None:
        self.columns = [column for column in columns if column.id not in FIXED]
        self.shown = set(shown)

    def __len__(self) -> int:
        return len(self.columns)

    def key(self, position: int) -> Hashable:
        """The column's id."""
        return self.columns[position].id

    def cells(self, position: int, fitted: Fitted) -> Sequence[Cell]:
        """Whether it is shown, and its name."""
        column = self.columns[position]
        on = column.id in self.shown
        name = _NAMES.get(column.id, column.title)
        return [span("✓ shown" if on else "–", Tone.GOOD if on else Tone.DIM), span(name)]


class ColumnsDialog(Dialog):
    """Space turns a column on or off; the grid behind follows at once."""

    AUTO_FOCUS = "#choices"

    BINDINGS = [  # noqa: RUF012  a class variable of Textual's
        Binding("space", "turn", show=False),
        Binding("c,q", "leave", show=False),
        Binding("d", "defaults", show=False),
    ]

    def __init__(self, columns: Sequence[Column], shown: Collection[str], choose: Choose) -> None:
        super().__init__("Columns")
        self._choices = _Choices(columns, shown)
        self._choose = choose

    def compose_box(self) -> ComposeResult:
        """All columns, and the keys."""
        yield Grid(_COLUMNS, id="choices")
        yield Ribbon(id="keys")

    def fill(self) -> None:
        """Show what is chosen."""
        grid = self.query_one(Grid)
        grid.show_rows(self._choices, grid.cursor)
        self.show_keys(("space", "on or off"), ("d", "as the width allows"), ("escape", "done"))

    @on(Grid.Opened)
    def _opened(self) -> None:
        self.action_turn()

    def action_turn(self) -> None:
        """Turn the column under the cursor on or off."""
        id = self._choices.columns[self.query_one(Grid).cursor].id
        self._choices.shown ^= {id}
        self._choose(self._choices.shown | FIXED)
        self.fill()

    def action_defaults(self) -> None:
        """Leave the columns to the width again."""
        self._choose(None)
        self.dismiss()
