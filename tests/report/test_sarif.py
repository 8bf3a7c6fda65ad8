"""The SARIF log has the structure of version 2.1.0, and says what code scanning reads."""

import json
import re
from collections.abc import Mapping
from pathlib import Path

import pytest
from checked import WholeLog, hostile, quiet, report_on
from msgspec import Struct
from piped import story, watcher_on

from mcpwatch.detect.rules import CATALOGUE
from mcpwatch.model.entries import Json
from mcpwatch.report.report import Report, Terms
from mcpwatch.report.sarif import SCHEMA, sarif

LEVELS = {"none", "note", "warning", "error"}


class Shape(Struct, frozen=True):
    """An object of SARIF: its properties with the shape or type of each, and those that it must have."""

    has: Mapping[str, "Shape | type | list[Shape]"]
    must: frozenset[str] = frozenset()


def shape(*must: str, **has: "Shape | type | list[Shape]") -> Shape:
    return Shape(has, frozenset(must))


BAG = shape()
MESSAGE = shape("text", text=str)
ARTIFACT_LOCATION = shape("uri", uri=str, index=int)
REGION = shape("startLine", startLine=int)
LOGICAL = shape("name", "fullyQualifiedName", name=str, fullyQualifiedName=str, kind=str)
LOCATION = shape(
    physicalLocation=shape("artifactLocation", artifactLocation=ARTIFACT_LOCATION, region=REGION),
    logicalLocations=[LOGICAL],
)
RULE = shape(
    "id",
    id=str,
    name=str,
    shortDescription=MESSAGE,
    fullDescription=MESSAGE,
    help=MESSAGE,
    defaultConfiguration=shape(level=str),
    properties=BAG,
)
RESULT = shape(
    "message",
    "ruleId",
    "locations",
    "partialFingerprints",
    ruleId=str,
    ruleIndex=int,
    level=str,
    message=MESSAGE,
    locations=[LOCATION],
    relatedLocations=[LOCATION],
    occurrenceCount=int,
    partialFingerprints=BAG,
    suppressions=[shape("kind", kind=str, status=str, justification=str)],
    properties=BAG,
)
RUN = shape(
    "tool",
    tool=shape("driver", driver=shape("name", name=str, version=str, rules=[RULE])),
    columnKind=str,
    automationDetails=shape(id=str),
    invocations=[
        shape(
            "executionSuccessful",
            executionSuccessful=bool,
            exitCode=int,
            toolExecutionNotifications=[shape("message", level=str, message=MESSAGE)],
        )
    ],
    artifacts=[shape(location=ARTIFACT_LOCATION, description=MESSAGE)],
    results=[RESULT],
)
LOG = shape("version", "runs", version=str, runs=[RUN], **{"$schema": str})


def faults(value: Json, wanted: Shape | type | list[Shape], at: str = "log") -> list[str]:
    """Where a value is not as its shape has it."""
    if isinstance(wanted, list):
        if not isinstance(value, list):
            return [f"{at} is no array"]
        return [fault for index, one in enumerate(value) for fault in faults(one, wanted[0], f"{at}[{index}]")]
    if isinstance(wanted, type):
        return [] if type(value) is wanted else [f"{at} is no {wanted.__name__}"]
    if not isinstance(value, dict):
        return [f"{at} is no object"]
    found = [f"{at} has no {name}" for name in wanted.must - value.keys()]
    if wanted is BAG:
        return found
    found += [f"{at} has {name}" for name in value.keys() - wanted.has.keys()]
    return found + [
        fault
        for name, one in value.items()
        if name in wanted.has
        for fault in faults(one, wanted.has[name], f"{at}.{name}")
    ]


def test_the_structure_test_can_fail() -> None:
    assert faults({"version": 2, "runs": [{"tool": {}}], "x": 1}, LOG) == [
        "log has x",
        "log.version is no str",
        "log.runs[0].tool has no driver",
    ]


