"""Traffic captured between real clients and servers, by the rules: they tell of what is in it and of nothing else."""

import pytest
import wire
from shared import vectors
from verdicts import unsigned

from mcpwatch.detect.engine import Engine
from mcpwatch.traffic.fold import Traffic

UNSIGNED = {"identity/unsigned-call"}
NOBODYS = {*UNSIGNED, "session/anonymous"}
GUESSED = {"discovery/unlisted-tool"}
"""The client of these captures calls a tool `nope`, to see what comes of it."""
RAISED: dict[str, set[str]] = {
    "03": UNSIGNED | GUESSED,
    "04": UNSIGNED | GUESSED,
    "05": UNSIGNED | GUESSED,
    "06": NOBODYS | GUESSED,
    "07": NOBODYS | GUESSED,
    "08": NOBODYS | GUESSED,
    "11": UNSIGNED,
    "13": NOBODYS,
    "15": UNSIGNED,
}
"""First digits of a capture's name -> the rules that fire; no client in it signs or has a token."""


@pytest.mark.parametrize("name", RAISED)
def test_captured_traffic_raises_what_it_shows(name: str) -> None:
    path = next(iter(sorted(vectors("wire/mcp").glob(f"{name}_*.txt"))), None)
    if path is None:
        pytest.skip(f"shared/wire/mcp/{name}_*.txt is not present")
    traffic, engine = Traffic(), Engine()
    found = [finding for entry in wire.entries(path) for finding in engine.observe(traffic.apply(entry, unsigned()))]
    assert {finding.rule for finding in found} == RAISED[name]
    assert not engine.failures
