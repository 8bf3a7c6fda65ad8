"""One picture that moves, out of several that do not."""

import re
from collections.abc import Sequence

FRAME_S = 3.5
"""How long each is shown."""
_SIZE = re.compile(r'viewBox="0 0 ([0-9.]+) ([0-9.]+)"')


def animated(frames: Sequence[str]) -> str:
    """An SVG that shows SVGs of one size in turn, for ever; who wants no motion is shown the first."""
    size = _SIZE.search(frames[0])
    assert size is not None
    whole = FRAME_S * len(frames)
    style = "\n".join(
        (
            f"@keyframes turn {{ from {{ visibility: visible }} {100 / len(frames):.3f}% {{ visibility: hidden }} }}",
            f".frame {{ visibility: hidden; animation: turn {whole}s step-end infinite }}",
            *(f".frame-{number} {{ animation-delay: {number * FRAME_S}s }}" for number in range(len(frames))),
            "@media (prefers-reduced-motion: reduce) {",
            "  .frame { animation: none } .frame-0 { visibility: visible }",
            "}",
        )
    )
    shown = "\n".join(f'<g class="frame frame-{number}">{frame}</g>' for number, frame in enumerate(frames))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size[1]} {size[2]}">\n'
        f"<style>\n{style}\n</style>\n{shown}\n</svg>\n"
    )
