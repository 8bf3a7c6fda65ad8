"""Who may knock: the Host and Origin checks that keep web pages away from a listener (DNS rebinding).

MCP 2025-11-25 and 2026-07-28, Streamable HTTP, security warning: an Origin that is not allowed MUST be
answered 403. The official SDK answers a Host that is not allowed with 421.
"""

from collections.abc import Iterable
from urllib.parse import urlsplit

from aiohttp.web import BaseRequest

from mcpwatch.hosts import is_loopback


class Guard:
    """Allow-lists of a listener; loopback names are always good hosts, in any spelling of their port.

    `hosts` are names, with a port or for any port; `origins` are whole origins such as `https://app.example`.
    With `local_origins` pages served from this machine may come in too.
    """

    def __init__(self, hosts: Iterable[str] = (), origins: Iterable[str] = (), *, local_origins: bool = True) -> None:
        self._hosts = frozenset(host.lower() for host in hosts)
        self._origins = frozenset(origin.lower().rstrip("/") for origin in origins)
        self._local_origins = local_origins

    def host(self, value: str, local_address: str) -> bool:
        """Whether the Host header `value` names this listener, whose socket is at `local_address`."""
        value = value.lower()
        name = host_name(value)
        return is_loopback(name) or name in self._hosts or value in self._hosts or (name == local_address != "")

    def origin(self, value: str) -> bool:
        """Whether a page from the origin `value` may come in; agents that are no browsers send none."""
        value = value.lower()
        if value in self._origins:
            return True
        try:
            parts = urlsplit(value)
            local = parts.scheme in ("http", "https") and is_loopback(parts.hostname or "")
        except ValueError:
            return False
        return self._local_origins and local


def local_address(request: BaseRequest) -> str:
    """The address of the listener's own end of the connection; empty when that has gone."""
    name = request.transport.get_extra_info("sockname") if request.transport is not None else None
    return str(name[0]) if name else ""


def host_name(authority: str) -> str:
    """The name in `name`, `name:port`, `[v6]` or `[v6]:port`, without brackets."""
    if authority.startswith("["):
        return authority[1:].partition("]")[0]
    return authority.partition(":")[0]
