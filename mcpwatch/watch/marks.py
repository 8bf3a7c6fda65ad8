"""Entries that the operator marked, to find them again."""

from collections.abc import Callable

from mcpwatch.watch.row import Row


class Marks:
    """Marked rows, as long as they are held; of those that were let go the number is kept.

    `changed` is told the `seq` of each row that is marked or not any more.
    """

    def __init__(self, changed: Callable[[int], None]) -> None:
        self._changed = changed
        self._rows: dict[tuple[str, int], Row] = {}
        self.gone = 0
        """Marked rows that are not held any more."""

    def __len__(self) -> int:
        return len(self._rows)

    def __contains__(self, row: Row) -> bool:
        return (row.source, row.index) in self._rows

    def toggle(self, row: Row) -> bool:
        """Mark a row, or take its mark off; returns whether it is marked now."""
        place = row.source, row.index
        self._changed(row.seq)
        if self._rows.pop(place, None) is not None:
            return False
        self._rows[place] = row
        return True

    def keep(self, marks: "Marks") -> None:
        """Have the marks of another state of the same logs; an entry that comes only then is marked as it comes."""
        self._rows.update(marks._rows)

    def let_go(self, row: Row) -> None:
        """Take note that a row is not held any more."""
        if self._rows and self._rows.pop((row.source, row.index), None) is not None:
            self.gone += 1

    def clear(self) -> None:
        """Take all marks off."""
        rows = list(self._rows.values())
        self._rows.clear()
        self.gone = 0
        for row in rows:
            self._changed(row.seq)
