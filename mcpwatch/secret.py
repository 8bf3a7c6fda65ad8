"""Secrets never print."""

from pathlib import Path

from mcpwatch.files import read_private


class Secret:
    """A string that must not reach a log, a repr or a crash report; `reveal` is the only way to read it."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        return self._value

    def __repr__(self) -> str:
        return "***"

    __str__ = __repr__

    def __reduce__(self) -> str:
        raise TypeError("a secret cannot be pickled")


def read_secret(path: Path) -> Secret:
    """The secret in a file that only its owner can read, without the white space around it; raises LocalError."""
    return Secret(read_private(path).decode("ascii", "replace").strip())
