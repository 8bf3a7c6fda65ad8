"""A view that can go back to what was shown at an earlier place."""

from bisect import bisect_left
from collections.abc import Callable

from mcpwatch.watch.row import Row
from mcpwatch.watch.view import View


class PastView(View):
    """A view that can be frozen at any place of what is held, not only at the newest."""

    is_past = False
    """Frozen at a place that was chosen."""

    @property
    def stop(self) -> int:
        """The `seq` after the last row that may be shown."""
        return self._stop if self.frozen else self._next

    @property
    def since(self) -> int:
        """Entries that came after that, also those that are held no more, as of the last `sync`."""
        return max(self._next - self.stop, 0)

    def stop_at(self, seq: int) -> None:
        """Freeze, and show only what came before that `seq`; the cursor goes to the last of it."""
        self.sync()
        if not self.frozen:
            self.freeze()
        held = self.state.rows
        before, seq = self._stop, min(max(seq, held.first), held.end)
        self.is_past = True
        self._stop = seq
        untested = held.since(seq, self._untested) if self._untested > seq else []
        self._untested = min(self._untested, seq)
        self._drop_evicted()
        if seq < before:
            kept = bisect_left(self._seqs, seq)
            self.pending += len(self._seqs) - kept + sum(map(self.passes, untested))
            del self._rows[kept:], self._seqs[kept:]
        elif seq - before > held.end - seq + self._helping:
            # There is less to test of what comes after, and what came before can wait for its helpings.
            self._rows, self._seqs, self._untested = [], [], seq
            self.pending = sum(map(self.passes, held.since(seq)))
        else:
            passed = [row for row in held.since(before, seq) if self.passes(row)]
            self.pending = max(self.pending - len(passed), 0)
            self._rows += passed
            self._seqs += [row.seq for row in passed]
        if before < held.first:
            self.pending = sum(map(self.passes, held.since(seq)))
        self._fill(self._helping)
        self._target = self._seqs[-1] if self._seqs else None

    def before(self, wanted: Callable[[Row], bool]) -> Row | None:
        """The newest row that is shown, but for the last, that is wanted; what waits for its test is tested."""
        self._fill_up()
        self._drop_evicted()
        return next((row for row in reversed(self._rows[:-1]) if wanted(row)), None)

    def thaw(self) -> None:
        """Go on, with all that came meanwhile."""
        self.is_past = False
        super().thaw()
