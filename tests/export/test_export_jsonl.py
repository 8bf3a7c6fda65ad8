"""Every line of an export in JSON can be held against the log by somebody who has nothing of ours."""

import base64
import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from build import Log
from exported import KEY, SignedLog, exported
from nacl.signing import VerifyKey
from piped import story

from mcpwatch.model.entries import Entry
from mcpwatch.model.feed import FeedState, Gap


def long_story(entries: int = 100) -> list[Entry]:
    log = Log()
    while log.next < entries:
        log.exchange({"jsonrpc": "2.0", "id": log.next, "method": "ping"}, {"jsonrpc": "2.0", "id": log.next - 1})
    return log.entries


def check_line(line: dict[str, Any], note: str) -> None:
    """Lead from the leaf to the signed root, with hashlib and nacl alone."""
    text, _, signatures = note.partition("\n\n")
    origin, size, root = text.split("\n")[:3]
    public = base64.b64decode(KEY.verifier_key.split("+", 2)[2])[1:]
    signature = base64.b64decode(signatures.split("\n")[0].split(" ")[2])[4:]
    VerifyKey(public).verify(f"{text}\n".encode(), signature)
    assert json.loads(line["leaf"])["source"] == origin
    at, count, path = line["index"], int(size), [base64.b64decode(node) for node in line["inclusion"]]
    node = sha256(b"\x00" + line["leaf"].encode()).digest()
    assert base64.b64encode(node).decode() == line["leaf_hash"]
    while count > 1:
        if at % 2:
            node = sha256(b"\x01" + path.pop(0) + node).digest()
        elif at + 1 < count:
            node = sha256(b"\x01" + node + path.pop(0)).digest()
        at, count = at // 2, (count + 1) // 2
    assert not path
    assert base64.b64encode(node).decode() == root


async def lines_of(state: Path, source: SignedLog, filter: str = "", **options: Any) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (await exported(state, source, "jsonl", filter, **options)).splitlines()]


async def test_every_entry_is_proven_by_its_own_line(state_folder: Path) -> None:
    entries = long_story()
    head, *lines = await lines_of(state_folder, SignedLog(entries), proofs=True)
    (feed,) = head["feeds"]
    assert [line["index"] for line in lines] == list(range(len(entries)))
    assert [line["leaf"].encode() for line in lines] == [entry.leaf for entry in entries]
    assert all(line["proven"] for line in lines)
    for line in lines:
        check_line(line, feed["checkpoint"])
    told = (feed["origin"], feed["entries"], feed["first"], feed["last"], feed["proven"], feed["verified_size"])
    assert told == (KEY.origin, len(entries), 0, len(entries) - 1, True, len(entries))


async def test_a_changed_line_does_not_hold(state_folder: Path) -> None:
    head, *lines = await lines_of(state_folder, SignedLog(long_story(20)), proofs=True)
    line, note = lines[5], head["feeds"][0]["checkpoint"]
    for change in (
        {"leaf": line["leaf"].replace('"id"', '"ID"')},
        {"index": 4},
        {"inclusion": line["inclusion"][::-1]},
        {"inclusion": line["inclusion"][1:]},
    ):
        with pytest.raises((AssertionError, IndexError)):
            check_line(line | change, note)


async def test_what_no_checkpoint_covers_is_not_called_proven(state_folder: Path) -> None:
    head, *lines = await lines_of(state_folder, SignedLog(long_story(50), sizes=[10, 33]), proofs=True)
    assert [line["proven"] for line in lines] == [line["index"] < 33 for line in lines]
    assert [line["inclusion"] is not None for line in lines] == [line["index"] < 33 for line in lines]
    check_line(lines[32], head["feeds"][0]["checkpoint"])
    assert head["feeds"][0]["proven"] is False


async def test_what_was_proven_after_it_was_written_is_called_proven(state_folder: Path) -> None:
    _, *lines = await lines_of(state_folder, SignedLog(long_story(100), sizes=[100]), rows=10)
    assert len(lines) == 100
    assert all(line["proven"] for line in lines)


async def test_a_broken_log_proves_nothing(state_folder: Path) -> None:
    broken = SignedLog(long_story(20), state=FeedState.BROKEN, detail="two roots")
    head, *lines = await lines_of(state_folder, broken)
    assert not any(line["proven"] for line in lines)
    assert (head["feeds"][0]["proven"], head["feeds"][0]["state"]) == (False, "BROKEN")


async def test_without_its_beginning_a_log_gives_no_proofs(state_folder: Path) -> None:
    log = Log(first=5)
    log.exchange({"jsonrpc": "2.0", "id": 1, "method": "ping"})
    _, *lines = await lines_of(state_folder, SignedLog(log.entries), proofs=True)
    assert [line["index"] for line in lines] == [5, 6, 7]
    assert all(line["inclusion"] is None for line in lines)


async def test_the_filter_lets_by_what_passes_and_the_head_says_so(state_folder: Path) -> None:
    head, *lines = await lines_of(state_folder, SignedLog(story()), "sig:bad")
    assert {line["verdict"]["word"] for line in lines} == {"BAD SIG"}
    assert head["filter"] == "sig:bad"
    assert head["feeds"][0]["entries"] == len(lines) > 0


async def test_a_row_tells_how_its_call_went(state_folder: Path) -> None:
    log = Log()
    log.exchange(
        {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}, {"jsonrpc": "2.0", "id": 1, "result": {"tools": []}}
    )
    _, first, *_ = await lines_of(state_folder, SignedLog(log.entries, step=1))
    assert (first["kind"], first["outcome"]) == ("request", "ok")


async def test_the_head_tells_of_gaps(state_folder: Path) -> None:
    head, *_ = await lines_of(state_folder, SignedLog(long_story(10), gaps=(Gap(2, 4, "gone"),)))
    assert head["feeds"][0]["gaps"] == [[2, 4]]


async def test_a_log_with_a_hole_gives_no_proofs(state_folder: Path) -> None:
    entries = long_story(40)
    holed = SignedLog([*entries[:10], *entries[20:]], step=5)
    _, *lines = await lines_of(state_folder, holed, proofs=True)
    assert all(line["inclusion"] is None for line in lines)
    assert len(lines) == len(entries) - 10
