"""What a start loads: nothing that waits until somebody asks for it."""

import subprocess
import sys
from typing import NamedTuple

import pytest


class Start(NamedTuple):
    """A row: what is imported before the command is there, and the modules that must not come along."""

    code: str
    waiting: tuple[str, ...]


_SCREEN = "from mcpwatch.ui import app, settings"
_RARE = ("aiohttp", "cryptography", "prometheus_client", "mcpwatch.export", "mcpwatch.gateway", "mcpwatch.report")
"""The gateway, keys that are not Ed25519, metrics, exports and reports."""
STARTS = {
    "--version": Start(
        "from mcpwatch.cli import main; main(['--version'])", (*_RARE, "asyncio", "httpx", "nacl", "rich", "textual")
    ),
    "tail": Start("from mcpwatch.commands import tail", (*_RARE, "textual", "mcpwatch.ui", "mcpwatch.notify.webhook")),
    "watch": Start(
        f"from mcpwatch.commands import watch; {_SCREEN}",
        (*_RARE, "importlib.metadata", "mcpwatch.demo", "mcpwatch.notify.webhook", "mcpwatch.ui.replay"),
    ),
    "replay": Start(
        f"from mcpwatch.commands import replay; {_SCREEN}; from mcpwatch.ui import replay", (*_RARE, "httpx")
    ),
}


@pytest.mark.parametrize("name", STARTS)
def test_a_start_loads_only_what_it_needs(name: str) -> None:
    start = STARTS[name]
    code = f"import sys; {start.code}; print(*sys.modules, sep='\\n')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.splitlines())
    assert "mcpwatch" in loaded
    assert {module for module in start.waiting if module in loaded} == set()
