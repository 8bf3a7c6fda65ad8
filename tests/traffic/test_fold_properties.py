"""Whatever arrives: nothing raises, and what is told hangs together."""

from collections import Counter

from build import Log, body_of
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from rpc import ask, call, error, modern, note, result, text, tool
from verdicts import judged, principal, unsigned, verified

from mcpwatch.model.entries import Body, Entry, Json
from mcpwatch.model.identity import Covered, Verdict, Word
from mcpwatch.model.traffic import CallState, SessionState
from mcpwatch.traffic.fold import Traffic
from mcpwatch.traffic.records import Limits

small = st.integers(0, 3)
ids = st.sampled_from([0, 1, 2, "1", "L", None])
junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)
meta = st.fixed_dictionaries(
    {},
    optional={
        "progressToken": ids | junk,
        "traceparent": st.sampled_from([f"00-{'a' * 32}-{'b' * 16}-01", f"00-{'a' * 32}-{'c' * 16}-01"]) | junk,
        "io.modelcontextprotocol/subscriptionId": ids | junk,
        "io.modelcontextprotocol/related-task": st.fixed_dictionaries({"taskId": ids}) | junk,
        "io.modelcontextprotocol/clientInfo": st.fixed_dictionaries({"name": st.sampled_from("ab")}) | junk,
    },
)
params = st.fixed_dictionaries(
    {},
    optional={
        "_meta": meta | junk,
        "name": st.sampled_from(["read", "write"]) | junk,
        "requestId": ids | junk,
        "progressToken": ids | junk,
        "progress": junk,
        "requestState": st.sampled_from(["s", "t"]) | junk,
        "inputResponses": junk,
        "taskId": st.sampled_from(["t"]) | junk,
        "clientInfo": junk,
    },
)
methods = st.sampled_from(
    [
        "initialize",
        "tools/call",
        "tools/list",
        "server/discover",
        "subscriptions/listen",
        "notifications/progress",
        "notifications/cancelled",
        "notifications/initialized",
        "elicitation/create",
        "tasks/get",
        "ping",
    ]
)
results = (
    st.fixed_dictionaries(
        {},
        optional={
            "isError": st.booleans() | junk,
            "content": st.just([{"type": "text", "text": "Forbidden"}]) | junk,
            "tools": st.just([tool("read"), tool("write")]) | junk,
            "resultType": st.sampled_from(["complete", "input_required", "task"]) | junk,
            "requestState": st.sampled_from(["s", "t"]) | junk,
            "task": st.fixed_dictionaries({"taskId": ids}) | junk,
            "protocolVersion": st.just("2025-11-25") | junk,
            "serverInfo": junk,
        },
    )
    | junk
)
rpc = st.one_of(
    st.builds(ask, ids.filter(lambda id: id is not None), methods, params | junk),
    st.builds(note, methods, params | junk),
    st.builds(modern, st.builds(call, st.sampled_from([1, 2]), st.just("read"))),
    st.builds(result, ids, results),
    st.builds(error, ids, st.integers(-32999, -31000), st.sampled_from(["Forbidden", "boom"])),
    junk,
)
bodies = st.one_of(
    rpc,
    st.lists(rpc, max_size=3),
    st.binary(max_size=20),
    st.just(Body(5, "0" * 64)),
    st.just(Body(5, "0" * 64, truncated=True)),
)
verdicts = st.sampled_from(
    [
        None,
        unsigned(),
        verified("alice"),
        verified("alice", Covered.SESSION),
        verified("mallory"),
        judged(Word.BAD_SIG, "alice"),
        replace(judged(Word.UNKNOWN_KEY, "alice"), waiting=True),
        replace(judged(Word.UNKNOWN_KEY, "mallory"), waiting=True),
    ]
)
steps = st.lists(
    st.one_of(
        st.tuples(
            st.just("request"),
            bodies | st.none(),
            st.sampled_from(["", "", "s1", "s2"]),
            st.sampled_from(["POST", "GET", "DELETE"]),
            st.sampled_from([{}, {"mcp-protocol-version": "2025-11-25"}, {"mcp-method": "tools/call"}]),
        ),
        st.tuples(st.just("response"), small, st.sampled_from([200, 202, 302, 400, 401, 404, 502]), st.booleans()),
        st.tuples(st.just("message"), small, bodies, st.sampled_from(["", "1"])),
        st.tuples(
            st.just("end"),
            small,
            st.sampled_from(["complete", "client-closed", "upstream-closed", "error", "denied"]),
        ),
        st.tuples(st.just("wait"), st.sampled_from([-5000.0, 1.0, 301.0, 1801.0])),
        st.tuples(st.sampled_from(["started", "stopped", "malformed", "tick"])),
        st.tuples(st.just("rejudge"), small, verdicts.filter(lambda verdict: verdict is not None)),
    ),
    max_size=40,
)


