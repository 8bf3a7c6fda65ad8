"""The engine: one rule's failure is counted, told once, and nobody else's."""

import logging
from collections.abc import Iterable

import pytest
from rpc import call
from rule_scene import UNSIGNED, Scene

from mcpwatch.detect.engine import Engine
from mcpwatch.detect.rule import Rule
from mcpwatch.detect.rules import RULES
from mcpwatch.model.alerts import Finding, RuleInfo, Severity
from mcpwatch.model.feed import FeedStatus
from mcpwatch.model.traffic import Observation


class Faulty(Rule):
    info = RuleInfo("test/faulty", "Faulty", Severity.LOW, "Fails.", "Nothing.")
    kinds = ("request",)

    def observe(self, seen: Observation) -> Iterable[Finding]:
        yield self.finding(seen, "before", "Said before it failed.")
        raise ValueError("hostile \x1b[2J name")

    def observe_feed(self, before: FeedStatus, after: FeedStatus) -> Iterable[Finding]:
        raise KeyError("feed")


def test_a_rule_that_raises_ends_nothing(caplog: pytest.LogCaptureFixture) -> None:
    scene = Scene()
    scene.engine = Engine((Faulty, *RULES))
    with caplog.at_level(logging.ERROR):
        for id in range(3):
            scene.request(call(id, "read"), session=scene.session(), verdict=UNSIGNED)
        scene.engine.observe_feed(scene.status, scene.status)
    assert len(scene.of("identity/unsigned-call")) == 3
    assert len(scene.of("test/faulty")) == 3
    failure = scene.engine.failures["test/faulty"]
    assert (failure.count, failure.error) == (4, "ValueError: hostile \x1b[2J name")
    assert [record.getMessage() for record in caplog.records] == [
        "rule test/faulty failed: ValueError: hostile \\x1b[2J name"
    ]


def test_rules_share_no_memory_between_engines() -> None:
    first, second = Scene(), Scene()
    session = first.session()
    first.request(call(1, "read"), session=session)
    second.request(call(1, "read"), session=session, agent="other")
    assert not second.of("session/shared")


def test_a_kind_nobody_knows_is_nobodys() -> None:
    assert Engine().observe(Observation(0, "", 0.0, "another")) == []  # type: ignore[arg-type]
