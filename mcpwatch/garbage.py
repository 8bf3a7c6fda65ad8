"""How often the interpreter looks for garbage in cycles."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

THRESHOLDS = (5_000, 10, 1_000)
"""Objects made and not freed, young looks, and middle looks between two looks of the next older kind.

A look of the oldest kind goes over all that is held, and nobody is served meanwhile: it comes once in many minutes.
"""


def collect_seldom() -> None:
    """Let it look less often than it does by itself, and never at what was there before.

    Nearly all that a watcher or a gateway makes is freed without a look, or lives long: by itself the interpreter
    spends a tenth of the time on looking.
    """
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)


@contextmanager
def no_look() -> Iterator[None]:
    """Do not look while modules are imported, nor at them afterwards: they stay, and looks are a tenth of a start."""
    was_looking = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_looking:
            gc.freeze()
            gc.enable()
