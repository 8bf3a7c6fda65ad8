"""Who goes by which name: on the operator's word, which decides, and on their own."""

import re

_VERSION = re.compile(r"\s+v?\d\S*$")


class SignerNames:
    """Two tables by name, compared without case and without the version at its end."""

    def __init__(self) -> None:
        self._called: dict[str, str] = {}
        self._claimed: dict[str, set[str]] = {}

    def call(self, id: str, before: str, name: str) -> None:
        """The operator calls `id` so, and not as before; empty for by no name."""
        if self._called.get(plain(before)) == id:
            del self._called[plain(before)]
        if name:
            self._called[plain(name)] = id

    def claim(self, id: str, name: str) -> None:
        """Who provably is `id` says of itself that it is called so."""
        self._claimed.setdefault(plain(name), set()).add(id)

    def unclaim(self, id: str, name: str) -> None:
        """Forget that claim."""
        claimants = self._claimed.get(plain(name), set())
        claimants.discard(id)
        if not claimants:
            self._claimed.pop(plain(name), None)

    def owner(self, name: str) -> str:
        """The id that the operator calls so; empty for none."""
        return self._called.get(plain(name), "")

    def claimants(self, name: str) -> int:
        """How many ids claim the name."""
        return len(self._claimed.get(plain(name), ()))


def plain(name: str) -> str:
    """A name as it is compared."""
    return _VERSION.sub("", name.casefold())
