"""Acts of agents that pass for others, or that others are made to pass for."""

import time

import httpx2

from mcpwatch.demo.agents.stage import Stage
from mcpwatch.demo.agents.tokens import DpopAuth, access_token
from mcpwatch.demo.agents.wire import Wire
from mcpwatch.demo.cast import ADMIN
from mcpwatch.identity.agent_key import AgentKey
from mcpwatch.identity.signer import AipAuth, Rfc9421Auth

_FAST_CLOCK_S = 7200.0


async def fast_clock(stage: Stage) -> None:
    """A signature from two hours ahead."""
    async with stage.client("prophet", "orders", clock=lambda: time.time() + _FAST_CLOCK_S) as orders:
        await orders.list_tools()
        await orders.call_tool("lookup_order", {"number": "A-1042"})


async def false_name(stage: Stage) -> None:
    """An agent with a key of its own says that it is the one who may refund."""
    async with stage.client("magpie", "orders", called="ledger") as orders:
        await orders.list_tools()
        await orders.call_tool("refund_order", {"number": "A-1042", "amount": 39.0})


async def borrowed_token(stage: Stage) -> None:
    """An agent signs for itself and brings the administrator's access token."""
    wire = Wire(headers={"authorization": f"Bearer {access_token(ADMIN)}"})
    async with stage.client("magpie", "accounts", wire=wire) as accounts:
        await accounts.list_tools()
        await accounts.call_tool("export_accounts", {})


async def other_token(stage: Stage) -> None:
    """A proof of possession that was made for another access token."""
    key = stage.keys.p256["teller"]
    mine, theirs = (access_token(name, key.public) for name in ("teller@example.com", "cy@example.com"))
    async with stage.client("teller", "orders", auth=DpopAuth(key, mine, proven=theirs)) as orders:
        await orders.list_tools()
        await orders.call_tool("refund_order", {"number": "A-1090", "amount": 8.0})


async def second_signature(stage: Stage) -> None:
    """Beside the agent's own good signature stands one in another's name that it cannot have made."""
    async with stage.client("courier", "orders", auth=_Beside(stage.key("courier"), stage.key("scribe"))) as orders:
        await orders.list_tools()
        await orders.call_tool("refund_order", {"number": "A-1103", "amount": 5.0})


async def marked_up(stage: Stage) -> None:
    """The server signs its answer, and something behind it changes the price."""
    async with stage.client("ledger", "orders") as orders:
        await orders.list_tools()
        await orders.call_tool("quote_shipping", {"number": "A-1042"})


class _Beside:
    """AIP headers by one key, and a message signature in the name of another that does not hold."""

    def __init__(self, own: AgentKey, other: AgentKey) -> None:
        self._own = AipAuth(own, did=own.did_key)
        self._other = Rfc9421Auth(own, key_id=other.did_key)

    def __call__(self, request: httpx2.Request) -> httpx2.Request:
        return self._other(self._own(request))