def check(traffic: Traffic, limits: Limits) -> None:
    """What must hold after every entry."""
    assert len(traffic.calls) <= limits.calls
    assert len(traffic.sessions) <= limits.sessions
    assert len(traffic.exchanges) <= limits.exchanges
    assert len(traffic.tools) <= limits.tools
    assert set(traffic.evicted) == {"exchanges", "calls", "sessions", "tools"}
    held: Counter[str] = Counter()
    for id, one in traffic.calls.items():
        assert one.id == id
        assert (one.state is CallState.RUNNING) == (one.ended is None)
        assert one.entries == sorted(set(one.entries))
        assert one.last_index >= one.index
        assert all(edge.parent != id for edge in one.parents)
        assert len({edge.parent for edge in one.parents}) == len(one.parents)
        if one.session in traffic.sessions:
            held[one.session] += 1
            assert any(other is one for other in traffic.sessions[one.session].calls)
    for key, session in traffic.sessions.items():
        assert session.key == key
        assert 0 <= session.signed <= session.requests
        assert session.call_count >= len(session.calls) >= held[key]
        assert (session.state is SessionState.ENDED) == (session.ended_at is not None)
    for tracked in traffic._sessions.table.items.values():
        assert tracked.flows >= 0
        assert all(one.ended is None for one in tracked.detached.values())


@settings(max_examples=300, deadline=None)
@given(steps, st.data())
def test_any_order_of_entries_folds(sequence: list[tuple[Json, ...]], data: st.DataObject) -> None:
    limits = Limits(exchanges=12, calls=12, sessions=4, tools=3, waiting=4, names=4)
    traffic, log = Traffic(limits=limits), Log()
    requests: list[int] = [0]
    ended: set[str] = set()

    def apply(entry: Entry, verdict: Verdict | None = None) -> None:
        seen = traffic.apply(entry, verdict)
        assert (seen.index, seen.source) == (entry.index, entry.source)
        for one in seen.opened:
            assert one.index == entry.index
            assert one.id not in ended
        ended.update(one.id for one in seen.updated if one.ended is not None)
        check(traffic, limits)

    def target(back: int) -> int:
        return requests[-1 - min(back, len(requests) - 1)]

    for kind, *rest in sequence:
        match kind:
            case "request":
                body, session, method, headers = rest
                entry = log.request(body, session=session, method=method, headers=headers, principal=None)
                requests.append(entry.index)
                apply(entry, data.draw(verdicts))
            case "response":
                back, status, opens = rest
                apply(log.response(target(back), status, session="s1" if opens else ""))
            case "message":
                back, body, event_id = rest
                apply(log.message(target(back), body, event_id=event_id))
            case "end":
                back, outcome = rest
                apply(log.end(target(back), outcome))
            case "wait":
                log.wait(*rest)
            case "started":
                apply(log.started())
            case "stopped":
                apply(log.stopped())
            case "malformed":
                apply(log.malformed())
            case "tick":
                traffic.tick(log.now)
                check(traffic, limits)
            case "rejudge":
                back, verdict = rest
                again = traffic.rejudge(target(back), verdict)
                assert again is None or (again.index == target(back) and again.rejudged)
                assert all(one.rejudged for one in traffic.revised())
                check(traffic, limits)


@given(st.lists(st.tuples(st.sampled_from(["a", "b"]), st.sampled_from([1, 1, 2]), st.booleans()), max_size=30))
def test_whoever_shares_an_id_gets_the_answer_of_its_own_exchange(
    plan: list[tuple[str, int, bool]],
) -> None:
    log = Log()
    asked = [log.request(call(id, f"tool{place}"), session=session) for place, (session, id, _) in enumerate(plan)]
    for place in reversed(range(len(plan))):
        _, id, answered = plan[place]
        if answered:
            log.message(asked[place], result(id, text(f"tool{place}")))
    traffic = Traffic()
    for entry in log.entries:
        traffic.apply(entry, unsigned())
    found = {one.target: one.state is CallState.DONE for one in traffic.calls.values()}
    assert found == {f"tool{place}": answered for place, (_, _, answered) in enumerate(plan)}


@given(st.lists(st.sampled_from(["alice", "mallory", ""]), min_size=1, max_size=12), st.data())
def test_keys_that_arrive_late_leave_what_keys_at_hand_would_have(names: list[str], data: st.DataObject) -> None:
    """The binding does not depend on how fast a registry answers."""
    log = Log()
    asked = [log.request(ask(place, "ping"), session="s1") for place in range(len(names))]
    final = [verified(name) if name else unsigned() for name in names]
    prompt, late = Traffic(), Traffic()
    for entry, verdict in zip(asked, final, strict=True):
        prompt.apply(entry, verdict)
    slow = [bool(name) and data.draw(st.booleans()) for name in names]
    for entry, verdict, waits in zip(asked, final, slow, strict=True):
        late.apply(entry, replace(judged(Word.UNKNOWN_KEY, "x"), waiting=True) if waits else verdict)
    order = data.draw(st.permutations([place for place, waits in enumerate(slow) if waits]))
    for place in order:
        assert late.rejudge(asked[place].index, final[place]) is not None
    (expected,), (found,) = prompt.sessions.values(), late.sessions.values()
    assert (found.binding, found.signed) == (expected.binding, expected.signed)
    for entry in asked:
        assert late.exchanges[entry.index].verdict == prompt.exchanges[entry.index].verdict


@given(st.binary(max_size=300))
def test_any_body_is_taken(body: bytes) -> None:
    log = Log()
    traffic = Traffic()
    asked = log.request(body_of(body), principal=principal())
    traffic.apply(asked)
    traffic.apply(log.message(asked, body_of(body)))
    seen = traffic.apply(log.end(asked))
    assert seen.exchange is not None
    assert seen.exchange.ended is not None
