"""Acts of agents that do their work."""

import asyncio

from mcp.client.client import Client

from mcpwatch.demo.agents.stage import Chain, Stage

_ROUNDS = 4
_BUILD_S = 8.0
_LONG_BUILD_S = 15.0
_PARCELS = (("A-1042", 19.5), ("A-1090", 4.2), ("A-1042", 12.0))


async def refund(stage: Stage) -> None:
    """Three calls in one trace: the customer's orders, one of them, a small refund."""
    chain = Chain()
    number, amount = stage.random.choice(_PARCELS)
    async with stage.client("ledger", "orders") as orders:
        await orders.list_tools()
        await chain.call(orders, "list_orders", customer="C-88")
        await stage.pause()
        await chain.call(orders, "lookup_order", number=number)
        await stage.pause()
        await chain.call(orders, "refund_order", number=number, amount=amount)


async def large_refund(stage: Stage) -> None:
    """A refund that a person must agree to: the call comes back for input and is made again."""
    async with stage.client("ledger", "orders") as orders:
        await orders.list_tools()
        await orders.call_tool("lookup_order", {"number": "A-1077"})
        await stage.pause()
        await orders.call_tool("refund_order", {"number": "A-1077", "amount": 249.0})


async def mistyped_order(stage: Stage) -> None:
    """A call that the tool itself answers with an error."""
    async with stage.client("ledger", "orders") as orders:
        await orders.list_tools()
        await orders.call_tool("lookup_order", {"number": "A-9999"})


async def notes_shift(stage: Stage) -> None:
    """A protocol session that stays open: search, read and save, over and over."""
    async with stage.client("scribe", "notes", "legacy") as notes:
        await notes.list_tools()
        await notes.read_resource("notes://index")
        for number in range(_ROUNDS):
            chain = Chain()
            await chain.call(notes, "search_notes", query="refund")
            await stage.pause()
            await chain.call(notes, "read_note", id="note-7f3a91c2")
            await stage.pause(3.0)
            await chain.call(notes, "save_note", title=f"Summary {number}", text="Two refunds today.")
            await stage.pause(3.0)


async def late_parcel(stage: Stage) -> None:
    """One trace over two servers and both eras: a note leads to an order, the order to a refund."""
    chain = Chain()
    async with stage.client("courier", "notes", "legacy") as notes, stage.client("courier", "orders") as orders:
        await notes.list_tools()
        await chain.call(notes, "search_notes", query="late")
        await stage.pause()
        await chain.call(notes, "read_note", id="note-b40e6d58")
        await stage.pause()
        await orders.list_tools()
        await chain.call(orders, "lookup_order", number="A-1042")
        await stage.pause()
        await chain.call(orders, "refund_order", number="A-1042", amount=19.5)
        await stage.pause(4.0)


async def build(stage: Stage) -> None:
    """A long call with progress and log lines."""
    async with stage.client("forge", "builds", "legacy") as builds:
        await builds.list_tools()
        await builds.call_tool("list_builds", {"project": "shop"})
        await stage.pause()
        seconds = stage.seconds(_BUILD_S)
        await builds.call_tool("run_build", {"project": "shop", "seconds": seconds}, progress_callback=ignore)
        await stage.pause(4.0)


async def shards(stage: Stage) -> None:
    """Three long calls at once, without a session."""

    async def run(builds: Client, shard: int) -> None:
        await builds.call_tool("run_tests", {"project": "shop", "shard": shard}, progress_callback=ignore)

    async with stage.client("forge", "builds") as builds:
        await builds.list_tools()
        await asyncio.gather(*(run(builds, shard) for shard in (1, 2, 3)))


async def cancelled_build(stage: Stage) -> None:
    """A long call that its agent gives up after the first step."""
    begun = asyncio.Event()

    async def step(progress: float, total: float | None, message: str | None) -> None:
        begun.set()

    async with stage.client("forge", "builds") as builds:
        await builds.list_tools()
        arguments = {"project": "docs", "seconds": stage.seconds(_LONG_BUILD_S)}
        call = asyncio.ensure_future(builds.call_tool("run_build", arguments, progress_callback=step))
        waiting = asyncio.ensure_future(begun.wait())
        await asyncio.wait({call, waiting}, return_when=asyncio.FIRST_COMPLETED)
        call.cancel()
        waiting.cancel()
        await asyncio.wait({call, waiting})


async def weather(stage: Stage) -> None:
    """An agent that does not sign; the server changes its tool between two listings."""
    async with stage.client("tourist", "weather", "legacy") as weather:
        await weather.list_tools()
        for city in ("Bergen", "Porto"):
            await weather.call_tool("forecast", {"city": city})
            await stage.pause()
        await weather.list_tools(cache_mode="refresh")
        await stage.pause(3.0)


async def ignore(progress: float, total: float | None, message: str | None) -> None:
    """Asking for progress takes a callback."""
