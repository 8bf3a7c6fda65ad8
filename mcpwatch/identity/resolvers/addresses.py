"""Where a resolver may connect to: names are looked up once, and the address that was checked is the one used."""

import asyncio
import socket
import ssl
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

import httpx

MAX_TRIES = 3
"""Addresses of one host that are tried."""
MAX_LOOKUPS = 8
"""Names looked up at one time."""
OPEN = "mcpwatch.open"
"""Request extension: the operator named this very address, so it may be anywhere."""

Lookup = Callable[[str, int], Awaitable[list[str]]]
"""The addresses of a host, for a port. Raises OSError."""

_NAT64 = IPv6Network("64:ff9b::/96")
_UNICAST = IPv6Network("2000::/3")
_METADATA = frozenset({IPv4Address("168.63.129.16"), IPv4Address("192.0.0.192")})
"""Instance metadata that clouds serve on addresses which pass for public ones."""


class AddressRefusedError(Exception):
    """A host has no address that may be connected to."""

    def __init__(self, address: str) -> None:
        super().__init__(f"{address} is not a public address")
        self.address = address


def is_public(text: str) -> bool:
    """Whether an address is a unicast one of the open Internet, also where it wraps an IPv4 address."""
    try:
        address = ip_address(text)
    except ValueError:
        return False
    if isinstance(address, IPv6Address):
        inner = _wrapped(address)
        if inner is not None:
            return is_public(str(inner))
        if address not in _UNICAST or address.scope_id is not None:
            return False
    return address.is_global and not address.is_multicast and not address.is_reserved and address not in _METADATA


def _wrapped(address: IPv6Address) -> IPv4Address | None:
    """The IPv4 address that is really reached: mapped, 6to4, Teredo or NAT64 (RFC 6052)."""
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    teredo = address.teredo
    return address.ipv4_mapped or address.sixtofour or (teredo[1] if teredo else None)


class GuardedTransport(httpx.AsyncBaseTransport):
    """Connects to public addresses only, unless `allow_private`; TLS is still checked against the host's name."""

    def __init__(
        self,
        *,
        allow_private: bool = False,
        inner: httpx.AsyncBaseTransport | None = None,
        lookup: Lookup | None = None,
        verify: ssl.SSLContext | bool = True,
    ) -> None:
        # A kept connection would be found by its address alone, and serve another name than the one TLS checked.
        fresh = httpx.Limits(max_keepalive_connections=0)
        self._inner = inner or httpx.AsyncHTTPTransport(verify=verify, trust_env=False, limits=fresh)
        self._lookup = lookup or Names()
        # Names that answer slowly, which whoever writes a request can make up, take no turn of the operator's.
        self._own_lookup = lookup or Names()
        self._allow_private = allow_private

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        url = request.url
        is_own = request.extensions.get(OPEN) is True
        lookup = self._own_lookup if is_own else self._lookup
        found = await lookup(url.raw_host.decode("ascii"), url.port or (443 if url.scheme == "https" else 80))
        anywhere = self._allow_private or is_own
        allowed = [address for address in found if anywhere or is_public(address)]
        if not allowed:
            raise AddressRefusedError(found[0]) if found else OSError("no address")
        failure: httpx.TransportError | None = None
        for address in allowed[:MAX_TRIES]:
            try:
                return await self._inner.handle_async_request(_sent_to(request, address))
            except (httpx.ConnectError, httpx.ConnectTimeout) as error:
                failure = error
        assert failure is not None  # noqa: S101
        raise failure

    async def aclose(self) -> None:
        await self._inner.aclose()


def _sent_to(request: httpx.Request, address: str) -> httpx.Request:
    """The same request, to an address; its Host field and the name that TLS checks stay."""
    return httpx.Request(
        request.method,
        request.url.copy_with(host=address),
        headers=request.headers,
        stream=request.stream,
        extensions={**request.extensions, "sni_hostname": request.url.raw_host.decode("ascii")},
    )


class Names:
    """Looks names up as the system does, in threads that nobody waits for at the end."""

    def __init__(self, limit: int = MAX_LOOKUPS) -> None:
        self._turn = asyncio.Semaphore(limit)

    async def __call__(self, host: str, port: int) -> list[str]:
        """The host's addresses, in the system's order. Raises OSError."""
        await self._turn.acquire()
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[list[str]] = loop.create_future()

        def settle(found: list[str] | OSError) -> None:
            self._turn.release()
            if answer.cancelled():
                return
            if isinstance(found, OSError):
                answer.set_exception(found)
            else:
                answer.set_result(found)

        def look() -> None:
            found = _system_lookup(host, port)
            with suppress(RuntimeError):  # the loop is closed: nobody asks any more
                loop.call_soon_threadsafe(settle, found)

        threading.Thread(target=look, name="name lookup", daemon=True).start()
        return await answer


def _system_lookup(host: str, port: int) -> list[str] | OSError:
    try:
        rows = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, ValueError, OverflowError) as error:
        return error if isinstance(error, OSError) else OSError("not a host name")
    return list(dict.fromkeys(str(row[4][0]) for row in rows))
