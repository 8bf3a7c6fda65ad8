"""Yes or no: the dialog names what it does, enter does it."""

from collections.abc import Callable, Sequence

from textual.app import ComposeResult
from textual.binding import Binding

from mcpwatch.ui.dialogs.dialog import Dialog
from mcpwatch.ui.widgets.lines import Line
from mcpwatch.ui.widgets.page import Page
from mcpwatch.ui.widgets.ribbon import Ribbon


class ConfirmDialog(Dialog):
    """Does `act` when enter is pressed."""

    BINDINGS = [Binding("enter", "agree", show=False)]  # noqa: RUF012  a class variable of Textual's

    def __init__(self, heading: str, says: Sequence[Line], agree: str, act: Callable[[], object]) -> None:
        super().__init__(heading)
        self._says = list(says)
        self._agree = agree
        self._act = act

    def compose_box(self) -> ComposeResult:
        """What will happen, and the keys."""
        yield Page(id="text")
        yield Ribbon(id="keys")

    def fill(self) -> None:
        """Say what will happen, and what the keys do."""
        super().fill()
        self.show_keys(("enter", self._agree), ("escape", "stay"))

    def lines(self) -> list[Line]:
        """What will happen."""
        return self._says

    def action_agree(self) -> None:
        """Do it."""
        self.dismiss()
        self._act()
