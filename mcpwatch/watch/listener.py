"""Who hears what the pipeline takes in."""

from collections.abc import Sequence
from typing import Protocol

from mcpwatch.model.feed import FeedStatus
from mcpwatch.watch.row import Row
from mcpwatch.watch.state import Raised


class Listener(Protocol):
    """Who wants to hear of everything in order, such as tail; called before the next entry is looked at."""

    def entry(self, row: Row, raised: Sequence[Raised]) -> None:
        """An entry was taken in."""

    def verdict(self, row: Row, raised: Sequence[Raised]) -> None:
        """A request, or a server's proof, was judged again: its signer's key arrived, or will not."""

    def alerts(self, raised: Sequence[Raised]) -> None:
        """Something is wrong with a feed."""

    def feed(self, before: FeedStatus | None, after: FeedStatus) -> None:
        """A feed's standing changed."""
