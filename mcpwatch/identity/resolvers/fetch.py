"""The one guarded GET of all resolvers. What an unproven request says decides where it goes, so little is allowed."""

import asyncio
import ssl
import time
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Self

from msgspec import Struct

from mcpwatch.http_fields import media_type, retry_after
from mcpwatch.identity.resolution import ThrottledError, Unavailable
from mcpwatch.identity.resolvers.rate_limit import RateLimit

# The HTTP client takes long to load, and most watchers ask nobody: each function that asks imports it.
if TYPE_CHECKING:
    import httpx

MAX_ANSWER = 262_144
"""Octets of an answer, unless the caller says otherwise."""
DEADLINE_S = 10.0
"""For a whole answer, name lookup included, however slowly it drips in."""
CONCURRENCY = 16
MAX_PAUSE_S = 3600.0
_PAUSE_S = 60.0
"""Silence after a 429 that does not say for how long."""
_MAX_URL = 2048
_MAX_PORT = 65_535
_TIMEOUT_S = 5.0


class Fetched(Struct, frozen=True):
    """A whole answer."""

    status: int
    media_type: str
    """Lower-case, without parameters; empty where there is none."""
    body: bytes


class Fetcher:
    """GET over https, to public addresses, without redirects, compression, cookies, proxies or credentials.

    A URL that the operator configured is `trusted`: http and private addresses are fine there. With `allow_private`
    private addresses are fine everywhere, and http on this machine's own names. Hosts are asked at the rates of
    `rate_limit`, and left alone while a Retry-After says so.
    """

    def __init__(
        self,
        *,
        allow_private: bool = False,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
        transport: "httpx.AsyncBaseTransport | None" = None,
        verify: ssl.SSLContext | None = None,
        deadline_s: float = DEADLINE_S,
    ) -> None:
        """`transport` takes the place of the network and its address guard; `verify` that of the usual CAs."""
        self._allow_private = allow_private
        self._clock = clock
        self._wall = wall
        self._transport = transport
        self._verify = verify
        self._deadline_s = deadline_s
        self._client: httpx.AsyncClient | None = None
        self._rate_limit = RateLimit()
        self._turn = asyncio.Semaphore(CONCURRENCY)

    async def get(
        self,
        url: str,
        *,
        who: str = "",
        accept: str = "application/json",
        limit: int = MAX_ANSWER,
        trusted: bool = False,
    ) -> Fetched:
        """The answer, whatever its status but 429, 503 and the redirects; `who` names the host in reasons.

        Raises Unavailable, and nothing else; ThrottledError when nobody was asked because it is not our turn.
        """
        import httpx

        from mcpwatch.identity.resolvers.addresses import AddressRefusedError

        target = self._checked(url, trusted)
        who = who or f"the host {target.host}"
        # Whoever names a host may name any port of it, and a name has two spellings.
        host = target.netloc.decode("ascii") if trusted else target.host.removesuffix(".")
        now = self._clock()
        quiet = self._rate_limit.quiet(host, now, trusted)
        if quiet:
            raise Unavailable(f"{who} asked not to be asked for another {quiet:.0f} s", quiet)
        wait = self._rate_limit.take(host, now, trusted)
        if wait:
            raise ThrottledError(f"{who} is not asked more often; its turn comes in {wait:.0f} s", wait)
        try:
            async with self._turn, asyncio.timeout(self._deadline_s):
                return await self._get(target, who, host, accept, limit, trusted)
        except AddressRefusedError as refused:
            raise Unavailable(f"{who} is not asked: {refused}") from None
        except TimeoutError:
            raise Unavailable(f"{who} did not answer within {self._deadline_s:.0f} s") from None
        except (httpx.HTTPError, httpx.StreamError, httpx.InvalidURL, OSError, ValueError) as error:
            raise Unavailable(f"{who} cannot be reached: {type(error).__name__}") from None

    async def aclose(self) -> None:
        """Close; a closed one may be used again."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    def _checked(self, url: str, trusted: bool) -> "httpx.URL":
        """The URL, when it may be asked at all. Raises Unavailable."""
        import httpx

        try:
            target = httpx.URL(url) if len(url) <= _MAX_URL else httpx.URL()
            host = target.host
        except (httpx.InvalidURL, UnicodeError):
            target, host = httpx.URL(), ""
        if not host or target.userinfo or (target.port is not None and not 0 < target.port <= _MAX_PORT):
            raise Unavailable("its address is none that can be asked")
        plain = target.scheme == "http" and (trusted or (self._allow_private and is_own_name(host)))
        if target.scheme != "https" and not plain:
            raise Unavailable("its address is not an https one")
        return target.copy_with(fragment=None)

    async def _get(self, target: "httpx.URL", who: str, host: str, accept: str, limit: int, trusted: bool) -> Fetched:
        from mcpwatch.identity.resolvers.addresses import OPEN

        client = self._opened()
        async with client.stream("GET", target, headers={"Accept": accept}, extensions={OPEN: trusted}) as response:
            status = response.status_code
            asked = retry_after(response.headers.get("retry-after", ""), self._wall())
            if status == 429 or (status == 503 and asked is not None):
                pause = _PAUSE_S if asked is None else min(max(asked, 1.0), MAX_PAUSE_S)
                self._rate_limit.silence(host, self._clock(), trusted, pause)
                raise Unavailable(
                    f"{who} answered with HTTP status {status}, to be asked again in {pause:.0f} s", pause
                )
            if 300 <= status < 400:
                raise Unavailable(f"{who} answered with a redirect, which is not followed")
            if response.headers.get("content-encoding", "identity") != "identity":
                raise Unavailable(f"{who} answered with a compressed body, which was not asked for")
            body = bytearray()
            async for chunk in response.aiter_raw():
                body += chunk
                if len(body) > limit:
                    raise Unavailable(f"the answer of {who} is longer than {limit} octets")
            return Fetched(status, media_type(response.headers.get("content-type", "")), bytes(body))

    def _opened(self) -> "httpx.AsyncClient":
        from http.cookiejar import CookieJar, DefaultCookiePolicy

        import httpx

        from mcpwatch.identity.resolvers.addresses import GuardedTransport

        if self._client is None:
            verify = True if self._verify is None else self._verify
            transport = self._transport or GuardedTransport(allow_private=self._allow_private, verify=verify)
            self._client = httpx.AsyncClient(
                follow_redirects=False,
                trust_env=False,
                timeout=_TIMEOUT_S,
                headers={"Accept-Encoding": "identity", "User-Agent": "mcpwatch"},
                cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
                transport=transport,
            )
        return self._client


def is_own_name(host: str) -> bool:
    """Whether a host is this machine by its name (RFC 6761, section 6.3) or address."""
    return host in ("localhost", "127.0.0.1", "::1") or host.endswith(".localhost")
