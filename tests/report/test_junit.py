"""The JUnit document has a test case for each feed and each rule, and is XML whatever was sent."""

from pathlib import Path
from xml.etree.ElementTree import Element, fromstring

from checked import WholeLog, hostile, quiet, report_on
from piped import story, watcher_on

from mcpwatch.detect.rules import CATALOGUE
from mcpwatch.model.alerts import Severity
from mcpwatch.report.junit import junit
from mcpwatch.report.report import Report, Terms


def suite_of(report: Report) -> Element:
    suites = fromstring(junit(report))
    (suite,) = suites
    assert (suites.tag, suite.tag) == ("testsuites", "testsuite")
    counts = {name: len(list(suite.iter(kind))) for kind, name in COUNTED.items()}
    assert {name: int(suite.attrib[name]) for name in counts} == counts
    assert all(case.attrib.keys() == {"classname", "name", "time"} for case in suite)
    return suite


COUNTED = {"testcase": "tests", "failure": "failures", "error": "errors", "skipped": "skipped"}


def case_of(suite: Element, rule: str) -> Element:
    return next(case for case in suite if case.attrib["name"] == rule)


async def test_each_rule_is_a_case_and_fails_where_it_fired(state_folder: Path) -> None:
    report = await report_on(state_folder)
    suite = suite_of(report)
    assert [case.attrib["name"] for case in suite][1:] == list(CATALOGUE)
    failed = {case.attrib["name"] for case in suite if case.find("failure") is not None}
    assert failed == {alert.rule for alert in report.alerts if alert.fails}
    failure = case_of(suite, "identity/wrong-key").find("failure")
    alert = next(alert for alert in report.alerts if alert.rule == "identity/wrong-key")
    assert failure is not None and failure.attrib["type"] == "critical"
    assert alert.id in (failure.text or "") and alert.reason in (failure.text or "")
    assert CATALOGUE["identity/wrong-key"].action in failure.attrib["message"]


async def test_what_does_not_fail_is_written_out(state_folder: Path) -> None:
    report = await report_on(state_folder, terms=Terms(fail_on=None))
    suite = suite_of(report)
    assert suite.attrib["failures"] == "0"
    assert {case.attrib["name"] for case in suite if case.find("system-out") is not None} == {
        alert.rule for alert in report.alerts
    }


async def test_what_was_acknowledged_is_skipped(state_folder: Path) -> None:
    watcher = watcher_on(state_folder, WholeLog(story()))
    await watcher.run()
    for alert in [alert for alert in watcher.state.alerts.values() if alert.rule == "identity/wrong-key"]:
        await watcher.acknowledge(alert.id, "known", alert.last_index)
    await watcher.close()
    assert case_of(suite_of(await report_on(state_folder)), "identity/wrong-key").find("skipped") is not None


async def test_a_feed_that_is_not_proven_is_an_error(state_folder: Path) -> None:
    suite = suite_of(await report_on(state_folder, source=WholeLog(quiet(), checkpoint=None)))
    error = suite[0].find("error")
    assert error is not None and "no checkpoint holds" in error.attrib["message"]
    proven = suite_of(await report_on(state_folder, quiet()))
    assert proven[0].find("error") is None


async def test_what_xml_cannot_carry_is_shown(state_folder: Path) -> None:
    suite = suite_of(await report_on(state_folder, hostile(), Terms(fail_on=Severity.LOW)))
    said = "".join(failure.text or "" for failure in suite.iter("failure"))
    assert "\\x1b[31m\\u202e</failure>&<script>" in said
