"""A way to somebody outside."""

from typing import Protocol


class Undelivered(Exception):
    """A message did not arrive; the text says why and holds no secret.

    `again_s` is how many seconds the other end asks to be left alone, 0 for no wish, None where sending the same
    message again makes no sense.
    """

    def __init__(self, reason: str, again_s: float | None = None) -> None:
        super().__init__(reason)
        self.again_s = again_s


class Channel(Protocol):
    """One way; one message at a time."""

    name: str
    """What the operator knows it by, without its secrets."""

    async def send(self, message: bytes) -> None:
        """Deliver a message, JSON on one line; raises Undelivered and nothing else."""

    async def close(self) -> None:
        """Let go of what it holds."""
