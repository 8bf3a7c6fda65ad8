"""What a watcher asks a log beside its stream: its introduction, and proofs (SPEC.md, sections 4 and 9)."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import httpx

from mcpwatch.errors import ConnectError, LocalError, RefusedError
from mcpwatch.feed.about import MAX_ABOUT, About, parse_about
from mcpwatch.feed.address import CHECKPOINT_PATH, CONSISTENCY_PATH, INCLUSION_PATH
from mcpwatch.feed.comparison import Comparison, Verdict, asks, compare
from mcpwatch.feed.failures import (
    CONNECT_TIMEOUT,
    MAX_ERROR,
    NOT_A_FEED,
    READ_TIMEOUT,
    Refused,
    TryLater,
    describe,
    judge_status,
)
from mcpwatch.feed.note import NoteVerifier
from mcpwatch.feed.proof_answers import (
    MAX_ANSWER,
    ConsistencyAnswer,
    InclusionAnswer,
    parse_consistency,
    parse_inclusion,
)
from mcpwatch.feed.source import Clock
from mcpwatch.feed.vkey import BadNote
from mcpwatch.http_fields import media_type
from mcpwatch.model.feed import Checkpoint
from mcpwatch.secret import Secret

ANSWER_TIMEOUT = READ_TIMEOUT
"""Seconds for an answer that is no stream, head and body, and for the head of the stream."""
NO_SUCH_PROOF = frozenset({400, 404, 405, 501})
"""Statuses by which a gateway says that it gives no proof."""
NOT_ONE = ConsistencyAnswer(first=0, second=0, frontier=(), hashes=())
"""Stands for an answer that is not a proof of anything."""


def client(address: str, token: Secret, transport: httpx.AsyncBaseTransport | None = None) -> httpx.AsyncClient:
    """What asks a gateway: no redirects and no proxy, for the token would go along; raises OSError, ValueError."""
    keep_alive = [(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)]
    return httpx.AsyncClient(
        transport=transport
        or httpx.AsyncHTTPTransport(verify=authorities(address), trust_env=False, socket_options=keep_alive),
        headers={
            "Authorization": f"Bearer {token.reveal()}",
            "Accept-Encoding": "identity",
            "User-Agent": "mcpwatch",
        },
        timeout=httpx.Timeout(READ_TIMEOUT, connect=CONNECT_TIMEOUT, write=CONNECT_TIMEOUT),
        follow_redirects=False,
        trust_env=False,
    )


def authorities(address: str) -> ssl.SSLContext:
    """Who is believed about the name of the gateway: for https the usual authorities, else nobody."""
    if urlsplit(address).scheme == "https":
        return httpx.create_ssl_context(trust_env=False)
    # No certificate is shown over http, and to read those of all authorities takes longer than to connect.
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def sendable(token: Secret) -> Secret:
    """The token without white space around it; raises LocalError where it cannot stand in a header."""
    value = token.reveal().strip()
    if not value or not all("!" <= char <= "~" for char in value):
        raise LocalError("the token is empty or holds characters no token has", "Give the gateway's feed.token file.")
    return Secret(value)


@asynccontextmanager
async def in_time() -> AsyncIterator[None]:
    """Raise TryLater where an answer takes too long as a whole; one that drips meets no other limit."""
    try:
        async with asyncio.timeout(ANSWER_TIMEOUT):
            yield
    except TimeoutError:
        raise TryLater(f"no whole answer within {ANSWER_TIMEOUT:.0f} s") from None


async def ask_about(client: httpx.AsyncClient, address: str, clock: Clock) -> About:
    """What the log says of itself; raises as `check` does, TryLater where it takes too long, and httpx's errors."""
    async with in_time(), client.stream("GET", address + CHECKPOINT_PATH) as response:
        await check(response, _is_json, clock)
        about = parse_about(await beginning(response, MAX_ABOUT))
    if about is None:
        raise Refused(NOT_A_FEED)
    return about


async def ask_consistency(
    client: httpx.AsyncClient, address: str, first: int, second: int, clock: Clock
) -> ConsistencyAnswer | None:
    """The log's proof that its first `first` entries are those of `second`, not yet verified; None where it gives none.

    Raises as `ask_about` does.
    """
    params = {"first": str(first), "second": str(second)}
    async with in_time(), client.stream("GET", address + CONSISTENCY_PATH, params=params) as response:
        if response.status_code in NO_SUCH_PROOF:
            return None
        await check(response, _is_json, clock)
        return parse_consistency(await beginning(response, MAX_ANSWER)) or NOT_ONE


async def ask_inclusion(
    client: httpx.AsyncClient, address: str, index: int, size: int, clock: Clock
) -> InclusionAnswer | None:
    """The log's proof that entry `index` is among its first `size`, not yet verified; None where it gives none.

    Raises as `ask_about` does.
    """
    params = {"index": str(index), "size": str(size)}
    async with in_time(), client.stream("GET", address + INCLUSION_PATH, params=params) as response:
        if response.status_code in NO_SUCH_PROOF:
            return None
        await check(response, _is_json, clock)
        return parse_inclusion(await beginning(response, MAX_ANSWER))


async def ask_comparison(
    address: str,
    token: Secret,
    verifier: NoteVerifier,
    a: Checkpoint,
    b: Checkpoint,
    clock: Clock,
    transport: httpx.AsyncBaseTransport | None = None,
) -> Comparison:
    """Whether two checkpoints under one key are of the log at `address`; raises ConnectError and RefusedError."""
    try:
        async with client(address, sendable(token), transport) as asking:
            about = await ask_about(asking, address, clock)
            try:
                newest = verifier.open(about.note.encode())
            except BadNote as bad:
                return Comparison(Verdict.UNKNOWN, f"the log at {address} is not theirs: {bad.reason}")
            proofs = {
                first: await ask_consistency(asking, address, first, newest.size, clock) for first in asks(a, b, newest)
            }
    except (Refused, TryLater, httpx.HTTPError, OSError, ValueError) as error:
        raise failure(address, error) from None
    return compare(a, b, newest, proofs)


def failure(address: str, error: Exception) -> ConnectError | RefusedError:
    """The error a person sees where asking failed."""
    words = str(error) if isinstance(error, Refused | TryLater) else describe(error)
    kind = RefusedError if isinstance(error, Refused) and error.status in (401, 403) else ConnectError
    return kind(f"{address}: {words}")


async def check(response: httpx.Response, expected: Callable[[str], bool], clock: Clock) -> None:
    """Raise Refused or TryLater unless the answer is 200, not encoded, and of the expected type."""
    coded = response.headers.get("content-encoding", "identity").strip().lower() != "identity"
    if response.status_code != 200:
        judge_status(response, b"" if coded else await beginning(response, MAX_ERROR), clock())
    if coded:
        raise Refused("the answer is compressed, which a feed never is; is there a proxy in between?")
    kind = response.headers.get("content-type", "")
    if not expected(kind):
        raise Refused(f"{NOT_A_FEED} (it answers with {kind[:80] or 'no type'})")


def _is_json(kind: str) -> bool:
    return media_type(kind) == "application/json"


async def beginning(response: httpx.Response, limit: int) -> bytes:
    """The beginning of a body, at least `limit` octets of it if there are so many, and not much more."""
    data = bytearray()
    async for chunk in response.aiter_raw():
        data += chunk
        if len(data) >= limit:
            break
    return bytes(data)
