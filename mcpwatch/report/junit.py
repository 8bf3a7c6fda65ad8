"""A report as JUnit XML: a test case for each feed and each rule, so that a build server lists what was looked for."""

from collections.abc import Sequence
from xml.etree.ElementTree import Element, SubElement, tostring

from mcpwatch.detect.rules import CATALOGUE
from mcpwatch.model.alerts import RuleInfo
from mcpwatch.report.report import CheckedAlert, CheckedFeed, Report
from mcpwatch.report.text import alert_lines
from mcpwatch.text import count, show

_MESSAGE = 300


def junit(report: Report) -> str:
    """The document in ASCII; what XML or a terminal cannot carry is written as the text door shows it."""
    suite = Element("testsuite", {"name": "mcpwatch check", "time": "0"})
    for feed in report.feeds:
        _add_feed(suite, feed)
    for info in CATALOGUE.values():
        _add_rule(suite, info, [alert for alert in report.alerts if alert.rule == info.id])
    for kind, name in (("testcase", "tests"), ("failure", "failures"), ("error", "errors"), ("skipped", "skipped")):
        suite.set(name, str(len(list(suite.iter(kind)))))
    suites = Element("testsuites", {name: suite.attrib[name] for name in ("tests", "failures", "errors", "time")})
    suites.append(suite)
    data: bytes = tostring(suites, encoding="us-ascii", xml_declaration=True)
    return data.decode()


def _add_feed(suite: Element, feed: CheckedFeed) -> None:
    case = _case(suite, "mcpwatch.feed", f"{feed.source or feed.address} is proven")
    if not feed.is_proven:
        SubElement(case, "error", {"message": show(feed.fault, _MESSAGE), "type": show(feed.state)})


def _add_rule(suite: Element, info: RuleInfo, alerts: Sequence[CheckedAlert]) -> None:
    case = _case(suite, f"mcpwatch.{info.id.partition('/')[0]}", info.id)
    if not alerts:
        return
    told = "\n".join(line for alert in alerts for line in alert_lines(alert))
    failing = [alert for alert in alerts if alert.fails]
    if failing:
        message = f"{count(len(failing), 'alert')}: {info.meaning} {info.action}"
        body = SubElement(case, "failure", {"message": show(message, _MESSAGE), "type": failing[0].severity})
    elif all(alert.state != "firing" for alert in alerts):
        message = f"{count(len(alerts), 'alert')} acknowledged, silenced or resolved"
        body = SubElement(case, "skipped", {"message": message})
    else:
        body = SubElement(case, "system-out")
    body.text = told


def _case(suite: Element, group: str, name: str) -> Element:
    return SubElement(suite, "testcase", {"classname": group, "name": show(name), "time": "0"})
