"""Looking through very many things for those that have a text, a helping at a time."""

from collections.abc import Callable, Iterable
from itertools import islice
from typing import Generic, TypeVar

T = TypeVar("T")
AT_ONCE = 1_000
"""Things that are looked at before keys and drawing have their turn again."""


class Sifting(Generic[T]):
    """Those of many things that pass; all do where nothing is asked of them."""

    def __init__(self, every: Iterable[T], passes: Callable[[T], bool] | None) -> None:
        self._left = iter(every)
        self._passes = passes
        self.found: list[T] = list(self._left) if passes is None else []
        self.is_done = passes is None

    def go(self) -> bool:
        """Look at a helping; whether that was the last."""
        if self._passes is not None and not self.is_done:
            some = list(islice(self._left, AT_ONCE))
            self.found.extend(filter(self._passes, some))
            self.is_done = len(some) < AT_ONCE
        return self.is_done
