"""An HTTP archive holds to the format's text, and tells of each exchange what the log holds of it."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from build import Log
from exported import HOSTILE, SignedLog, exported, hostile_log
from piped import story
from rpc import call, result, text

from mcpwatch.export.har import MAX_ANSWER

Shape = dict[str, Any]
PAIR: Shape = {"name": str, "value": str}
REQUEST: Shape = {
    "method": str,
    "url": str,
    "httpVersion": str,
    "cookies": [PAIR],
    "headers": [PAIR],
    "queryString": [PAIR],
    "headersSize": int,
    "bodySize": int,
}
RESPONSE: Shape = {
    "status": int,
    "statusText": str,
    "httpVersion": str,
    "cookies": [PAIR],
    "headers": [PAIR],
    "content": {"size": int, "mimeType": str},
    "redirectURL": str,
    "headersSize": int,
    "bodySize": int,
}
ENTRY: Shape = {
    "startedDateTime": str,
    "time": (int, float),
    "request": REQUEST,
    "response": RESPONSE,
    "cache": {},
    "timings": {"send": (int, float), "wait": (int, float), "receive": (int, float)},
}
ARCHIVE: Shape = {"log": {"version": str, "creator": {"name": str, "version": str}, "entries": [ENTRY]}}
"""The members that HAR 1.2 asks for."""
OPTIONAL = {"comment", "text", "encoding", "postData"}


def check(value: Any, shape: Any, path: str = "") -> None:
    """Hold a value against a shape: nothing missing, nothing more but what is optional or begins with `_`."""
    if isinstance(shape, list):
        assert isinstance(value, list), path
        for at, each in enumerate(value):
            check(each, shape[0], f"{path}[{at}]")
    elif isinstance(shape, dict):
        assert isinstance(value, dict), path
        assert shape.keys() <= value.keys(), path
        more = value.keys() - shape.keys()
        assert all(name.startswith("_") or name in OPTIONAL for name in more), (path, more)
        for name, inner in shape.items():
            check(value[name], inner, f"{path}.{name}")
    else:
        assert isinstance(value, shape) and not isinstance(value, bool), path


def check_archive(archive: Any) -> list[dict[str, Any]]:
    """Against the format's text; returns the entries."""
    check(archive, ARCHIVE)
    assert archive["log"]["version"] == "1.2"
    entries: list[dict[str, Any]] = archive["log"]["entries"]
    for entry in entries:
        assert datetime.fromisoformat(entry["startedDateTime"]).tzinfo is not None
        assert entry["time"] == pytest.approx(sum(entry["timings"].values()), abs=0.01)
        assert min(entry["timings"].values()) >= 0
        posted = entry["request"].get("postData")
        if posted is not None:
            check(posted, {"mimeType": str, "params": [PAIR], "text": str}, "postData")
    return entries


async def entries_of(state: Path, source: SignedLog, filter: str = "") -> list[dict[str, Any]]:
    return check_archive(json.loads(await exported(state, source, "har", filter)))


async def test_an_exchange_is_told_as_it_was(state_folder: Path) -> None:
    log = Log(step=0.25)
    asked = log.request(
        call(1, "read", path="a.txt"),
        target="/mcp?a=1&b=%20x&a=2",
        headers={"content-type": "application/json", "mcp-method": "tools/call"},
    )
    log.response(asked, 200, headers={"content-type": "application/json"})
    log.message(asked, result(1, text("hello")))
    log.end(asked, sent=77)
    (entry,) = await entries_of(state_folder, SignedLog(log.entries))
    request, response = entry["request"], entry["response"]
    assert (request["method"], request["url"]) == ("POST", "http://127.0.0.1:8000/mcp?a=1&b=%20x&a=2")
    assert [(pair["name"], pair["value"]) for pair in request["queryString"]] == [("a", "1"), ("b", " x"), ("a", "2")]
    assert json.loads(request["postData"]["text"]) == call(1, "read", path="a.txt")
    assert request["postData"]["mimeType"] == "application/json"
    assert {"name": "mcp-method", "value": "tools/call"} in request["headers"]
    assert json.loads(response["content"]["text"]) == result(1, text("hello"))
    assert (response["status"], response["bodySize"], response["content"]["mimeType"]) == (200, 77, "application/json")
    assert entry["timings"] == {"send": 0, "wait": 250.0, "receive": 500.0}
    assert (entry["_index"], entry["_last"], entry["_verdict"], entry["_proven"]) == (0, 3, "UNSIGNED", True)
    assert entry["comment"].startswith("entry 0: UNSIGNED")


