"""What the demo says of itself while it runs."""

from msgspec import Struct


class Told(Struct, frozen=True):
    """An act began, or failed."""

    act: str
    shows: str
    failed: str = ""
    """Why, when it failed."""
