"""The processes that most end-to-end tests need, as a plugin of the whole run."""

import json
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from behind import Rig, open_rig
from processes import Process

from mcpwatch.demo.servers import DIRECTORY, REGISTRY


@pytest.fixture
async def rig(state_folder: Path, tmp_path: Path) -> AsyncIterator[Rig]:
    """A gateway with all servers of the demo behind it."""
    props = tmp_path / "props.json"
    props.write_text("{}")
    servers = await Process.run(sys.executable, "-m", "mcpwatch.demo.servers", str(props), stdin=subprocess.PIPE)
    addresses = json.loads(await servers.line(""))
    del addresses[REGISTRY], addresses[DIRECTORY]
    made = await open_rig(tuple(f"{name}={url}" for name, url in addresses.items()))
    yield made
    await made.gateway.end()
    await servers.end()
