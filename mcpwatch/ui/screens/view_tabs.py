"""The views of one screen side by side, of which one is shown."""

from collections.abc import Mapping

from mcpwatch.ui.widgets.lines import Line, Tone, line, span

_TONES = {True: Tone.CHIP, False: Tone.DIM}
"""By whether the view is shown."""


def view_tabs(views: Mapping[str, str], shown: str, keys: str) -> Line:
    """Views by what `action_show` takes, each with its title; a click turns to it, and `keys` tells of other ways."""
    parts = [
        span(f"[{title}]" if view == shown else f" {title} ", _TONES[view == shown], f"screen.show('{view}')")
        for view, title in views.items()
    ]
    return line(span(" view ", Tone.DIM), *parts, span(f"  {keys}", Tone.DIM))
