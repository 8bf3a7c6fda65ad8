"""Themes: every tone can be read on every ground, and what the configuration says of them is held against the list."""

import pytest
from textual.color import Color
from textual.theme import Theme

from mcpwatch.config import ThemeConfig
from mcpwatch.ui.theme import CONTRAST, DARK, LIGHT, TERMINAL, THEMES, custom, faults, variables

GROUNDS = ("background", "surface", "panel", "cursor", "cursor-away")
TONES = ("foreground", "dim", "primary", "success", "warning", "error")


def ratio(one: str, other: str) -> float:
    """The contrast of two colours, WCAG 2.2, 1 to 21."""

    def luminance(text: str) -> float:
        colour = Color.parse(text)
        parts = [part / 255 for part in (colour.r, colour.g, colour.b)]
        red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("tone", TONES)
@pytest.mark.parametrize("ground", GROUNDS)
@pytest.mark.parametrize(("theme", "least"), [(DARK, 4.5), (LIGHT, 4.5), (CONTRAST, 7.0)], ids=lambda each: "")
def test_a_tone_can_be_read_on_a_ground(theme: Theme, least: float, ground: str, tone: str) -> None:
    colours = {**theme.to_color_system().generate(), **variables(theme)}
    assert ratio(colours[tone], colours[ground]) >= least, f"{theme.name}: {tone} on {ground}"


@pytest.mark.parametrize("tone", ["error", "primary"])
@pytest.mark.parametrize("theme", [DARK, LIGHT, CONTRAST], ids=lambda theme: theme.name)
def test_a_filled_tone_can_be_read(theme: Theme, tone: str) -> None:
    colours = theme.to_color_system().generate()
    assert ratio(colours["background"], colours[tone]) >= 4.5


def test_the_theme_of_the_terminal_has_no_colour_but_the_terminals() -> None:
    named = {getattr(TERMINAL, name) for name in ("primary", "foreground", "background", "surface", "panel", "error")}
    assert all(colour.startswith("ansi_") for colour in {*named, *variables(TERMINAL).values()})


def test_a_theme_of_ones_own_is_its_base_with_other_colours() -> None:
    (theme,) = custom({"mine": ThemeConfig(base=DARK.name, primary="#ff8800", background="#ffffff")})
    assert (theme.name, theme.primary, theme.accent, theme.background) == ("mine", "#ff8800", "#ff8800", "#ffffff")
    assert (theme.error, theme.dark) == (DARK.error, False)


@pytest.mark.parametrize(
    ("themes", "chosen", "at", "says"),
    [
        ({"mine": ThemeConfig(base="mcpwatch-drak")}, "", ("themes", "mine", "base"), "mcpwatch-dark"),
        ({"mine": ThemeConfig(base=TERMINAL.name)}, "", ("themes", "mine", "base"), "colours of its own"),
        ({"nord": ThemeConfig()}, "", ("themes", "nord"), "give it another"),
        ({"mine": ThemeConfig()}, "mien", ("ui", "theme"), "mine"),
    ],
)
def test_what_cannot_be_is_told(themes: dict[str, ThemeConfig], chosen: str, at: tuple[str, ...], says: str) -> None:
    (fault,) = faults(themes, chosen)
    assert fault.at == at and says in fault.what


def test_every_theme_of_ours_can_be_chosen() -> None:
    assert not [fault for theme in THEMES for fault in faults({}, theme.name)]
