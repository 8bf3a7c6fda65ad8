"""Checkpoints that are ahead of the entries that were read."""

from collections.abc import Iterator, Sequence

from mcpwatch.model.feed import Checkpoint


class Fork(Exception):
    """The log signed two roots for one size; `notes` are both."""

    def __init__(self, size: int, *notes: bytes) -> None:
        super().__init__(f"the log signed two roots for its size {size}")
        self.notes = notes


class WaitingCheckpoints:
    """The next to come due and the newest, by size, so that a long catch-up is proven on its way."""

    def __init__(self) -> None:
        self._kept: list[Checkpoint] = []

    def __iter__(self) -> Iterator[Checkpoint]:
        return iter(self._kept)

    def add(self, checkpoint: Checkpoint) -> None:
        """Keep one; raises Fork where one of its size with another root is kept."""
        for other in self._kept:
            if other.size == checkpoint.size and other.root != checkpoint.root:
                raise Fork(checkpoint.size, other.note, checkpoint.note)
        self._kept = sorted([*self._kept[:1], checkpoint], key=lambda each: each.size)

    def due(self, size: int) -> Sequence[Checkpoint]:
        """Those that `size` entries reach, in order; they are let go of."""
        if not self._kept or self._kept[0].size > size:
            return ()
        due = [each for each in self._kept if each.size <= size]
        self.forget(size)
        return due

    def forget(self, size: int) -> None:
        """Let go of those that `size` entries reach."""
        self._kept = [each for each in self._kept if each.size > size]

    def clear(self) -> None:
        """Let go of all."""
        self._kept.clear()
