"""Every state in which a feed can be, for lists that have nothing to show."""

from collections.abc import Callable

from msgspec import structs
from scene import SOURCE, Scene

from mcpwatch.model.feed import FeedState

WHY = "what the other end said"


def reading(scene: Scene) -> None:
    """Most of what the log held is still to come."""
    scene.feed()
    status = scene.state.feeds[SOURCE]
    scene.state.set_feed(structs.replace(status, announced=40_000, next_index=12_000, verified_size=12_000))


def lost(scene: Scene) -> None:
    """The connection is gone, and it is tried again soon."""
    scene.feed(FeedState.DISCONNECTED, WHY)
    scene.state.set_feed(structs.replace(scene.state.feeds[SOURCE], retry_at=scene.now + 4.0))


STATES: dict[str, Callable[[Scene], None]] = {
    "connecting": lambda scene: scene.feed(FeedState.CONNECTING),
    "reading": reading,
    "quiet": Scene.feed,
    "lost": lost,
    "refused": lambda scene: scene.feed(FeedState.REFUSED, WHY),
    "false": lambda scene: scene.feed(FeedState.BROKEN, WHY),
    "ended": lambda scene: scene.feed(FeedState.ENDED, WHY),
}
"""By the name of what a list lacks then."""
