"""How often the interpreter looks for garbage in cycles."""

import gc

THRESHOLDS = (20_000, 20, 100)
"""Objects made and not freed, young looks, and middle looks between two looks of the next older kind."""


def collect_seldom() -> None:
    """Let it look less often than it does by itself, and never at what was there before.

    Nearly all that a watcher or a gateway makes is freed without a look, or lives long: by itself the interpreter
    spends a tenth of the time on looking.
    """
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)
