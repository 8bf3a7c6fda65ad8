"""What servers offer, and whether it is still what it was."""

from hashlib import sha256

import msgspec
import pytest
from build import Log
from folding import Folded, fold
from rpc import ask, call, error, modern, result, text, tool
from verdicts import signer, unsigned, verified

from mcpwatch.model.entries import Entry, Json
from mcpwatch.model.tools import DefinitionPin, Tool, ToolChange
from mcpwatch.traffic.fold import Traffic
from mcpwatch.traffic.records import Limits


def listing(log: Log, *tools: Json, id: int = 1, session: str = "s1", upstream: str = "") -> list[Entry]:
    """An exchange that lists these tools."""
    body = ask(id, "tools/list")
    return log.exchange(body, result(id, {"tools": list(tools)}), session=session, upstream=upstream)


def changes(folded: Folded) -> list[tuple[str, bool, bool]]:
    """Name, new, changed of every listing of a tool, in order."""
    return [(change.tool.name, change.is_new, change.is_changed) for seen in folded.seen for change in seen.tools]


def test_a_listing_tells_of_each_tool() -> None:
    log = Log()
    answer = listing(log, tool("read", "Reads"), tool("write"))[2]
    folded = fold(log)
    read, write = folded.traffic.tools.values()
    assert folded.at(answer).tools == (ToolChange(read, True, False), ToolChange(write, True, False))
    assert (read.upstream, read.name, read.definition) == ("files", "read", tool("read", "Reads"))
    assert (read.first_seen, read.last_seen, read.changed) == (answer.index, answer.index, 0)
    (session,) = folded.sessions
    assert session.listed_tools == {"read", "write"}
    assert read.sessions == {session.key}


def test_the_digest_is_over_sorted_keys_and_the_whole_object() -> None:
    log = Log()
    listing(log, {"name": "x", "description": "a", "inputSchema": {"b": 1, "a": 2}})
    listing(log, {"inputSchema": {"a": 2, "b": 1}, "description": "a", "name": "x"}, id=2)
    listing(log, {"name": "x", "description": "a", "inputSchema": {"b": 1, "a": 2}, "_meta": {"z": 1}}, id=3)
    folded = fold(log)
    assert changes(folded) == [("x", True, False), ("x", False, False), ("x", False, True)]
    (one,) = folded.traffic.tools.values()
    whole = b'{"_meta":{"z":1},"description":"a","inputSchema":{"a":2,"b":1},"name":"x"}'
    assert one.digest == sha256(whole).hexdigest()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (tool("x", "Reads a file"), tool("x", "Reads a file and mails it")),
        (tool("x", annotations={"readOnlyHint": True}), tool("x", annotations={"readOnlyHint": 1})),
        (tool("x", count=1), tool("x", count=1.0)),
    ],
)
def test_a_changed_definition_is_told_and_the_one_before_is_kept(before: Json, after: Json) -> None:
    log = Log()
    listing(log, before)
    second = listing(log, after, id=2, session="s2")[2]
    folded = fold(log)
    (one,) = folded.traffic.tools.values()
    assert folded.at(second).tools == (ToolChange(one, False, True),)
    assert (one.changed, one.previous, one.definition, one.last_seen) == (1, before, after, second.index)
    assert len(one.sessions) == 2


def test_a_change_back_is_a_change() -> None:
    log = Log()
    for id, description in enumerate(("a", "b", "a")):
        listing(log, tool("x", description), id=id)
    assert [changed for _, _, changed in changes(fold(log))] == [False, True, True]


def test_pages_and_streams_and_both_eras_list_alike() -> None:
    log = Log()
    listing(log, tool("a"))
    page = ask(2, "tools/list", {"cursor": "2"})
    log.exchange(page, result(2, {"tools": [tool("b")], "nextCursor": "3"}), session="s1", stream=True)
    log.exchange(modern(ask(3, "tools/list")), result(3, {"resultType": "complete", "tools": [tool("a")]}))
    folded = fold(log)
    assert changes(folded) == [("a", True, False), ("b", True, False), ("a", False, False)]
    assert [session.listed_tools for session in folded.sessions] == [{"a", "b"}, {"a"}]


def test_the_same_name_on_another_server_is_another_tool() -> None:
    log = Log()
    listing(log, tool("x", "a"))
    listing(log, tool("x", "b"), upstream="mail")
    folded = fold(log)
    assert changes(folded) == [("x", True, False), ("x", True, False)]
    assert set(folded.traffic.tools) == {("files", "x"), ("mail", "x")}


@pytest.mark.parametrize(
    "listed",
    [None, "tools", {"tools": None}, {"tools": {"name": "x"}}, {"tools": [1, {}, {"name": 7}, None]}, []],
)
def test_a_listing_that_is_none_lists_nothing(listed: Json) -> None:
    log = Log()
    log.exchange(ask(1, "tools/list"), result(1, listed), session="s1")
    folded = fold(log)
    assert folded.traffic.tools == {}
    assert folded.states == ["done"]


