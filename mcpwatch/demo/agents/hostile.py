"""Acts of agents that do what they must not, and of those that do not know better."""

import contextlib
import time

from mcp.client.client import Client
from mcp.shared.exceptions import MCPError

from mcpwatch.demo.agents.messages import BodilessAuth
from mcpwatch.demo.agents.stage import Stage
from mcpwatch.demo.agents.tokens import access_token
from mcpwatch.demo.agents.wire import Wire, send_again

_SLOW_CLOCK_S = 1200.0


async def tampered(stage: Stage) -> None:
    """One octet of a signed refund is changed on its way."""
    async with stage.client("courier", "orders", wire=Wire(swap=(b'"amount":12.5', b'"amount":92.5'))) as orders:
        await orders.list_tools()
        await orders.call_tool("refund_order", {"number": "A-1042", "amount": 12.5})


async def replayed(stage: Stage) -> None:
    """A signed refund is sent a second time."""
    wire = Wire()
    async with stage.client("courier", "orders", wire=wire) as orders:
        await orders.list_tools()
        await orders.call_tool("refund_order", {"number": "A-1090", "amount": 3.0})
    await send_again(wire.last_call(), {"user-agent": "parrot/1.0"})


async def replayed_elsewhere(stage: Stage) -> None:
    """A signed call of one session is sent again in another."""
    theirs, own = Wire(), Wire()
    async with (
        stage.client("courier", "notes", "legacy", wire=theirs) as notes,
        stage.client("parrot", "notes", "legacy", wire=own) as other,
    ):
        await notes.list_tools()
        await notes.call_tool("read_note", {"id": "note-b40e6d58"})
        await other.list_tools()
        await send_again(theirs.last_call(), {"user-agent": "parrot/1.0", "mcp-session-id": own.session()})


async def taken_over(stage: Stage) -> None:
    """A known agent calls in a session that is bound to another."""
    theirs = Wire()
    async with stage.client("scribe", "notes", "legacy", wire=theirs) as notes:
        await notes.list_tools()
        await notes.call_tool("search_notes", {"query": "supplier"})
        async with stage.client("magpie", "notes", "legacy", wire=intruder(theirs)) as other:
            await other.call_tool("read_note", {"id": "note-5ad2c964"})
        await notes.call_tool("read_note", {"id": "note-5ad2c964"})


async def shared(stage: Stage) -> None:
    """Somebody else, unsigned too, sits in an unsigned session."""
    theirs = Wire()
    async with stage.client("tourist", "weather", "legacy", wire=theirs) as weather:
        await weather.list_tools()
        await weather.call_tool("stations", {})
        async with stage.client("cuckoo", "weather", "legacy", wire=intruder(theirs)) as other:
            await other.call_tool("stations", {})


async def probing(stage: Stage) -> None:
    """A guest tries what is for administrators, tool by tool."""
    async with stage.client("mole", "accounts", "legacy") as accounts:
        await accounts.list_tools()
        await accounts.call_tool("list_accounts", {})
        await refused(accounts, "export_accounts")
        await refused(accounts, "grant_role", account="bo@example.com", role="admin")
        await refused(accounts, "close_account", account="cy@example.com")
        await refused(accounts, "rotate_keys")


async def promoted(stage: Stage) -> None:
    """The person behind the token changes in mid-session, from a clerk to an administrator."""
    wire = Wire(headers={"authorization": f"Bearer {access_token('bo@example.com')}"})
    async with stage.client("mole", "accounts", "legacy", wire=wire) as accounts:
        await accounts.list_tools()
        await refused(accounts, "export_accounts")
        wire.headers["authorization"] = f"Bearer {access_token('ada@example.com')}"
        await accounts.call_tool("export_accounts", {})


async def unknown_key(stage: Stage) -> None:
    """A signature that holds, by a key that nobody knows."""
    async with stage.client("stranger", "orders") as orders:
        await orders.list_tools()
        await orders.call_tool("lookup_order", {"number": "A-1103"})


async def unheard_of(stage: Stage) -> None:
    """A signature under a name that nobody can look up."""
    async with stage.client("nomad", "orders") as orders:
        await orders.list_tools()
        await orders.call_tool("lookup_order", {"number": "A-1090"})


async def slow_clock(stage: Stage) -> None:
    """A signature that is twenty minutes old when it comes."""
    async with stage.client("rusty", "orders", clock=lambda: time.time() - _SLOW_CLOCK_S) as orders:
        await orders.list_tools()
        await orders.call_tool("lookup_order", {"number": "A-1042"})


async def body_left_out(stage: Stage) -> None:
    """A signature that covers everything but what is asked."""
    async with stage.client("intern", "orders", auth=BodilessAuth(stage.key("intern"))) as orders:
        await orders.list_tools()
        await orders.call_tool("refund_order", {"number": "A-1090", "amount": 1.0})


async def mislabelled(stage: Stage) -> None:
    """The header says one tool and the body another."""
    wire = Wire(headers={"mcp-name": "lookup_order"}, where=b'"refund_order"')
    async with stage.client("mole", "orders", wire=wire) as orders:
        await orders.list_tools()
        await refused(orders, "refund_order", number="A-1077", amount=90.0)


async def after_the_end(stage: Stage) -> None:
    """A session is ended, and then used."""
    wire = Wire()
    async with stage.client("tourist", "files", "legacy", wire=wire) as files:
        await files.list_tools()
        await files.call_tool("list_files", {})
    await send_again(wire.last_call(), {})


async def guessed(stage: Stage) -> None:
    """A tool is called that the server never offered."""
    async with stage.client("mole", "notes", "legacy") as notes:
        await notes.list_tools()
        await notes.call_tool("debug_dump", {"what": "environment"})


def intruder(theirs: Wire) -> Wire:
    """A network that puts calls into the session of somebody else."""
    return Wire(headers={"mcp-session-id": theirs.session()}, where=b'"tools/call"')


async def refused(client: Client, tool: str, **arguments: object) -> None:
    """Call a tool that the server will not let us have."""
    with contextlib.suppress(MCPError):
        await client.call_tool(tool, dict(arguments))
