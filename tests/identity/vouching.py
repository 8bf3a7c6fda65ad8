"""Vouches as agents sign them."""

from base64 import b64encode
from hashlib import sha256

from signed import NOW

from mcpwatch.identity.agent_key import AgentKey
from mcpwatch.identity.resolution import ResolvedKey
from mcpwatch.identity.vouches import Checked, Vouch, verify_vouch

MADE = NOW - 3_600


def agent(name: str) -> AgentKey:
    """A key of its own for each name."""
    return AgentKey(sha256(name.encode()).digest())


def vouch(
    voucher: AgentKey,
    target: str,
    scope: str = "GENERAL",
    statement: str = "works on my team",
    *,
    id: str = "",
    name: str = "",
    created: float | None = MADE,
    expires: float | None = None,
) -> Vouch:
    """A vouch by `voucher`, under its did:aip unless `name` says otherwise."""
    did = name or voucher.did_aip
    signature = voucher.sign(f"{did}|{target}|{scope}|{statement}".encode())
    unique = id or sha256(f"{did}{target}{scope}{statement}".encode()).hexdigest()[:32]
    return Vouch(unique, did, target, scope, statement, created, expires, signature)


def checked(one: Vouch, key: AgentKey) -> Checked:
    """Checked with the voucher's only key."""
    return verify_vouch(one, (ResolvedKey(key.public),))


def text(data: bytes) -> str:
    """Standard base64."""
    return b64encode(data).decode()
