"""On a terminal of sixteen colours no text takes the colour of its ground."""

import pytest
from hands import hands
from rich.color import ColorSystem
from rich.segment import Segment
from scene import Scene

from mcpwatch.ui.theme import CONTRAST, DARK, LIGHT

pytest_plugins = ["played"]

WALK = ("1 j", "enter", "escape 2", "enter", "escape 3", "4", "5", "6", "question_mark")


def is_lost(segment: Segment) -> bool:
    """Whether a segment's words cannot be told from what they stand on."""
    style = segment.style
    if style is None or style.color is None or style.bgcolor is None or not any(map(str.isalnum, segment.text)):
        return False
    ink, ground = (each.downgrade(ColorSystem.STANDARD) for each in (style.color, style.bgcolor))
    return ink.number == ground.number


@pytest.mark.parametrize("theme", [DARK.name, LIGHT.name, CONTRAST.name])
async def test_every_word_stands_out_from_its_ground(scene: Scene, theme: str) -> None:
    async with hands(scene, (120, 36)) as at:
        at.app.theme = theme
        words, lost = 0, []
        for keys in WALK:
            await at.press(*keys.split())
            for strip in at.app.screen._compositor.render_strips():
                words += sum(any(map(str.isalnum, segment.text)) for segment in strip)
                lost += [segment.text for segment in strip if is_lost(segment)]
    assert words > 500 and lost == []
