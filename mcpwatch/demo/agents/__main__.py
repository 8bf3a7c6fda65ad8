"""Play the agents against a gateway: `python -m mcpwatch.demo.agents GATEWAY REGISTRY DIRECTORY KEYS SEED`.

Prints one JSON line for each act as it begins, and one when it fails.
"""

import asyncio
import logging
import sys
import warnings
from pathlib import Path

import msgspec

from mcpwatch.demo import lifeline
from mcpwatch.demo.agents.acts import Act
from mcpwatch.demo.agents.stage import Stage
from mcpwatch.demo.agents.story import play
from mcpwatch.demo.events import ActEvent
from mcpwatch.demo.keyring import load_keys
from mcpwatch.demo.places import Places


def tell(act: Act, failed: str) -> None:
    """Say it to the parent."""
    print(msgspec.json.encode(ActEvent(act.name, act.shows, failed)).decode(), flush=True)


if __name__ == "__main__":
    lifeline.hold()
    logging.disable(logging.ERROR)
    warnings.simplefilter("ignore")
    gateway, registry, directory, keys, seed = sys.argv[1:]
    stage = Stage(Places(gateway, registry, directory), load_keys(Path(keys)))
    asyncio.run(play(stage, int(seed), tell))
