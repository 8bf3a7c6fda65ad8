"""The agents' keys: made for one run of the demo, some of them known to the operator."""

from pathlib import Path

from mcpwatch.demo.cast import CAST
from mcpwatch.identity.signer import AgentKey


def make_keys(folder: Path) -> dict[str, AgentKey]:
    """Make a key for each agent that signs and keep it in `folder`, 0600."""
    keys = {name: AgentKey.generate() for name, agent in CAST.items() if agent.signs}
    for name, key in keys.items():
        key.save(folder / name)
    return keys


def load_keys(folder: Path) -> dict[str, AgentKey]:
    """The keys that `make_keys` left in `folder`."""
    return {name: AgentKey.load(folder / name) for name, agent in CAST.items() if agent.signs}
