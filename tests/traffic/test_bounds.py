"""Nothing grows without end, what is finished goes first, and what went is counted."""

from collections import OrderedDict

from build import Log
from folding import fold
from rpc import ask, call, error, modern, note, result, tool
from verdicts import principal

from mcpwatch.bounded import keep
from mcpwatch.model.traffic import CallState, Direction, SessionState
from mcpwatch.traffic.calls import MAX_METHOD
from mcpwatch.traffic.eviction import EvictingTable
from mcpwatch.traffic.pending import MAX_SAME, Pending
from mcpwatch.traffic.records import Limits
from mcpwatch.traffic.sessions import MAX_CALLS
from mcpwatch.traffic.tools import MAX_LISTED, MAX_PARTIES


def test_a_table_gives_up_what_finished_first_and_then_what_is_oldest() -> None:
    table: EvictingTable[str, int] = EvictingTable(3)
    for number, key in enumerate("abc"):
        assert table.put(key, number) is None
    table.finish("c")
    table.finish("b")
    assert [table.put("d", 3), table.put("e", 4), table.put("f", 5)] == [2, 1, 0]
    assert (list(table.items), table.evicted) == (["d", "e", "f"], 3)
    table.touch("d")
    assert table.put("g", 6) == 4


def test_a_table_keeps_what_was_revived_and_forgets_what_was_removed() -> None:
    table: EvictingTable[str, int] = EvictingTable(2)
    table.put("a", 1)
    table.put("b", 2)
    table.finish("b")
    table.revive("b")
    assert table.put("c", 3) == 1
    table.remove("b")
    table.remove("unknown")
    assert list(table.items) == ["c"]
    assert table.put("c", 4) is None
    assert (table.items["c"], table.evicted) == (4, 1)


def test_of_several_calls_under_one_key_the_right_one_is_taken_out() -> None:
    log = Log()
    for id in range(3):
        log.request(call(id, "x"), session="s1")
    first, second, third = fold(log).calls
    pending = Pending()
    for one in (first, second, third):
        pending.add("same", one)
    pending.remove("same", second)
    pending.remove("other", first)
    assert pending.find(Direction.TO_SERVER, "same") == [first, third]
    assert pending.find(Direction.TO_CLIENT, "same") == []
    pending.remove("same", second)
    pending.remove("same", first)
    assert pending.find(Direction.TO_SERVER, "same") == [third]
    pending.remove("same", first)
    assert pending.find(Direction.TO_SERVER, "same") == [third]
    pending.remove("same", third)
    assert (len(pending), pending.find(Direction.TO_SERVER, "same")) == (0, [])


def test_a_table_keeps_the_newest() -> None:
    table: OrderedDict[str, int] = OrderedDict()
    for number, key in enumerate("abca"):
        keep(table, key, number, 2)
    assert list(table.items()) == [("c", 2), ("a", 3)]


def test_finished_calls_go_before_open_ones() -> None:
    log = Log()
    running = log.request(call(1, "running"), session="s1")
    for id in range(2, 20):
        log.exchange(call(id, "x"), result(id), session="s1")
    folded = fold(log, limits=Limits(calls=5))
    assert len(folded.calls) == 5
    assert folded.traffic.calls[str(running.index)].state is CallState.RUNNING
    assert folded.traffic.evicted["calls"] == 14
    (session,) = folded.sessions
    assert session.call_count == 19
    assert session.calls == folded.calls


def test_where_all_calls_are_open_the_oldest_is_given_up() -> None:
    log = Log()
    for id in range(1, 8):
        log.request(call(id, "x"), session="s1")
    folded = fold(log, limits=Limits(calls=5))
    assert folded.states == ["running"] * 5
    gone = folded.seen[0].opened[0]
    assert (gone.state, gone.error_text) == (CallState.TRUNCATED, "too many calls are open")
    log.message(0, result(1))
    assert fold(log, limits=Limits(calls=5)).states == ["running"] * 5


def test_where_all_exchanges_are_open_the_oldest_is_given_up() -> None:
    log = Log()
    for id in range(1, 8):
        log.request(call(id, "x"), session="s1")
    folded = fold(log, limits=Limits(exchanges=5))
    assert list(folded.traffic.exchanges) == [2, 3, 4, 5, 6]
    assert folded.states == ["truncated"] * 2 + ["running"] * 5
    assert folded.traffic.evicted["exchanges"] == 2


def test_finished_exchanges_go_before_open_ones() -> None:
    log = Log()
    log.request(call(1, "running"), session="s1")
    for id in range(2, 10):
        log.exchange(call(id, "x"), result(id), session="s1")
    folded = fold(log, limits=Limits(exchanges=5))
    assert len(folded.traffic.exchanges) == 5
    assert 0 in folded.traffic.exchanges


