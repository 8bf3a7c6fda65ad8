"""Bounded memory for rules."""

from collections import OrderedDict
from typing import TypeVar

from mcpwatch.bounded import keep

K = TypeVar("K")
V = TypeVar("V")


class Recent(OrderedDict[K, V]):
    """A mapping that keeps the `limit` keys used last."""

    def __init__(self, limit: int) -> None:
        super().__init__()
        self.limit = limit

    def get(self, key: K) -> V | None:  # type: ignore[override]
        value = super().get(key)
        if value is not None:
            self.move_to_end(key)
        return value

    def put(self, key: K, value: V) -> V:
        """Keep `value` and give it back."""
        keep(self, key, value, self.limit)
        return value

    def pop(self, key: K) -> V | None:  # type: ignore[override]
        return super().pop(key, None)
