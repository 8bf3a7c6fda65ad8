"""Evidence of alerts, kept when the ring lets go of it."""

from collections.abc import Iterator, Mapping

from mcpwatch.model.alerts import Alert
from mcpwatch.watch.row import Row

MAX_ROWS = 10_000
MAX_BYTES = 16 * 1024 * 1024


class Pinned:
    """Rows that some alert names as evidence; past the limits the oldest go."""

    def __init__(self, max_rows: int = MAX_ROWS, max_bytes: int = MAX_BYTES) -> None:
        self.max_rows = max_rows
        self.max_bytes = max_bytes
        self.bytes = 0
        self._rows: dict[tuple[str, int], Row] = {}

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[Row]:
        return iter(list(self._rows.values()))

    def find(self, source: str, index: int) -> Row | None:
        """The row of one log entry, if it is pinned."""
        return self._rows.get((source, index))

    def offer(self, row: Row, alerts: Mapping[str, Alert]) -> None:
        """Keep an evicted row if it is evidence."""
        if not _is_evidence(row, alerts):
            return
        self._rows[row.source, row.index] = row
        self.bytes += len(row.entry.leaf)
        while len(self._rows) > 1 and (len(self._rows) > self.max_rows or self.bytes > self.max_bytes):
            self._release(next(iter(self._rows)))

    def sweep(self, alerts: Mapping[str, Alert]) -> None:
        """Release rows that no alert names any more: an alert keeps its first and its newest evidence only."""
        for place in [place for place, row in self._rows.items() if not _is_evidence(row, alerts)]:
            self._release(place)

    def _release(self, place: tuple[str, int]) -> None:
        self.bytes -= len(self._rows.pop(place).entry.leaf)


def _is_evidence(row: Row, alerts: Mapping[str, Alert]) -> bool:
    return any(row.index in alert.evidence for key in row.alerts if (alert := alerts.get(key)) is not None)
