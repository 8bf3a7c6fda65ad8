"""Where screens with a list have it say why it is empty."""

from mcpwatch.ui.base import WatchScreen
from mcpwatch.ui.commands import Scope
from mcpwatch.ui.pages.empty import empty_page
from mcpwatch.ui.pages.reasons import Reason
from mcpwatch.ui.widgets.lines import Line


def why_empty(screen: WatchScreen, reason: Reason | None = None) -> list[Line]:
    """In place of the list: the screen's own reason, or how the feeds stand, and what to do about it."""
    is_played = Scope.REPLAY in screen.host.everywhere
    return empty_page(screen.state, screen.scope, screen.host.keys, reason, is_played=is_played)
