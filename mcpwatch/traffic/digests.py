"""Digests of tool definitions that are no longer held themselves."""

from hashlib import sha256
from typing import Final

from msgspec import Struct

from mcpwatch.model.tools import Tool

SIZE: Final = 16
"""Octets kept of a SHA-256: nobody finds another definition to the same 128 bits."""


class Known(Struct, frozen=True, gc=False):
    """What is left of a tool."""

    digest: bytes
    first_seen: int
    changed: int

    def fits(self, digest: str) -> bool:
        """Whether that is the SHA-256, in hex, of the definition it had."""
        return bytes.fromhex(digest)[:SIZE] == self.digest


class Digests:
    """At most `limit` of them; past it the server with the most gives up its newest.

    What came first is what agents came to trust, so however much a server lists after it does not push it out.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._count = 0
        self._servers: dict[str, dict[bytes, Known]] = {}

    def find(self, upstream: str, name: str) -> Known | None:
        """What is left of that tool."""
        return self._servers.get(upstream, {}).get(_key(name))

    def keep(self, tool: Tool) -> None:
        """Keep what is to be left of a tool; one that was here before stays in its place."""
        server, key = self._servers.setdefault(tool.upstream, {}), _key(tool.name)
        self._count += key not in server
        server[key] = Known(bytes.fromhex(tool.digest)[:SIZE], tool.first_seen, tool.changed)
        if self._count > self._limit:
            max(self._servers.values(), key=len).popitem()
            self._count -= 1


def _key(name: str) -> bytes:
    return sha256(name.encode(errors="surrogatepass")).digest()[:SIZE]
