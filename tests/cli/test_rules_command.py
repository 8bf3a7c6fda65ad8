"""`mcpwatch rules` tells the catalogue, all of it and nothing else."""

import json

import pytest

from mcpwatch.cli import main
from mcpwatch.detect.rules import CATALOGUE
from mcpwatch.model.alerts import RuleInfo, Setting, Severity


def out_of(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert main(["rules", *words]) == 0
    return capsys.readouterr().out


def test_without_a_word_each_rule_has_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    lines = out_of(capsys).splitlines()
    assert [line.split()[:2] for line in lines] == [
        [info.id, info.severity.name.lower()] for info in CATALOGUE.values()
    ]


def test_a_family_is_told_alone(capsys: pytest.CaptureFixture[str]) -> None:
    told = [line.split()[0] for line in out_of(capsys, "feed").splitlines()]
    assert told and told == [id for id in CATALOGUE if id.startswith("feed/")]


def test_one_rule_is_told_in_full(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    settings = (Setting("DENIALS", 3, "Denied tools in a minute."),)
    info = RuleInfo("made/up", "Made up", Severity.HIGH, "It means this.", "Do that.", ("OWASP MCP07",), settings)
    monkeypatch.setitem(CATALOGUE, "made/up", info)
    text = out_of(capsys, "made/up")
    for part in (
        "made/up: Made up (high)",
        "It means this.",
        "What to do: Do that.",
        "OWASP MCP07",
        '[rule."made/up"]',
    ):
        assert part in text
    assert "DENIALS = 3  Denied tools in a minute." in text


@pytest.mark.parametrize("id", list(CATALOGUE))
def test_every_rule_can_be_asked_for(id: str, capsys: pytest.CaptureFixture[str]) -> None:
    info, said = CATALOGUE[id], " ".join(out_of(capsys, id).split())
    assert info.meaning in said and info.action in said and all(name in said for name in info.references)


def test_json_holds_every_field(capsys: pytest.CaptureFixture[str]) -> None:
    told = json.loads(out_of(capsys, "--format", "json"))
    assert [rule["id"] for rule in told] == list(CATALOGUE)
    assert all(set(rule) == set(RuleInfo.__struct_fields__) for rule in told)
    assert {rule["severity"] for rule in told} <= {"low", "medium", "high", "critical"}


def test_an_unknown_rule_is_said_to_be_none(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rules", "feed/brokn"]) == 2
    assert "mcpwatch rules feed/broken" in capsys.readouterr().err
