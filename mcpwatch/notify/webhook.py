"""A URL of the operator's that each message is posted to."""

import asyncio
import time
from collections.abc import Callable

import httpx

from mcpwatch.http_fields import retry_after
from mcpwatch.notify.channel import Undelivered
from mcpwatch.notify.options import place
from mcpwatch.secret import Secret

TIMEOUT_S = 10.0
"""From the first octet sent to the end of the answer's head."""
MAX_WAIT_S = 300.0
"""The longest that a Retry-After is heeded."""
_TRY_AGAIN = frozenset({408, 425, 429})


class WebhookChannel:
    """Posts JSON, without redirects, proxies, cookies or compression; of the answer only the status is read."""

    def __init__(
        self,
        url: str,
        token: Secret | None = None,
        *,
        clock: Callable[[], float] = time.time,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """`clock` gives seconds since the epoch; `transport` takes the place of the network."""
        self.name = f"the webhook at {place(url)}"
        self._url = url
        self._clock = clock
        headers = {"Content-Type": "application/json", "Accept-Encoding": "identity", "User-Agent": "mcpwatch"}
        if token is not None:
            headers["Authorization"] = f"Bearer {token.reveal()}"
        self._client = httpx.AsyncClient(
            transport=transport, headers=headers, timeout=TIMEOUT_S, follow_redirects=False, trust_env=False
        )

    async def send(self, message: bytes) -> None:
        """Post it; raises Undelivered."""
        try:
            # The answer's body is not read: nothing in it matters, and it could be endless.
            async with (
                asyncio.timeout(TIMEOUT_S),
                self._client.stream("POST", self._url, content=message) as response,
            ):
                status, asked = response.status_code, response.headers.get("retry-after", "")
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
            raise Undelivered(f"it cannot be reached: {type(error).__name__}", 0.0) from None
        finally:
            self._client.cookies.clear()
        if 200 <= status < 300:
            return
        wait = min(retry_after(asked, self._clock()) or 0.0, MAX_WAIT_S)
        again = status in _TRY_AGAIN or status >= 500
        raise Undelivered(f"it answers with HTTP status {status}", wait if again else None)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()
