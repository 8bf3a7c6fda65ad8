"""Marking entries on Live, and going from mark to mark."""

from typing import Literal

from mcpwatch.text import count
from mcpwatch.ui.screens.filtering import Filtering


class Marking(Filtering, inherit_bindings=False):
    """A screen on which entries can be marked for as long as they are held."""

    def action_mark(self) -> None:
        """Mark the entry under the cursor, or take its mark off."""
        row = self.row
        if row is not None and self.state.rows.get(row.seq) is not row:
            self.host.tell(f"Entry {row.index} is not held any more and cannot be marked")
        elif row is not None:
            is_marked = self.state.marks.toggle(row)
            self.host.tell(
                f"Entry {row.index} is {'' if is_marked else 'not '}marked{'' if is_marked else ' any more'}"
            )
            self.look()

    async def action_next_mark(self) -> None:
        """To the next row that is marked."""
        await self._to_mark(1)

    async def action_previous_mark(self) -> None:
        """To the row before that is marked."""
        await self._to_mark(-1)

    async def _to_mark(self, step: Literal[1, -1]) -> None:
        await self.have_all()
        marks = self.state.marks
        if not (len(marks) and self.filtered.jump(step, lambda row: row in marks)):
            self.host.tell(f"No entry in view is marked; {self._told()}")
        self.look()
        self.grid.reveal()

    def action_marks(self, argument: str = "") -> None:
        """Say how many entries are marked, or take all marks off."""
        if argument and argument != "clear":
            self.host.tell(f"There is no marks {argument}; marks clear takes all marks off")
            return
        if argument:
            self.state.marks.clear()
        self.host.tell(self._told().capitalize())
        self.look()

    def _told(self) -> str:
        marks = self.state.marks
        gone = f", and {marks.gone:,} more that {'is' if marks.gone == 1 else 'are'} not held any more"
        return f"{count(len(marks), 'entry')} marked{gone if marks.gone else ''}"
