"""A signing proxy on loopback, and the verdicts on what it sent."""

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from hashlib import sha256

from rig import Scripted

from mcpwatch.identity.judge import Judge
from mcpwatch.identity.keys import KeyBook
from mcpwatch.identity.replay import ReplayWindow
from mcpwatch.identity.signer import AgentKey
from mcpwatch.model.entries import Body, Request
from mcpwatch.model.identity import Verdict
from mcpwatch.signing.options import SigningOptions, parse_upstream
from mcpwatch.signing.outgoing import SCHEMES, Agent
from mcpwatch.signing.run import Signing

KEY = AgentKey(bytes(range(32)))
RPC = b'{"jsonrpc": "2.0",  "id": 1, "method":"tools/list", "x": 1.0e2, "x": "\\u00e9"}'


@asynccontextmanager
async def signing(
    upstream: str, scheme: str = "rfc9421", agent: Agent | None = None, **options: object
) -> AsyncIterator[Signing]:
    """A signing proxy on a free port before `upstream`."""
    made = {"upstream": parse_upstream(upstream), "agent": agent or Agent(KEY), "scheme": SCHEMES[scheme]}
    running = Signing(SigningOptions(**({"listen": ("127.0.0.1", 0)} | made | options)))  # type: ignore[arg-type]
    await running.start()
    try:
        yield running
    finally:
        await running.stop()


def as_logged(head: bytes, body: bytes) -> Request:
    """What a gateway would log of a request that came like this."""
    first, *lines = head.decode("latin-1").split("\r\n")
    method, target, _ = first.split(" ")
    fields = tuple((name.lower(), value.strip()) for name, _, value in (line.partition(":") for line in lines if line))
    carried = Body(len(body), sha256(body).hexdigest(), body.decode()) if body else None
    return Request("demo", method, "http", dict(fields)["host"], target, "127.0.0.1:5", fields, carried)


def verdicts(server: Scripted, *keys: AgentKey, clock: Callable[[], float] = time.time) -> list[Verdict]:
    """On all that the server got, with these keys pinned and `KEY`."""
    book = KeyBook()
    for key in (KEY, *keys):
        book.pin(key.did_aip, key.public)
    judge = Judge(book, ReplayWindow())
    return [judge.judge(index, as_logged(*got), clock()) for index, got in enumerate(server.requests)]