def test_ended_sessions_go_first_and_then_the_most_silent() -> None:
    log = Log()
    for name in ("a", "b", "c"):
        log.initialize(name)
    log.exchange(None, method="DELETE", session="b")
    log.exchange(ask(1, "ping"), result(1), session="a")
    log.initialize("d")
    log.initialize("e")
    folded = fold(log, limits=Limits(sessions=3))
    assert [session.initialized_at for session in folded.sessions] == [1, 29, 36]
    assert folded.traffic.evicted["sessions"] == 2
    assert all(session.state is SessionState.OPEN for session in folded.sessions)


def test_a_flood_of_session_ids_leaves_only_so_many() -> None:
    log = Log()
    for number in range(200):
        log.request(ask(number, "ping"), session=f"guess-{number}")
    folded = fold(log, limits=Limits(sessions=10))
    assert len(folded.sessions) == 10
    assert folded.traffic.evicted["sessions"] == 190


def test_parties_of_a_tool_and_tools_of_a_session_are_bounded() -> None:
    log = Log()
    for number in range(MAX_PARTIES + 5):
        log.exchange(ask(1, "tools/list"), result(1, {"tools": [tool("x")]}), session=f"s{number}")
        log.request(call(2, "x"), session=f"s{number}")
    for page in range(6):
        names = [tool(f"t{page}-{number}") for number in range(1000)]
        log.exchange(ask(1, "tools/list"), result(1, {"tools": names}), session="s0")
    traffic = fold(log, limits=Limits(tools=10_000)).traffic
    one = traffic.tools[("files", "x")]
    assert (len(one.sessions), len(one.callers), one.calls) == (MAX_PARTIES, MAX_PARTIES, MAX_PARTIES + 5)
    assert len(traffic.sessions[traffic.calls["0"].session].listed_tools) == MAX_LISTED


def test_a_flood_of_names_leaves_only_so_many() -> None:
    log = Log()
    for number in range(200):
        log.request(modern(call(number, "x"), client=f"c{number}"), principal=principal(f"p{number}"))
        log.request(modern(call(number, "x"), client=f"c{number}"), peer=f"10.0.0.{number}:1")
    folded = fold(log, limits=Limits(sessions=10, names=10))
    sessions = folded.traffic._sessions
    tables = (sessions._newest, sessions._clients, sessions._probes, sessions._counters)
    assert all(len(table) <= 10 for table in tables)
    assert len(folded.sessions) == 10


def test_a_session_that_went_and_comes_again_begins_anew() -> None:
    log = Log()
    first = log.request(call(1, "x"), session="a")
    log.request(call(1, "x"), session="b")
    log.message(first, result(1))
    log.end(first)
    log.request(call(2, "x"), session="a")
    folded = fold(log, limits=Limits(sessions=1))
    (session,) = folded.sessions
    assert (session.requests, session.call_count) == (1, 1)
    assert folded.states == ["done", "running", "running"]


def test_a_call_keeps_no_long_method() -> None:
    log = Log()
    log.exchange(ask(1, "m" * 100_000), error(1, -32601, "no"))
    (one,) = fold(log).calls
    assert len(one.method) == MAX_METHOD


def test_one_id_for_everything_stays_bounded() -> None:
    log = Log()
    log.initialize("s1")
    for _ in range(MAX_SAME + 50):
        log.request(call(1, "x"), session="s1")
    folded = fold(log)
    (tracked,) = folded.traffic._sessions.table.items.values()
    assert len(tracked.pending) == MAX_SAME
    assert tracked.pending.find(Direction.TO_SERVER, 1) == folded.calls[-MAX_SAME:]
    oldest = folded.calls[1]
    folded.traffic.apply(log.message(oldest.exchange, result(1)))
    assert oldest.state is CallState.DONE


def test_calls_of_one_session_are_the_newest() -> None:
    log = Log()
    for id in range(MAX_CALLS // 100 + 3):
        log.exchange([call(id * 100 + one, "x") for one in range(100)], session="s1")
    (session,) = fold(log).sessions
    assert (len(session.calls), session.call_count) == (MAX_CALLS, MAX_CALLS + 300)
    assert session.calls[-1].rpc_id == MAX_CALLS + 299


def test_nothing_is_left_behind_when_all_is_over() -> None:
    log = Log()
    log.initialize("s1")
    for id in range(1, 30):
        asked = log.request(call(id, "x", meta={"progressToken": id}), session="s1")
        log.message(asked, note("notifications/progress", {"progressToken": id}), stream=True)
        log.message(asked, ask(id, "elicitation/create"), stream=True)
        log.exchange(result(id), status=202, session="s1")
        log.message(asked, result(id), stream=True)
        log.end(asked)
    folded = fold(log)
    (tracked,) = folded.traffic._sessions.table.items.values()
    assert (len(tracked.pending), len(tracked.tokens), tracked.detached, tracked.flows) == (0, 0, {}, 0)
    assert folded.traffic._calls._tokens == {}
    assert set(folded.states) == {"done"}
