"""One finding reaches every surface: the same alert, by its id, with rule, severity, reason, references and state."""

import asyncio
import io
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from xml.etree.ElementTree import fromstring

import pytest
from checked import WholeLog, report_on
from piped import story, watcher_on

from mcpwatch.cli import main
from mcpwatch.detect.rules import CATALOGUE
from mcpwatch.model.alerts import Alert
from mcpwatch.notify.message import compose, octets
from mcpwatch.report import FORMATS
from mcpwatch.ui.app import WatchApp
from mcpwatch.watch.tail import TailOptions, tail

RULE = CATALOGUE["identity/replayed"]
Said = Callable[[Path], Awaitable[str]]


@pytest.fixture
async def alert(state_folder: Path) -> Alert:
    """What every surface has to tell of."""
    watcher = watcher_on(state_folder, WholeLog(story()))
    await watcher.run()
    await watcher.close()
    return next(alert for alert in watcher.state.alerts.values() if alert.rule == RULE.id)


async def tailed(state: Path, options: TailOptions) -> str:
    watcher, out = watcher_on(state, WholeLog(story())), io.StringIO()
    await tail(watcher, out, options)
    await watcher.close()
    return out.getvalue()


async def on_screen(state: Path) -> str:
    """The Alerts screen, with the alert's page beside the list, and what `y` copies."""
    watcher = watcher_on(state, WholeLog(story()))
    app = WatchApp(watcher, rules=CATALOGUE)
    async with app.run_test(size=(220, 60)) as pilot:
        async with asyncio.timeout(30):
            while len(watcher.state.alerts) < 4:
                await asyncio.sleep(0)
        await pilot.press("3")
        await pilot.pause()
        pages: list[str] = []
        for _ in range(4):
            app.tick()
            await pilot.pause()
            await pilot.press("y")
            pages.append("\n".join(strip.text.rstrip() for strip in app.screen._compositor.render_strips()))
            pages.append(app.clipboard)
            await pilot.press("j")
    await watcher.close()
    return "\n".join(pages)


def of_alert(lines: str, alert: Alert) -> dict[str, object]:
    """The JSON object about it, among lines or in an array."""
    parsed = [json.loads(line) for line in lines.splitlines() if line.startswith("{")]
    return next(line for line in parsed if line.get("id") == alert.id)


def check_object(told: dict[str, object], alert: Alert) -> None:
    assert told["rule"] == alert.rule
    assert told["severity"] == "critical"
    assert told["reason"] == alert.reason
    assert told["references"] == list(RULE.references) != []
    assert (told["state"], told["count"], told["history"]) == ("firing", alert.count, [])
    assert told["evidence"] == alert.evidence


async def test_the_screen_and_its_export_tell_it(alert: Alert, tmp_path: Path) -> None:
    said = await on_screen(tmp_path / "screen")
    words = " ".join(said.split())
    for part in (alert.id, RULE.title, RULE.id, "critical", *RULE.references):
        assert part.lower() in words.lower(), part
    check_object(of_alert(said, alert), alert)


async def test_tail_tells_it(alert: Alert, tmp_path: Path) -> None:
    line = next(line for line in (await tailed(tmp_path / "a", TailOptions())).splitlines() if alert.id in line)
    assert f"! CRITICAL {RULE.id}" in line and alert.reason[:40] in line
    check_object(of_alert(await tailed(tmp_path / "b", TailOptions(json=True)), alert), alert)


@pytest.mark.parametrize("format", list(FORMATS))
async def test_check_tells_it_and_fails(format: str, alert: Alert, tmp_path: Path) -> None:
    report = await report_on(tmp_path / "state")
    said = FORMATS[format](report)
    assert report.exit_code == 1
    assert alert.id in said and RULE.id in said


async def test_the_formats_of_machines_tell_all_of_it(alert: Alert, tmp_path: Path) -> None:
    report = await report_on(tmp_path / "state")
    told = next(each for each in json.loads(FORMATS["json"](report))["alerts"] if each["id"] == alert.id)
    assert told["fails"] is True
    check_object(told, alert)
    (run,) = json.loads(FORMATS["sarif"](report))["runs"]
    result = next(row for row in run["results"] if row["properties"]["alert"] == alert.id)
    assert (result["ruleId"], result["level"], alert.reason in result["message"]["text"]) == (RULE.id, "error", True)
    case = next(case for case in fromstring(FORMATS["junit"](report)).iter("testcase") if case.get("name") == RULE.id)
    failure = case.find("failure")
    assert failure is not None and alert.reason in (failure.text or "")


def test_a_notification_tells_it(alert: Alert) -> None:
    told = json.loads(octets(compose("fired", [alert])))
    assert alert.id in told["text"] and RULE.title in told["text"]
    check_object(told["alert"], alert)


def test_the_catalogue_explains_it(alert: Alert, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rules", alert.rule]) == 0
    assert RULE.action.split(".")[0] in " ".join(capsys.readouterr().out.split())
