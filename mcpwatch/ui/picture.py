"""A screen as a picture that asks no other machine for anything."""

import re
from typing import Protocol

_FONTS = re.compile(r"@font-face \{.*?\}", re.DOTALL)


class Drawn(Protocol):
    """What the library can draw as SVG."""

    def export_screenshot(self, *, title: str | None = None, simplify: bool = False) -> str:
        """The screen as SVG."""
        ...


def picture(app: Drawn, title: str | None = None) -> str:
    """The screen as SVG without the fonts that the library would have a browser fetch: it takes its own then."""
    return _FONTS.sub("", app.export_screenshot(title=title))