def test_tools_are_only_what_a_listing_was_asked_for() -> None:
    log = Log()
    log.exchange(call(1, "x"), result(1, {"tools": [tool("x")]}), session="s1")
    log.exchange(ask(2, "tools/list"), error(2, -32000, "no"), session="s1")
    assert fold(log).traffic.tools == {}


def test_calls_errors_durations_and_callers_are_counted() -> None:
    log = Log(step=0.0)
    listing(log, tool("x"))
    signed = log.request(call(2, "x"), session="s1")
    log.wait(0.25)
    log.message(signed, result(2, text("good")))
    failed = log.request(call(3, "x"), session="s1")
    log.wait(0.5)
    log.message(failed, result(3, text("bad", is_error=True)))
    gone = log.request(call(4, "x"), session="s1")
    log.response(gone, 500)
    log.end(gone)
    log.request(call(5, "x"), session="s1")
    folded = fold(log, {signed.index: verified("alice")})
    (one,) = folded.traffic.tools.values()
    assert (one.calls, one.errors) == (4, 2)
    assert one.durations == pytest.approx([0.25, 0.5])
    assert one.callers == {signer("alice").id, folded.sessions[0].key}


def test_a_tool_that_nobody_listed_is_not_counted() -> None:
    log = Log()
    log.exchange(call(1, "ghost"), result(1), session="s1")
    assert fold(log).traffic.tools == {}


def test_durations_are_bounded() -> None:
    log = Log()
    listing(log, tool("x"))
    for id in range(2, 232):
        log.exchange(call(id, "x"), result(id), session="s1")
    log.step = 1.0
    log.exchange(call(232, "x"), result(232), session="s1")
    (one,) = fold(log).traffic.tools.values()
    assert (one.calls, len(one.durations)) == (231, 200)
    assert one.durations[-2:] == pytest.approx([0.002, 2.0], abs=1e-4)


def test_a_server_with_endless_tools_pushes_out_its_own() -> None:
    log = Log()
    listing(log, tool("precious"), upstream="mail")
    for page in range(30):
        listing(log, *(tool(f"t{page}-{number}") for number in range(10)), id=page)
    folded = fold(log, limits=Limits(tools=50))
    tools: dict[tuple[str, str], Tool] = folded.traffic.tools
    assert len(tools) == 50
    assert ("mail", "precious") in tools
    assert ("files", "t29-9") in tools
    assert folded.traffic.evicted["tools"] == 251


def filler(log: Log, page: str, number: int, upstream: str = "") -> None:
    """A listing of tools that nobody needs."""
    listing(log, *(tool(f"{page}-{each}") for each in range(number)), upstream=upstream)


def test_a_tool_that_was_pushed_out_and_comes_back_changed_is_changed() -> None:
    log = Log()
    first = listing(log, tool("x", "Reads a file"))[2]
    filler(log, "a", 10)
    second = listing(log, tool("x", "Reads a file and mails it"))[2]
    filler(log, "b", 10)
    third = listing(log, tool("x", "Reads a file"))[2]
    folded = fold(log, limits=Limits(tools=5))
    (change,) = folded.at(second).tools
    assert (change.is_new, change.is_changed) == (False, True)
    assert (change.tool.first_seen, change.tool.changed, change.tool.previous) == (first.index, 1, None)
    (change,) = folded.at(third).tools
    assert (change.is_changed, change.tool.first_seen, change.tool.changed) == (True, first.index, 2)


def test_a_tool_that_was_pushed_out_and_comes_back_the_same_is_not_new() -> None:
    log = Log()
    first = listing(log, tool("x"))[2]
    filler(log, "a", 10)
    again = listing(log, tool("x"))[2]
    folded = fold(log, limits=Limits(tools=5))
    (change,) = folded.at(again).tools
    assert (change.is_new, change.is_changed) == (False, False)
    assert (change.tool.first_seen, change.tool.changed) == (first.index, 0)


def test_what_was_listed_first_is_remembered_through_any_flood_after_it() -> None:
    log = Log()
    listing(log, tool("x", "a"))
    listing(log, tool("y", "a"), upstream="mail")
    for page in range(30):
        filler(log, f"t{page}", 10)
        filler(log, f"t{page}", 3, upstream="mail")
        listing(log, tool("x", "a"))
    assert changes(fold(log, limits=Limits(tools=5, digests=20))).count(("x", True, False)) == 1
    changed = listing(log, tool("x", "b"))[2], listing(log, tool("y", "b"), upstream="mail")[2]
    folded = fold(log, limits=Limits(tools=5, digests=20))
    assert [folded.at(entry).tools[0].is_changed for entry in changed] == [True, True]


