"""Servers at one address: what is sent to one of them by its name may reach another by the path."""

import re
from collections.abc import Iterable
from urllib.parse import urlsplit

from mcpwatch.hosts import is_loopback
from mcpwatch.model.entries import UpstreamInfo

_PLAIN = re.compile(r"(?:/(?!\.{0,2}(?:/|$))[A-Za-z0-9._~-]+)*/?")
"""A path that all servers read alike: no octet is encoded, no segment empty or made of dots."""
_PORTS = {"http": 80, "https": 443}


class Neighbours:
    """The servers behind a gateway, by where they are."""

    def __init__(self, upstreams: Iterable[UpstreamInfo]) -> None:
        self._places: dict[str, str] = {}
        self._at: dict[str, dict[str, str]] = {}
        for one in upstreams:
            parts = urlsplit(one.url)
            host = parts.hostname or ""
            place = f"{'localhost' if is_loopback(host) else host}:{parts.port or _PORTS.get(parts.scheme)}"
            self._places[one.name] = place
            self._at.setdefault(place, {})[one.name] = parts.path.rstrip("/").casefold()

    def place(self, name: str) -> str:
        """Host and port of a server, the same for all that are there."""
        return self._places.get(name, name)

    def reached(self, name: str, target: str) -> tuple[str, ...]:
        """The servers that a target, in origin-form, may reach when it is sent to the one called `name`.

        These are that one and the others at its address whose path fits as well or better; where servers may read
        the target's path in other ways, all of them.
        """
        there = self._at.get(self.place(name), {})
        if len(there) < 2:
            return (name,)
        path = target.partition("?")[0]
        if not _PLAIN.fullmatch(path):
            return (name, *(other for other in there if other != name))
        # Some servers do not tell letters of paths by their case.
        path = f"{path.rstrip('/').casefold()}/"
        fits = {other: len(prefix) for other, prefix in there.items() if path.startswith(f"{prefix}/")}
        best = max(fits.values(), default=0)
        return (name, *(other for other, length in fits.items() if other != name and length == best))
