"""Where things are, as the agents are told."""

from msgspec import Struct


class Places(Struct, frozen=True):
    """Addresses."""

    gateway: str
    registry: str = ""
    directory: str = ""
    """Of the key directory."""
