"""Two themes: quiet grounds, and colour only where it means something."""

from textual.color import Color
from textual.theme import Theme

DARK = Theme(
    name="mcpwatch-dark",
    primary="#7aa2d6",
    secondary="#5b7ba3",
    accent="#7aa2d6",
    foreground="#d4d9e0",
    background="#0f1318",
    surface="#141a21",
    panel="#1d2530",
    success="#7bb98a",
    warning="#d9a854",
    error="#e8707a",
    dark=True,
)
LIGHT = Theme(
    name="mcpwatch-light",
    primary="#1f5fa8",
    secondary="#3d6f9e",
    accent="#1f5fa8",
    foreground="#1c232b",
    background="#fbfbf9",
    surface="#f3f3ef",
    panel="#e6e7e2",
    success="#1f7a43",
    warning="#8f5f00",
    error="#b9252f",
    dark=False,
)
THEMES = (DARK, LIGHT)

_DIM, _CURSOR, _AWAY = 0.42, 0.26, 0.12
"""How far dim text lies towards the ground, and the cursor's ground towards the theme's first colour."""


def variables(theme: Theme) -> dict[str, str]:
    """Our own colours out of any theme's: opaque, since what draws single cells knows no transparency."""
    colors = theme.to_color_system().generate()
    ground, text = Color.parse(colors["background"]), Color.parse(colors["foreground"])
    primary = Color.parse(colors["primary"])
    return {
        "dim": text.blend(ground, _DIM).hex6,
        "cursor": ground.blend(primary, _CURSOR).hex6,
        "cursor-away": ground.blend(primary, _AWAY).hex6,
    }
