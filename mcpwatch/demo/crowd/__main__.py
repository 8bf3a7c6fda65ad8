"""Let a crowd of agents call: `python -m mcpwatch.demo.crowd GATEWAY AGENTS RATE`, RATE in entries of the log a second.

Prints a JSON line, an `ActEvent`, every few seconds with the rate that was reached.
"""

import asyncio
import logging
import sys
import time

import msgspec
from aiohttp import ClientError, ClientSession, ClientTimeout, TCPConnector

from mcpwatch.demo import lifeline
from mcpwatch.demo.crowd.agents import Agent
from mcpwatch.demo.crowd.pace import Pace
from mcpwatch.demo.events import ActEvent

ENTRIES = 4
"""Of one call: its request, the head and the message of its answer, its end."""
TELLS_EVERY_S = 5.0
_AGAIN_S = 0.5


async def work(agent: Agent, pace: Pace) -> None:
    """Call as often as there are turns, for ever."""
    while True:
        await pace.turn()
        try:
            await agent.call()
        except (ClientError, TimeoutError):
            await asyncio.sleep(_AGAIN_S)


async def tell(pace: Pace, rate: float) -> None:
    """Say how many entries a second there were, next to how many were wanted."""
    while True:
        turns, since = pace.turns, time.monotonic()
        await asyncio.sleep(TELLS_EVERY_S)
        reached = (pace.turns - turns) * ENTRIES / (time.monotonic() - since)
        event = ActEvent("crowd", f"{reached:,.0f} of {rate:,.0f} entries a second")
        print(msgspec.json.encode(event).decode(), flush=True)


async def play(gateway: str, count: int, rate: float) -> None:
    """Let them all work until the process ends."""
    pace = Pace(rate / ENTRIES)
    connector = TCPConnector(limit=count, keepalive_timeout=60)
    async with ClientSession(connector=connector, timeout=ClientTimeout(total=30), auto_decompress=False) as http:
        agents = [Agent(number, gateway, http) for number in range(count)]
        await asyncio.gather(tell(pace, rate), *(work(agent, pace) for agent in agents))


if __name__ == "__main__":
    lifeline.hold()
    logging.disable(logging.ERROR)
    asyncio.run(play(sys.argv[1], int(sys.argv[2]), float(sys.argv[3])))
