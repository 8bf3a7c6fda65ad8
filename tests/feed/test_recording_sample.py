"""The recording of a gateway's run that was committed with version 1 of the format: it opens and verifies for ever."""

import json
from collections import Counter
from pathlib import Path

import pytest
from taped import read

from mcpwatch.cli import main

SAMPLE = Path(__file__).parent / "samples" / "gateway-run.mcpfeed"


def test_the_sample_is_read_as_it_was_written() -> None:
    recorded, entries = read(SAMPLE)
    assert recorded.is_proven
    assert recorded.recording.head.version == 1
    assert recorded.status.origin == "mcpwatch.local/25a32b1a"
    kinds = Counter(type(entry.record.data).__name__ for entry in entries if entry.record is not None)
    assert sum(kinds.values()) == len(entries) == 22
    assert kinds["Request"] == 6 and kinds["GatewayStarted"] == 1


def test_every_signature_in_it_verifies(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", str(SAMPLE), "--offline", "--format", "json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert [(each["scheme"], each["verdict"], each["count"]) for each in report["signatures"]] == [
        ("rfc9421", "VERIFIED", 6)
    ]
    assert (report["first"], report["last"], report["verified_size"], report["pending"]) == (0, 21, 22, 0)
