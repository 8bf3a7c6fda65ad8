"""A report as SARIF 2.1.0 (OASIS, with errata 01), for code scanning."""

import json
from collections.abc import Iterable
from urllib.parse import quote

from mcpwatch.detect.rules import CATALOGUE
from mcpwatch.model.alerts import RuleInfo
from mcpwatch.model.entries import Json
from mcpwatch.report.report import CheckedAlert, CheckedFeed, Report
from mcpwatch.text import show

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LEVELS = {"critical": "error", "high": "error", "medium": "warning", "low": "note"}
_SCORES = {"critical": "9.5", "high": "8.0", "medium": "5.0", "low": "2.0"}
"""What code scanning reads severities from: above 9, from 7, from 4, below."""
_MESSAGE = 1_000


def sarif(report: Report) -> str:
    """The log file, in ASCII."""
    rules = {id: at for at, id in enumerate(CATALOGUE)}
    feeds = {feed.source: at for at, feed in enumerate(report.feeds)}
    run = {
        "tool": {
            "driver": {
                "name": "mcpwatch",
                "version": report.version,
                "rules": [_rule(row) for row in CATALOGUE.values()],
            }
        },
        "columnKind": "unicodeCodePoints",
        "automationDetails": {"id": "mcpwatch/"},
        "invocations": [_invocation(report)],
        "artifacts": [_artifact(feed) for feed in report.feeds],
        "results": [
            _result(alert, rules, report.feeds[feeds[alert.source]], feeds[alert.source]) for alert in report.alerts
        ],
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2)


def _rule(info: RuleInfo) -> Json:
    severity = info.severity.name.lower()
    see = f"\n\nReferences: {', '.join(info.references)}" if info.references else ""
    return {
        "id": info.id,
        "name": "".join(word.capitalize() for word in info.id.replace("/", "-").split("-")),
        "shortDescription": {"text": _plain(info.title)},
        "fullDescription": {"text": _plain(info.meaning)},
        "help": {"text": _plain(f"{info.meaning} {info.action}{see}")},
        "defaultConfiguration": {"level": _LEVELS[severity]},
        "properties": {
            "tags": ["security", info.id.partition("/")[0], *info.references],
            "security-severity": _SCORES[severity],
            "severity": severity,
        },
    }


def _invocation(report: Report) -> Json:
    notes = [
        {"level": "error", "message": {"text": _plain(f"{feed.source or feed.address}: {feed.fault}")}}
        for feed in report.feeds
        if not feed.is_proven
    ]
    return {
        "executionSuccessful": not notes,
        "exitCode": report.exit_code,
        "toolExecutionNotifications": notes,
    }


def _artifact(feed: CheckedFeed) -> Json:
    what = f"The signed log {feed.origin} at {feed.address}. Line N stands for its entry N - 1."
    return {"location": {"uri": _uri(feed)}, "description": {"text": _plain(what)}}


def _result(alert: CheckedAlert, rules: dict[str, int], feed: CheckedFeed, at: int) -> Json:
    sent = f" Sent from {', '.join(alert.senders)}." if alert.senders else ""
    *others, newest = alert.evidence or (-1,)
    result: dict[str, Json] = {
        "ruleId": alert.rule,
        "ruleIndex": rules.get(alert.rule, -1),
        "level": _LEVELS[alert.severity],
        "message": {"text": _plain(f"{alert.about}: {alert.because}{sent}")},
        "locations": [_location(feed, at, newest, alert.sessions)],
        "relatedLocations": [_location(feed, at, index, ()) for index in others],
        "occurrenceCount": max(alert.count, 1),
        # The second is what code scanning knows an alert by, which otherwise changes with every entry more.
        "partialFingerprints": {"mcpwatchAlert/v1": alert.id, "primaryLocationLineHash": f"{alert.id}:1"},
        "properties": {
            "severity": alert.severity,
            "state": alert.state,
            "fails": alert.fails,
            "alert": alert.id,
            "subject": show(alert.subject, _MESSAGE),
            "senders": [show(sender) for sender in alert.senders],
        },
    }
    if alert.state != "firing":
        result["suppressions"] = [_suppression(alert)]
    return result


def _location(feed: CheckedFeed, at: int, index: int, sessions: Iterable[str]) -> Json:
    """An entry of the log; beside the logical place a physical one, without which code scanning takes no file."""
    name = feed.source or feed.address
    logical: list[Json] = []
    physical: dict[str, Json] = {"artifactLocation": {"uri": _uri(feed), "index": at}}
    if index >= 0:
        physical["region"] = {"startLine": index + 1}
        logical.append({"name": f"entry {index}", "fullyQualifiedName": show(f"{name}/{index}"), "kind": "entry"})
    logical += [
        {"name": show(session), "fullyQualifiedName": show(f"{name}/session/{session}"), "kind": "session"}
        for session in sessions
    ]
    return {"physicalLocation": physical, "logicalLocations": logical}


def _suppression(alert: CheckedAlert) -> Json:
    """Who lets it rest and why: the last of its history that has an author."""
    said = next((event for event in reversed(alert.history) if event.author), None)
    why = f"{said.kind} by {said.author}: {said.note}" if said else alert.state
    return {"kind": "external", "status": "accepted", "justification": show(why, _MESSAGE)}


def _uri(feed: CheckedFeed) -> str:
    """The log's name as a relative reference (RFC 3986); code scanning takes no other."""
    return quote(show(feed.origin or feed.source or "feed"), safe="/").lstrip("/") or "feed"


def _plain(text: str) -> str:
    """Text in which no viewer finds a placeholder or a link (SARIF 2.1.0, 3.11.5 and 3.11.6)."""
    safe = "\n".join(show(line, _MESSAGE) for line in text.split("\n"))
    return safe.replace("{", "{{").replace("}", "}}").replace("](", "] (")
