"""One budget of octets for all exchanges together, since a thousand of them may each hold a large body."""

from types import TracebackType
from typing import Self


class Budget:
    """How many octets may be held at a time."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.held = 0

    def share(self) -> "Share":
        """What one exchange holds of it."""
        return Share(self)


class Share:
    """The octets one exchange holds; gives them back when left as a context."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._held = 0

    def hold(self, octets: int) -> bool:
        """Hold that many octets in all from now on; False, and none, where there is no room for them."""
        budget = self._budget
        budget.held -= self._held
        fits = budget.held + octets <= budget.limit
        self._held = octets if fits else 0
        budget.held += self._held
        return fits

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.hold(0)
