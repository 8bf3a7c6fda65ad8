"""Acts of agents that sign in the many ways there are."""

from mcpwatch.demo.agents.receipts import Receipts
from mcpwatch.demo.agents.stage import Stage


async def reception(stage: Stage) -> None:
    """A session that begins with the agent's own key, and whose requests cover its id (SEP-2752)."""
    async with stage.client("concierge", "notes", "legacy") as notes:
        await notes.list_tools()
        await notes.call_tool("search_notes", {"query": "warehouse"})
        await stage.pause()
        await notes.call_tool("read_note", {"id": "note-e81f5b03"})
        await stage.pause(3.0)


async def crawl(stage: Stage) -> None:
    """An agent that says in each request where its keys are published (Web Bot Auth)."""
    async with stage.client("crawler", "notes") as notes:
        await notes.list_tools()
        await notes.call_tool("search_notes", {"query": "release"})
        await stage.pause()
        await notes.call_tool("read_note", {"id": "note-2c9d17ea"})


async def shopping(stage: Stage) -> None:
    """A shopping agent with an ES256 key, which its profile lists (UCP)."""
    async with stage.client("shopper", "orders") as orders:
        await orders.list_tools()
        await orders.call_tool("list_orders", {"customer": "C-51"})
        await stage.pause()
        await orders.call_tool("lookup_order", {"number": "A-1103"})


async def brokerage(stage: Stage) -> None:
    """An agent whose key a partner handed over in a file (JWKS)."""
    async with stage.client("broker", "orders") as orders:
        await orders.list_tools()
        await orders.call_tool("lookup_order", {"number": "A-1077"})


async def twice_signed(stage: Stage) -> None:
    """Two signatures on each request, both good."""
    async with stage.client("notary", "orders") as orders:
        await orders.list_tools()
        await orders.call_tool("lookup_order", {"number": "A-1042"})


async def audit(stage: Stage) -> None:
    """Three calls, each with a signed receipt that names the one before (Signet)."""
    chain = Receipts(stage.key("auditor"), "auditor")
    async with stage.client("auditor", "orders") as orders:
        await chain.call(orders, "list_orders", customer="C-88")
        await stage.pause()
        await chain.call(orders, "lookup_order", number="A-1042")
        await stage.pause()
        await chain.call(orders, "refund_order", number="A-1042", amount=2.5)


async def bound_token(stage: Stage) -> None:
    """An access token with a proof of the key that it is bound to (DPoP); of the body it says nothing."""
    async with stage.client("teller", "orders") as orders:
        await orders.list_tools()
        await orders.call_tool("lookup_order", {"number": "A-1090"})


async def token_only(stage: Stage) -> None:
    """A signed token that says who, and is no signature of the request."""
    async with stage.client("pilgrim", "orders") as orders:
        await orders.list_tools()
        await orders.call_tool("lookup_order", {"number": "A-1090"})


async def shared_secret(stage: Stage) -> None:
    """A MAC that only the server could check."""
    async with stage.client("hook", "orders") as orders:
        await orders.list_tools()
        await orders.call_tool("list_orders", {"customer": "C-12"})
