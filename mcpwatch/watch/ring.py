"""The newest rows, bounded in number and in octets."""

from collections.abc import Iterator, Sequence

from mcpwatch.watch.row import Row

MAX_ROWS = 50_000
MAX_BYTES = 64 * 1024 * 1024
_SLACK = 1_024


class Ring:
    """Rows in the order they arrived, addressed by `Row.seq` or by (source, index).

    Appending past `max_rows` rows or `max_bytes` octets of leaves pushes out the oldest; the newest row always stays.
    """

    def __init__(self, max_rows: int = MAX_ROWS, max_bytes: int = MAX_BYTES) -> None:
        self.max_rows = max_rows
        self.max_bytes = max_bytes
        self.bytes = 0
        self.first = 0
        """The `seq` of the oldest row held."""
        self._rows: list[Row] = []
        self._head = 0
        self._waste = 0
        self._places: dict[str, dict[int, Row]] = {}

    def __len__(self) -> int:
        return len(self._rows) - self._head

    def __iter__(self) -> Iterator[Row]:
        return iter(self._rows[self._head :])

    def __reversed__(self) -> Iterator[Row]:
        return reversed(self._rows[self._head :])

    @property
    def end(self) -> int:
        """The `seq` that the next row will have."""
        return self.first + len(self._rows) - self._head

    def get(self, seq: int) -> Row | None:
        """The row of that `seq`, None when it is no more or not yet here."""
        return self._rows[self._head + seq - self.first] if self.first <= seq < self.end else None

    def since(self, seq: int, stop: int | None = None) -> list[Row]:
        """Rows from `seq` (or the oldest held) up to, not including, `stop`."""
        low = self._head + max(seq - self.first, 0)
        high = None if stop is None else self._head + max(stop - self.first, 0)
        return self._rows[low:high]

    def find(self, source: str, index: int) -> Row | None:
        """The row of one log entry."""
        return self._places.get(source, {}).get(index)

    def append(self, row: Row) -> Sequence[Row]:
        """Add a row, whose `seq` must be `end`; what it pushed out comes back."""
        rows = self._rows
        rows.append(row)
        places = self._places.get(row.source)
        if places is None:
            places = self._places[row.source] = {}
        places[row.index] = row
        self.bytes += len(row.entry.leaf)
        if len(rows) - self._head <= self.max_rows and self.bytes <= self.max_bytes:
            return ()
        return list(self._evict())

    def _evict(self) -> Iterator[Row]:
        while len(self) > 1 and (len(self) > self.max_rows or self.bytes > self.max_bytes):
            row = self._rows[self._head]
            self._head += 1
            self.first += 1
            self.bytes -= len(row.entry.leaf)
            self._waste += len(row.entry.leaf)
            places = self._places[row.source]
            if places.get(row.index) is row:
                del places[row.index]
            yield row
        if self._head > _SLACK or self._waste > self.max_bytes // 16:
            del self._rows[: self._head]
            self._head = self._waste = 0
