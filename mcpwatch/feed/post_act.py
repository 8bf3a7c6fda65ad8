"""Writing an act into a gateway's log (SPEC.md, section 8)."""

import httpx
import msgspec

from mcpwatch.errors import ConnectError, McpwatchError, RefusedError
from mcpwatch.feed.acts import Accepted, ActConflict
from mcpwatch.feed.address import acts_path
from mcpwatch.feed.failures import MAX_ERROR, ErrorBody, describe
from mcpwatch.feed.queries import beginning
from mcpwatch.model.entries import AlertActed

NOT_DONE = "Nothing was changed. Try again, or look at how the feed stands."
UNKNOWN = "It may have taken it all the same; the alert's history will show. Trying again cannot do it twice."
_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.InvalidURL, httpx.UnsupportedProtocol)
_MAX_SAID = 500


async def post_act(client: httpx.AsyncClient, address: str, acted: AlertActed) -> int:
    """Write an act into the log at `address`; returns the entry's index. Raises as `ActLog.post` says."""
    body = msgspec.json.encode(acted)
    try:
        async with client.stream(
            "POST", address + acts_path(acted.alert), content=body, headers={"Content-Type": "application/json"}
        ) as response:
            said = await beginning(response, MAX_ERROR)
    except _NEVER_SENT as error:
        raise ConnectError(f"The gateway did not take it: {describe(error)}", NOT_DONE) from None
    except (httpx.HTTPError, OSError, ValueError) as error:
        raise ConnectError(f"The gateway did not say that it took it: {describe(error)}", UNKNOWN) from None
    if response.status_code != 201:
        raise _refusal(response.status_code, said)
    try:
        return msgspec.json.decode(said, type=Accepted).index
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise ConnectError("The gateway's answer says nothing", UNKNOWN) from None


def _refusal(status: int, said: bytes) -> McpwatchError:
    try:
        told = msgspec.json.decode(said, type=ErrorBody)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        told = ErrorBody()
    title = told.error[:_MAX_SAID] or f"HTTP {status}"
    hint = told.hint[:_MAX_SAID] or NOT_DONE
    if status == 409:
        return ActConflict(title, hint)
    if status >= 500:
        return ConnectError(f"The gateway did not say that it took it: {title}", told.hint[:_MAX_SAID] or UNKNOWN)
    kind = RefusedError if status in (401, 403) else ConnectError
    return kind(f"The gateway did not take it: {title}", hint)