async def test_server_sent_events_are_told_as_a_stream(state_folder: Path) -> None:
    log = Log()
    asked = log.request(call(1, "read"))
    log.response(asked, headers={"content-type": "text/event-stream"})
    log.message(asked, b"one\ntwo", event="message", event_id="7")
    log.message(asked, b"three", stream=True)
    (entry,) = await entries_of(state_folder, SignedLog(log.entries))
    content = entry["response"]["content"]
    assert content["text"] == "event: message\nid: 7\ndata: one\ndata: two\n\ndata: three\n\n"
    assert content["mimeType"] == "text/event-stream"
    assert "no end seen" in entry["comment"]


async def test_octets_that_are_no_text_travel_in_base64(state_folder: Path) -> None:
    log = Log()
    log.exchange(call(1, "read"), b"\xff\xfe")
    (entry,) = await entries_of(state_folder, SignedLog(log.entries))
    assert (entry["response"]["content"]["text"], entry["response"]["content"]["encoding"]) == ("//4=", "base64")


async def test_verdicts_stand_in_the_comments(state_folder: Path) -> None:
    entries = await entries_of(state_folder, SignedLog(story()))
    for entry in entries:
        assert entry["comment"].startswith(f"entry {entry['_index']}: {entry['_verdict']}")
    assert {"VERIFIED", "BAD SIG", "REPLAY"} <= {entry["_verdict"] for entry in entries}


async def test_an_exchange_goes_in_whole_when_one_of_its_entries_passes(state_folder: Path) -> None:
    log = Log()
    log.exchange(call(1, "read"), result(1, text("hello")))
    log.exchange(call(2, "write"), result(2, text("needle")))
    (entry,) = await entries_of(state_folder, SignedLog(log.entries), "needle")
    assert entry["_index"] == 4
    assert json.loads(entry["request"]["postData"]["text"])["params"]["name"] == "write"


async def test_what_its_last_entry_is_not_proven_for_is_not_called_proven(state_folder: Path) -> None:
    log = Log()
    log.exchange(call(1, "read"), result(1, text("a")))
    log.exchange(call(2, "read"), result(2, text("b")))
    first, second = await entries_of(state_folder, SignedLog(log.entries, sizes=[7], step=1))
    assert (first["_proven"], second["_proven"]) == (True, False)


async def test_an_endless_answer_is_cut_and_says_so(state_folder: Path) -> None:
    log = Log()
    asked = log.request(call(1, "read"))
    log.response(asked)
    for _ in range(2 * MAX_ANSWER // 100_000):
        log.message(asked, b"x" * 100_000, stream=True)
    log.end(asked)
    (entry,) = await entries_of(state_folder, SignedLog(log.entries))
    assert len(entry["response"]["content"]["text"]) <= MAX_ANSWER
    assert "messages left out" in entry["response"]["content"]["comment"]
    assert "messages left out" in entry["comment"]


async def test_a_hostile_log_makes_an_archive_all_the_same(state_folder: Path) -> None:
    source = SignedLog(hostile_log())
    octets = await exported(state_folder, source, "har")
    assert all(char.isprintable() or char == "\n" for char in octets)
    entries = check_archive(json.loads(octets))
    assert len(entries) == sum(
        entry.record is not None and "request" in str(entry.leaf[:60]) for entry in source.entries
    )
    names = {pair["name"] for entry in entries for pair in entry["request"]["queryString"]}
    for each in HOSTILE:
        assert dict(parse_qsl(urlsplit(f"/mcp?{each}={each}").query, keep_blank_values=True)).keys() <= names


async def test_nothing_makes_an_empty_archive(state_folder: Path) -> None:
    archive = json.loads(await exported(state_folder, SignedLog(story()), "har", "tool:nothing"))
    assert check_archive(archive) == []
    assert archive["log"]["_export"]["filter"] == "tool:nothing"


def test_the_shape_refuses_what_the_format_does() -> None:
    """So that the tests above can fail."""
    good: dict[str, Any] = {"log": {"version": "1.2", "creator": {"name": "x", "version": "1"}, "entries": []}}
    check_archive(good)
    for bad in ({"log": good["log"] | {"own": 1}}, {"log": good["log"] | {"entries": [{}]}}, {}):
        with pytest.raises(AssertionError):
            check_archive(bad)
