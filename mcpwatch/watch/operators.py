"""Whose acts on alerts count: whoever signs, or those whose keys the configuration lists."""

from collections.abc import Iterable


class Operators:
    """The keys of `[watch] operators`: a fingerprint each, and a name where there is one behind a blank."""

    def __init__(self, listed: Iterable[str] = ()) -> None:
        split = (entry.partition(" ") for entry in listed)
        self._names = {fingerprint: name.strip() for fingerprint, _, name in split}

    def name(self, key: str) -> str | None:
        """What the configuration calls the holder of a key, empty for no name; None where it does not list the key."""
        return self._names.get(key)

    def fault(self, key: str) -> str:
        """Why what is signed with a key does not count, or without a key where that is empty; empty where it does."""
        if not self._names or key in self._names:
            return ""
        return (
            "its key is not listed in [watch] operators"
            if key
            else "nobody signed it, and [watch] operators lists who may"
        )


ANYBODY = Operators()
