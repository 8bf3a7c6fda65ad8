"""Who gets in: every Host, Origin and token in every combination, at every address of the feed's listener."""

from itertools import product
from pathlib import Path

from msgspec import Struct
from rig import connect, gateway
from watcher import token_of

from mcpwatch.gateway.folder import operator_token_path

NOWHERE = "http://127.0.0.1:9/mcp"
OURS = "https://desk.example"
HOSTS = {
    b"127.0.0.1": True,
    b"localhost:4181": True,
    b"[::1]": True,
    b"gate.example": True,
    b"evil.example": False,
    b"127.0.0.1.evil.example": False,
    b"": False,
}
"""By the Host field, whether it may name the listener; a name rebound to this machine may not."""
ORIGINS = {(): True, (OURS.encode(),): True, (b"null",): False, (b"http://localhost:3000",): False}
ORIGINS |= {(b"https://evil.example",): False, (OURS.encode(), b"https://evil.example"): False}
"""By the Origin fields."""
TOKENS = {"": (), "wrong": (), "reading": ("read",), "operator": ("read", "act")}
"""By whose token comes, what it may do."""


class Door(Struct, frozen=True):
    """An address and what it asks for."""

    head: bytes
    scope: str
    inside: int
    """The status for who gets in."""


DOORS = (
    Door(b"GET /v1/checkpoint", "read", 200),
    Door(b"GET /v1/feed", "read", 200),
    Door(b"GET /v1/proof/consistency?first=1&second=1", "read", 200),
    Door(b"GET /v1/proof/inclusion?index=0&size=1", "read", 200),
    Door(b"GET /v1/health", "read", 200),
    Door(b"GET /metrics", "read", 200),
    Door(b"GET /v1/nothing", "read", 404),
    Door(b"POST /v1/alerts/0123456789ab/acts", "act", 415),
)


async def test_who_gets_in(tmp_path: Path) -> None:
    """Row 33: 403 for a Host or an Origin, 401 for a token, 403 for what a token may not do, in this order."""
    async with gateway(
        tmp_path, NOWHERE, allowed_hosts=("gate.example",), allowed_origins=(OURS,), metrics=True
    ) as running:
        await running.log.sign_now()
        tokens = {"reading": token_of(tmp_path), "operator": operator_token_path(tmp_path).read_text().strip()}
        for door, host, origins, whose in product(DOORS, HOSTS, ORIGINS, TOKENS):
            fields = [b"Host: " + host, *(b"Origin: " + origin for origin in origins)]
            if whose:
                fields.append(b"Authorization: Bearer " + tokens.get(whose, whose).encode())
            talk = await connect(running.feed_address)
            await talk.send(b"\r\n".join((door.head + b" HTTP/1.1", *fields, b"Content-Length: 0", b"", b"")))
            status = int((await talk.reader.readuntil(b"\r\n\r\n"))[9:12])
            talk.writer.close()
            assert status == expected(door, host, origins, whose), (door, host, origins, whose)


def expected(door: Door, host: bytes, origins: tuple[bytes, ...], whose: str) -> int:
    if not HOSTS[host] or not ORIGINS[origins]:
        return 403
    if not TOKENS[whose]:
        return 401
    return door.inside if door.scope in TOKENS[whose] else 403
