"""The policy's file changes while a watcher runs."""

import logging
from pathlib import Path

import pytest
from build import START, Log
from piped import ListSource
from rpc import call

from mcpwatch.config import Config
from mcpwatch.detect.engine import Engine
from mcpwatch.detect.rules import CATALOGUE
from mcpwatch.errors import UsageError
from mcpwatch.model.alerts import Severity
from mcpwatch.policy.kept import KeptPolicy
from mcpwatch.policy.policy import Policy
from mcpwatch.policy.terms import Signatures
from mcpwatch.watch.build import open_watcher
from mcpwatch.watch.policy_watch import PolicyStanding, PolicyWatch

REQUIRED = 'signatures = "required"\n'
OFF = 'signatures = "off"\n'


class Watched:
    """A policy file, the rules that follow it, and what was said of it."""

    def __init__(self, path: Path, *, is_named: bool = False) -> None:
        self.path = path
        self.engine = Engine()
        self.told: list[PolicyStanding] = []
        self.now = START
        kept = KeptPolicy(path, CATALOGUE, is_named=is_named)
        self.watch = PolicyWatch(kept, self.engine, self.told.append, lambda: self.now)

    def write(self, text: str) -> None:
        """Put another file in the place of the one that is there."""
        new = self.path.with_suffix(".new")
        new.write_text(text)
        new.replace(self.path)
        self.now += 1.0
        self.look()

    def look(self) -> None:
        """Look at the file, and once more as has to be before a change counts."""
        self.watch.look()
        self.watch.look()

    def signatures(self) -> Signatures:
        """What holds for signatures."""
        return self.engine.policy.terms("files").signatures


def test_without_a_file_everything_is_allowed_until_there_is_one(tmp_path: Path) -> None:
    watched = Watched(tmp_path / "policy.toml")
    assert watched.engine.policy == Policy()
    assert watched.told == [PolicyStanding(quiet=watched.told[0].quiet)]
    watched.watch.look()
    assert len(watched.told) == 1
    watched.write(REQUIRED)
    assert watched.signatures() is Signatures.REQUIRED
    assert (watched.told[-1].path, watched.told[-1].since) == (watched.path, START + 1.0)


def test_a_file_that_was_named_has_to_be_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no policy"):
        Watched(tmp_path / "policy.toml", is_named=True)


def test_a_bad_file_leaves_the_policy_and_says_so(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "policy.toml").write_text(REQUIRED)
    watched = Watched(tmp_path / "policy.toml")
    with caplog.at_level(logging.WARNING):
        watched.write('signatures = "of"\n')
        watched.watch.look()
    assert watched.signatures() is Signatures.REQUIRED
    assert len(caplog.records) == 1
    assert watched.told[-1].since == START
    assert "line 1, column 1: signatures must be one of" in watched.told[-1].fault
    watched.write(OFF)
    assert watched.signatures() is Signatures.OFF
    assert (watched.told[-1].fault, watched.told[-1].since) == ("", START + 2.0)


def test_a_policy_that_is_followed_again_says_so_and_one_that_refuses_nothing_any_more(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "policy.toml").write_text(REQUIRED)
    watched = Watched(tmp_path / "policy.toml")
    watched.write("signatures =")
    with caplog.at_level(logging.WARNING):
        caplog.clear()
        watched.write(REQUIRED)
        assert caplog.messages == [f"policy {watched.path} was read again and is in force"]
        assert not watched.told[-1].note
        watched.write(OFF)
    assert "refuses nothing any more" in watched.told[-1].note
    assert f"policy {watched.path} {watched.told[-1].note}" in caplog.messages
    watched.write(REQUIRED)
    assert not watched.told[-1].note


def test_a_file_that_is_gone_opens_nothing(tmp_path: Path) -> None:
    (tmp_path / "policy.toml").write_text(REQUIRED)
    watched = Watched(tmp_path / "policy.toml")
    watched.path.unlink()
    watched.look()
    assert watched.signatures() is Signatures.REQUIRED
    assert "there is no policy at" in watched.told[-1].fault


def test_a_file_that_is_being_written_is_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "policy.toml"
    path.write_text(REQUIRED)
    watched = Watched(path)
    for half in ("", "[upstream", '[upstream.files]\nsignatures = "off"\n'):
        path.write_text(half)
        watched.watch.look()
        assert watched.signatures() is Signatures.REQUIRED
        assert not watched.told[-1].fault
    watched.watch.look()
    assert watched.signatures() is Signatures.OFF


async def test_a_watcher_goes_by_the_policy_it_is_given(tmp_path: Path, state_folder: Path) -> None:
    log = Log()
    log.request(call(1, "read"))
    log.request(call(2, "read"), upstream="mail")
    allowed = '[[allow]]\nrule = "identity/*"\nupstream = "mail"\nreason = "Mail has no keys."\n'
    (tmp_path / "policy.toml").write_text(f"[upstream.files]\n{REQUIRED}{allowed}")
    kept = KeptPolicy(tmp_path / "policy.toml", CATALOGUE, is_named=True)
    watcher = open_watcher([ListSource(log.entries)], state_folder, Config(), policy=kept)
    await watcher.run()
    unsigned = [alert for alert in watcher.state.alerts.values() if alert.rule == "identity/unsigned-call"]
    assert [(alert.severity, alert.count) for alert in unsigned] == [(Severity.HIGH, 1)]
    assert watcher.state.policy.path == tmp_path / "policy.toml"
    assert [(quiet.rule, quiet.reason, quiet.count) for quiet in watcher.state.policy.quiet] == [
        ("identity/unsigned-call", "Mail has no keys.", 1)
    ]
    await watcher.close()