def test_digests_are_bounded() -> None:
    log = Log()
    for page in range(30):
        filler(log, f"t{page}", 10, upstream="files" if page % 3 else "mail")
    servers = fold(log, limits=Limits(tools=5, digests=20)).traffic._tools._digests._servers
    assert {upstream: len(known) for upstream, known in servers.items()} == {"files": 10, "mail": 10}


def test_a_tool_at_the_end_of_a_long_listing_is_looked_at() -> None:
    log = Log()
    more = [tool(f"t{number}") for number in range(20)]
    listing(log, *more, tool("x", "a"))
    listing(log, *more, tool("x", "b"))
    assert changes(fold(log, limits=Limits(tools=5)))[-1] == ("x", False, True)


@pytest.mark.parametrize("more", [{"isError": True}, {"resultType": "input_required"}])
def test_no_other_field_of_the_answer_hides_what_is_listed(more: dict[str, Json]) -> None:
    log = Log()
    log.exchange(ask(1, "tools/list"), result(1, {"tools": [tool("read", "good")]}))
    log.exchange(ask(2, "tools/list"), result(2, {"tools": [tool("read", "bad")], **more}))
    folded = fold(log)
    assert [listed.changed for listed in folded.traffic.tools.values()] == [1]


@pytest.mark.parametrize(
    ("method", "state"), [("tools/call", "tool error"), ("tasks/result", "tool error"), ("ping", "done")]
)
def test_only_the_result_of_a_tool_says_that_the_tool_failed(method: str, state: str) -> None:
    log = Log()
    log.exchange(ask(1, method), result(1, {"isError": True}))
    assert fold(log).states == [state]


def pinned(definition: Json) -> DefinitionPin:
    """A pin of an earlier run."""
    return DefinitionPin(sha256(msgspec.json.encode(definition, order="sorted")).hexdigest(), 1.0, definition)


def test_a_definition_is_pinned_on_first_use_and_stays_pinned() -> None:
    log = Log()
    first = listing(log, tool("x", "a"))[2]
    listing(log, tool("x", "b"), id=2)
    (one,) = fold(log).traffic.tools.values()
    (pin,) = one.pins
    assert (pin.digest, pin.definition) == (pinned(tool("x", "a")).digest, tool("x", "a"))
    assert (pin.index, pin.author) == (first.index, "")
    assert one.pin is None
    listing(log, tool("x", "a"), id=3)
    (one,) = fold(log).traffic.tools.values()
    assert one.pin == pin


def test_a_tool_is_held_against_what_was_pinned_before() -> None:
    log = Log()
    listing(log, tool("x", "b"), tool("y", "a"), tool("z", "c"))
    old = {("files", "x"): (pinned(tool("x", "a")),), ("files", "z"): (pinned(tool("z", "a")), pinned(tool("z", "c")))}
    traffic = Traffic(pins=old)
    seen = [traffic.apply(entry, unsigned()) for entry in log.entries]
    assert [(change.tool.name, change.is_new, change.is_changed) for each in seen for change in each.tools] == [
        ("x", True, True),
        ("y", True, False),
        ("z", True, False),
    ]
    x, y, z = traffic.tools.values()
    assert (x.previous, x.changed, x.pin) == (tool("x", "a"), 1, None)
    assert (y.previous, y.pin, z.pin) == (None, y.pins[0], z.pins[1])
    assert [each.name for each in traffic.trusted()] == ["y"]
    assert traffic.trusted() == ()


def test_more_pins_of_a_tool_are_taken_in_when_asked_to() -> None:
    log = Log()
    listing(log, tool("x", "b"))
    pins: dict[tuple[str, str], tuple[DefinitionPin, ...]] = {("files", "x"): (pinned(tool("x", "a")),)}
    traffic = Traffic(pins=pins)
    for entry in log.entries:
        traffic.apply(entry, unsigned())
    pins["files", "x"] += (pinned(tool("x", "b")),)
    traffic.repin("files", "x")
    traffic.repin("files", "nobody")
    assert traffic.tools["files", "x"].pin == pins["files", "x"][1]


def test_a_tool_that_was_pushed_out_is_held_against_how_it_was_then() -> None:
    log = Log()
    listing(log, tool("x", "b"))
    filler(log, "a", 10)
    again = listing(log, tool("x", "b"))[2]
    traffic = Traffic(limits=Limits(tools=5), pins={("files", "x"): (pinned(tool("x", "a")),)})
    seen = {entry.index: traffic.apply(entry, unsigned()) for entry in log.entries}
    (change,) = seen[again.index].tools
    assert (change.is_new, change.is_changed, change.tool.pin) == (False, False, None)


def test_of_a_flood_those_that_came_first_are_trusted() -> None:
    log = Log()
    for page in range(5):
        filler(log, f"t{page}", 4)
    trusted = fold(log, limits=Limits(tools=5)).traffic.trusted()
    assert [each.name for each in trusted] == ["t0-0", "t0-1", "t0-2", "t0-3", "t1-0"]