def run_of(report: Report) -> dict[str, Json]:
    log = json.loads(sarif(report))
    assert faults(log, LOG) == []
    assert (log["version"], log["$schema"]) == ("2.1.0", SCHEMA)
    (run,) = log["runs"]
    assert isinstance(run, dict)
    return run


async def test_each_alert_is_a_result_at_its_newest_entry(state_folder: Path) -> None:
    report = await report_on(state_folder)
    run = run_of(report)
    results = run["results"]
    assert isinstance(results, list) and len(results) == len(report.alerts) > 0
    for alert, result in zip(report.alerts, results, strict=True):
        rules = run["tool"]["driver"]["rules"]
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"] == alert.rule
        assert result["level"] in LEVELS
        assert result["partialFingerprints"]["mcpwatchAlert/v1"] == alert.id
        (place,) = result["locations"]
        assert place["physicalLocation"]["region"]["startLine"] == alert.evidence[-1] + 1
        assert place["logicalLocations"][0]["name"] == f"entry {alert.evidence[-1]}"
        assert {row["name"] for row in place["logicalLocations"][1:]} == set(alert.sessions)
        assert len(result["relatedLocations"]) == len(alert.evidence) - 1


async def test_every_rule_is_told_with_its_help(state_folder: Path) -> None:
    rules = run_of(await report_on(state_folder, quiet()))["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == list(CATALOGUE)
    for rule, info in zip(rules, CATALOGUE.values(), strict=True):
        assert info.action.split("{")[0].split("[")[0] in rule["help"]["text"]
        assert set(info.references) <= set(rule["properties"]["tags"])
        assert rule["defaultConfiguration"]["level"] in LEVELS


async def test_the_address_of_a_log_is_a_relative_reference(state_folder: Path) -> None:
    source = WholeLog(story(), origin="http://[::1]:4181/\x1b x?#é")
    run = run_of(await report_on(state_folder, source=source))
    uris = {
        place["physicalLocation"]["artifactLocation"]["uri"] for row in run["results"] for place in row["locations"]
    }
    assert uris == {artifact["location"]["uri"] for artifact in run["artifacts"]}
    assert all(re.fullmatch(r"[A-Za-z0-9._~%/-]+", uri) and not uri.startswith("/") for uri in uris)


async def test_what_somebody_acknowledged_is_suppressed_with_their_reason(state_folder: Path) -> None:
    watcher = watcher_on(state_folder, WholeLog(story()))
    await watcher.run()
    alert = next(iter(watcher.state.alerts.values()))
    await watcher.acknowledge(alert.id, "a \x1btest", alert.last_index)
    await watcher.close()
    results = run_of(await report_on(state_folder))["results"]
    suppressed = [row for row in results if "suppressions" in row]
    assert [row["properties"]["alert"] for row in suppressed] == [alert.id]
    (suppression,) = suppressed[0]["suppressions"]
    assert (suppression["kind"], suppression["status"]) == ("external", "accepted")
    assert suppression["justification"].endswith(": a \\x1btest")


async def test_a_feed_that_is_not_proven_is_no_successful_run(state_folder: Path) -> None:
    run = run_of(await report_on(state_folder, source=WholeLog(quiet(), checkpoint=None)))
    (invocation,) = run["invocations"]
    assert (invocation["executionSuccessful"], invocation["exitCode"]) == (False, 6)
    assert "no checkpoint holds" in invocation["toolExecutionNotifications"][0]["message"]["text"]


@pytest.mark.parametrize("pattern", [r"(?<!\{)\{(?!\{)", r"\]\("])
async def test_no_text_of_an_agent_makes_a_placeholder_or_a_link(pattern: str, state_folder: Path) -> None:
    run = run_of(await report_on(state_folder, hostile(), Terms(fail_on=None)))
    texts = [row["message"]["text"] for row in run["results"]]
    assert any("{{0}}" in text for text in texts)
    assert not any(re.search(pattern, text) for text in texts)
