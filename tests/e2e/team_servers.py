"""The servers of a team, as people write them: run as a program, it prints where they are and serves until it ends.

Every one answers both protocol eras. Nothing in them attacks anybody; what looks like it is what such servers hold.
"""

import asyncio
import json
import logging
import warnings

import uvicorn
from team_documents import tracker, wiki, workspace
from team_services import billing, builds, catalog, post, warehouse

from mcpwatch.demo import lifeline
from mcpwatch.demo.servers.__main__ import Server, listener

SERVERS = (tracker, wiki, workspace, builds, warehouse, post, billing, catalog)


async def serve() -> None:
    """Serve until the process ends."""
    apps = {make.__name__: make() for make in SERVERS}
    logging.disable(logging.ERROR)
    sockets = {name: listener() for name in apps}
    addresses = {name: f"http://127.0.0.1:{bound.getsockname()[1]}/mcp" for name, bound in sockets.items()}
    print(json.dumps(addresses), flush=True)
    configs = {name: uvicorn.Config(app, log_config=None, access_log=False) for name, app in apps.items()}
    await asyncio.gather(*(Server(configs[name]).serve([bound]) for name, bound in sockets.items()))


if __name__ == "__main__":
    lifeline.hold()
    warnings.simplefilter("ignore")
    asyncio.run(serve())
