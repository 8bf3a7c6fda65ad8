"""The themes: quiet grounds, and colour only where it means something."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from msgspec import structs
from textual.color import Color
from textual.theme import BUILTIN_THEMES, Theme

from mcpwatch.config import ThemeConfig
from mcpwatch.config_faults import Fault, meant

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
    error="#ec7d86",
    dark=True,
)
LIGHT = Theme(
    name="mcpwatch-light",
    primary="#1a5496",
    secondary="#3d6f9e",
    accent="#1a5496",
    foreground="#1c232b",
    background="#fbfbf9",
    surface="#f3f3ef",
    panel="#e6e7e2",
    success="#176336",
    warning="#7a4f00",
    error="#a81d27",
    dark=False,
)
CONTRAST = Theme(
    name="mcpwatch-contrast",
    primary="#8fd0ff",
    secondary="#8fd0ff",
    accent="#8fd0ff",
    foreground="#ffffff",
    background="#000000",
    surface="#000000",
    panel="#101010",
    success="#7dff9a",
    warning="#ffd75f",
    error="#ffb0b0",
    dark=True,
)
TERMINAL = Theme(
    name="mcpwatch-terminal",
    primary="ansi_cyan",
    secondary="ansi_cyan",
    accent="ansi_cyan",
    foreground="ansi_default",
    background="ansi_default",
    surface="ansi_default",
    panel="ansi_default",
    success="ansi_green",
    warning="ansi_yellow",
    error="ansi_red",
    boost="ansi_default",
    ansi=True,
    variables=BUILTIN_THEMES["ansi-dark"].variables,
)
"""The sixteen colours that the terminal itself was given, on its own ground."""
THEMES = (DARK, LIGHT, CONTRAST, TERMINAL)
OURS = [theme.name for theme in THEMES]

_DIM, _CURSOR, _AWAY = 0.28, 0.2, 0.1
"""How far dim text lies towards the ground, and the cursor's ground towards the theme's first colour."""
_KNOWN: Mapping[str, Theme] = {**BUILTIN_THEMES, **{theme.name: theme for theme in THEMES}}
_BY_TERMINAL = {"dim": "ansi_bright_black", "cursor": "ansi_default", "cursor-away": "ansi_default"}
"""There is no mixing where only the terminal knows its colours; the cursor is turned round there, see `watch.tcss`."""


def variables(theme: Theme) -> dict[str, str]:
    """Our own colours out of any theme's: opaque, since what draws single cells knows no transparency."""
    if theme.ansi:
        return _BY_TERMINAL
    colors = theme.to_color_system().generate()
    ground, text = Color.parse(colors["background"]), Color.parse(colors["foreground"])
    primary = Color.parse(colors["primary"])
    return {
        "dim": text.blend(ground, _DIM).hex6,
        "cursor": ground.blend(primary, _CURSOR).hex6,
        "cursor-away": ground.blend(primary, _AWAY).hex6,
    }


def custom(themes: Mapping[str, ThemeConfig]) -> list[Theme]:
    """The operator's themes; those that `faults` speaks of are to be refused before."""
    made = []
    for name, config in themes.items():
        base = _KNOWN[config.base]
        colours = {key: value for key, value in structs.asdict(config).items() if key != "base" and value}
        if "primary" in colours:
            colours["accent"] = colours["primary"]
        made.append(replace(base, name=name, dark=_is_dark(colours.get("background"), base), **colours))
    return made


def faults(themes: Mapping[str, ThemeConfig], chosen: str) -> Iterator[Fault]:
    """What cannot be in `themes`, and the theme `chosen` where there is none of that name."""
    for name, config in themes.items():
        if name in _KNOWN:
            yield Fault(("themes", name), f"themes.{name} has the name of a theme that there is; give it another")
        if config.base not in _KNOWN:
            yield Fault(("themes", name, "base"), f"there is no theme {config.base}; {meant(config.base, _KNOWN)}")
        elif _KNOWN[config.base].ansi:
            what = f"themes.{name}.base must be a theme with colours of its own, not {config.base}"
            yield Fault(("themes", name, "base"), what)
    known = (*_KNOWN, *themes)
    if chosen and chosen not in known:
        yield Fault(("ui", "theme"), f"there is no theme {chosen}; {meant(chosen, known)}")


def _is_dark(background: str | None, base: Theme) -> bool:
    return base.dark if background is None else Color.parse(background).brightness < 0.5
