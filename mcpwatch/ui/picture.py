"""A screen as a picture that asks no other machine for anything."""

import re

from textual.app import App

_FONTS = re.compile(r"@font-face \{.*?\}", re.DOTALL)


def picture(app: App[None], title: str | None = None) -> str:
    """The screen as SVG without the fonts that the library would have a browser fetch: it takes its own then."""
    return _FONTS.sub("", app.export_screenshot(title=title))
