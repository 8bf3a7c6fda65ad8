"""A check fails for what is wrong and for what is not proven, and for nothing else."""

import json
from collections.abc import Iterable
from functools import partial
from pathlib import Path

import pytest
from build import PEER
from checked import WholeLog, hostile, quiet, report_on
from piped import story, watcher_on

from mcpwatch.cli import main
from mcpwatch.detect.engine import Engine
from mcpwatch.detect.rule import Rule
from mcpwatch.model.alerts import Finding, RuleInfo, Severity
from mcpwatch.model.feed import FeedState, Gap
from mcpwatch.model.traffic import Observation
from mcpwatch.report import FORMATS
from mcpwatch.report.report import Terms
from mcpwatch.watch.query import parse


async def test_what_is_wrong_fails_and_says_what(state_folder: Path) -> None:
    report = await report_on(state_folder)
    assert (report.passed, report.exit_code) == (False, 1)
    failing = {alert.rule for alert in report.alerts if alert.fails}
    assert {"identity/bad-signature", "identity/wrong-key", "identity/replayed"} <= failing
    assert [Severity[alert.severity.upper()] for alert in report.alerts] == sorted(
        (Severity[alert.severity.upper()] for alert in report.alerts), reverse=True
    )
    assert report.reasons == (f"{len([a for a in report.alerts if a.fails])} alerts of severity high or above",)


async def test_what_is_good_and_proven_passes(state_folder: Path) -> None:
    report = await report_on(state_folder, quiet())
    assert (report.passed, report.exit_code, report.reasons, report.alerts) == (True, 0, (), ())
    (feed,) = report.feeds
    assert (feed.entries, feed.size, feed.verified_size, feed.is_proven, feed.fault) == (1, 1, 1, True, "")


@pytest.mark.parametrize(
    ("fail_on", "exit_code"), [(Severity.MEDIUM, 1), (Severity.LOW, 1), (Severity.HIGH, 0), (None, 0)]
)
async def test_a_medium_alert_fails_from_medium_down(
    fail_on: Severity | None, exit_code: int, state_folder: Path
) -> None:
    report = await report_on(state_folder, hostile(), Terms(fail_on=fail_on))
    assert {alert.severity for alert in report.alerts} == {"medium"}
    assert report.exit_code == exit_code


async def test_what_a_person_has_acknowledged_counts_only_when_asked_for(state_folder: Path) -> None:
    watcher = watcher_on(state_folder, WholeLog(story()))
    await watcher.run()
    for alert in list(watcher.state.alerts.values()):
        await watcher.acknowledge(alert.id, "known", alert.last_index)
    await watcher.close()
    rested = await report_on(state_folder)
    assert (rested.passed, {alert.state for alert in rested.alerts}) == (True, {"acknowledged"})
    asked = await report_on(state_folder, terms=Terms(with_resting=True))
    assert (asked.passed, asked.exit_code) == (False, 1)


async def test_a_filter_says_whose_alerts_count(state_folder: Path) -> None:
    report = await report_on(state_folder, query=parse("sig:replay"), terms=Terms(filter="sig:replay"))
    assert "identity/replayed" in {alert.rule for alert in report.alerts}
    assert "identity/bad-signature" not in {alert.rule for alert in report.alerts}
    nothing = await report_on(state_folder, query=parse("tool:nothing"))
    assert (nothing.passed, nothing.alerts) == (True, ())


@pytest.mark.parametrize(
    ("status", "exit_code", "says"),
    [
        ({"state": FeedState.BROKEN, "detail": "two roots"}, 6, "the log does not hold: two roots"),
        ({"state": FeedState.ROLLBACK}, 6, "the log does not hold"),
        ({"gaps": (Gap(0, 3, "gone"),)}, 6, "entries 0 to 3 are missing"),
        ({"checkpoint": None}, 6, "no checkpoint holds"),
        ({"state": FeedState.REFUSED, "announced": None, "checkpoint": None}, 4, "the gateway refuses"),
    ],
)
async def test_a_feed_that_is_not_proven_never_passes(
    status: dict[str, object], exit_code: int, says: str, state_folder: Path
) -> None:
    report = await report_on(state_folder, terms=Terms(fail_on=None), source=WholeLog(quiet(), **status))
    assert (report.passed, report.exit_code) == (False, exit_code)
    assert says in report.reasons[0]
    assert report.feeds[0].fault


class Failing(Rule):
    info = RuleInfo("made/up", "Made up", Severity.LOW, "", "")
    kinds = ("gateway",)

    def observe(self, seen: Observation) -> Iterable[Finding]:
        raise ValueError("of a rule")


async def test_a_rule_that_fails_is_no_pass(state_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mcpwatch.watch.build.Engine", partial(Engine, (Failing,)))
    report = await report_on(state_folder, quiet())
    assert (report.passed, report.exit_code) == (False, 1)
    assert report.reasons == ("a rule of mcpwatch failed on 1 entry",)


async def test_an_entry_that_could_not_be_taken_in_is_no_pass(
    state_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mcpwatch.watch.build.Engine.observe", lambda self, seen: 1 / 0)
    report = await report_on(state_folder, quiet())
    assert (report.passed, report.exit_code) == (False, 1)
    assert report.reasons == ("mcpwatch could not take in 1 entry",)


@pytest.mark.parametrize("format", ["json", "junit", "sarif"])
async def test_what_build_servers_read_is_ascii_without_a_control_character(format: str, state_folder: Path) -> None:
    report = await report_on(state_folder, hostile(), Terms(fail_on=Severity.LOW))
    assert any("\u202e" in alert.subject + alert.reason for alert in report.alerts)
    printed = FORMATS[format](report)
    assert printed.isascii()
    assert printed.replace("\n", "").isprintable()


async def test_what_a_person_reads_passes_the_text_door(state_folder: Path) -> None:
    printed = FORMATS["text"](await report_on(state_folder, hostile(), Terms(fail_on=Severity.LOW)))
    assert all(line.isprintable() for line in printed.split("\n"))
    assert printed.splitlines()[-1].startswith("FAILED: ")


async def test_json_says_exactly_what_was_sent(state_folder: Path) -> None:
    report = await report_on(state_folder, hostile())
    read = json.loads(FORMATS["json"](report))
    assert read["type"] == "check"
    assert [alert["reason"] for alert in read["alerts"]] == [alert.reason for alert in report.alerts]


async def test_every_format_calls_a_signer_as_the_operator_does_and_tells_who_sent(state_folder: Path) -> None:
    before = await report_on(state_folder)
    unnamed = next(alert for alert in before.alerts if alert.rule == "identity/bad-signature")
    did = next(word for word in unnamed.subject.split() if word.startswith("did:"))
    assert main(["keys", "name", did, "ledger"]) == 0
    report = await report_on(state_folder)
    alert = next(alert for alert in report.alerts if alert.id == unnamed.id)
    assert (alert.subject, alert.about.startswith("ledger ")) == (unnamed.subject, True)
    assert alert.senders == (PEER,)
    for name, write in FORMATS.items():
        told = write(report)
        assert (name, alert.about.split(did)[0] in told, PEER in told, did in told) == (name, True, True, True)
