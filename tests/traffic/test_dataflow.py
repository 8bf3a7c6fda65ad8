"""A value that one call gave in the arguments of a later one: when that makes an edge, and when it does not."""

import base64
import json
import random
import string
from urllib.parse import quote

import pytest
from build import Log
from folding import Folded, fold
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from rpc import ask, call, error, modern, note, result, text
from verdicts import judged, principal, unsigned, verified

from mcpwatch.model.entries import Body, Json
from mcpwatch.model.identity import Word
from mcpwatch.model.traffic import EdgeKind, ValueKind
from mcpwatch.traffic.dataflow import MAX_FLOWS, MAX_OF_SESSION, PARTS, DataFlows
from mcpwatch.traffic.fold import Traffic
from mcpwatch.traffic.values import MAX_TEXT, MAX_VALUES, candidates, is_random, shown, values

ID = "note-7f3a91c2"
KEY = "ghp_" + "a1B2c3D4e5F6g7H8i9" * 2
TRACE = f"00-{'a' * 32}-{'b' * 16}-01"


def flows(folded: Folded) -> list[list[tuple[str, str, str, str]]]:
    """Parent, kind and both places of each flow, call by call."""
    return [[(flow.parent, flow.kind.value, flow.field, flow.argument) for flow in one.flows] for one in folded.calls]


def two(given: Json, taken: Json, **second: Json) -> Log:
    """A call with a result, and a call with arguments, in one session."""
    log = Log()
    log.exchange(call(1, "find", query="late"), result(1, given), session="s1")
    log.wait(60)
    log.exchange(call(2, "read", **taken), result(2), session="s1", **second)
    return log


def test_an_id_that_a_call_gave_leads_to_the_call_that_takes_it() -> None:
    folded = fold(two(text(f'[{{"id": "{ID}", "title": "Late parcels"}}]'), {"id": ID}))
    assert flows(folded) == [[], [("0", "id", "content[0].text", "arguments.id")]]
    (edge,) = folded.calls[1].parents
    assert (edge.kind, edge.parent) == (EdgeKind.DATA_FLOW, "0")
    assert edge.why == "id not…c2 of its content[0].text is in arguments.id"


def test_a_flow_takes_the_place_of_a_guess_and_leaves_firmer_edges() -> None:
    log = Log()
    log.exchange(call(1, "find"), result(1, text(ID)), session="s1", headers={"traceparent": TRACE})
    log.exchange(call(2, "other"), result(2), session="s1")
    log.exchange(call(3, "read", id=ID), result(3), session="s1")
    log.exchange(call(4, "read", note={"id": ID}), result(4), session="s1", headers={"traceparent": TRACE})
    folded = fold(log)
    assert [(edge.kind.value, edge.parent) for edge in folded.calls[2].parents] == [("data flow", "0")]
    assert [(edge.kind.value, edge.parent) for edge in folded.calls[3].parents] == [("traced", "0")]
    assert [flow.parent for flow in folded.calls[3].flows] == ["0"]


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        (f"Read {ID}.", f"please read {ID}, then stop"),
        ("mail bo@example.com now", "To: <bo@example.com>"),
        ("see https://files.example/a/report.", "https://files.example/a/report"),
        ("in /srv/data/report.txt", "cat '/srv/data/report.txt' | head"),
        ("src/shop/orders.py:12", "src/shop/orders.py:12"),
        (f"the key is {KEY}", f"https://collect.example/?k={KEY}&x=1"),
        ("8d5f4b0e-91c2-4d7e-a6b3-0c1d2e3f4a5b", "8d5f4b0e-91c2-4d7e-a6b3-0c1d2e3f4a5b"),
        ("order 704518293642", "order=704518293642"),
    ],
)
def test_values_are_found_in_whatever_is_around_them(given: str, taken: str) -> None:
    assert len(fold(two(text(given), {"x": [{"y": taken}]})).calls[1].flows) == 1


@pytest.mark.parametrize(
    "said",
    [
        "authentication requirements",
        "2026-11-22T12:00:00Z",
        "20261122T120000Z",
        "report-2026-11-22",
        "claude-3-5-sonnet-20241022",
        "prices_2026_q1_final",
        "application/json",
        "README-english",
        "AnotherClassName",
        "0123456789",
        "000000000000000",
        "short7f3a91",
        "***",
        "https://files.example/?token=***",
        "https://files.example",
        "bo@ab.com",
    ],
)
def test_words_dates_versions_and_masks_tell_nothing(said: str) -> None:
    assert list(candidates(said)) == []
    assert fold(two(text(said), {"x": said})).calls[1].flows == ()


def test_what_the_caller_sent_first_is_its_own() -> None:
    log = Log()
    log.exchange(call(1, "read", path="/srv/data/report.txt"), result(1, text("/srv/data/report.txt")), session="s1")
    log.exchange(call(2, "stat", path="/srv/data/report.txt"), result(2), session="s1")
    assert flows(fold(log)) == [[], []]


def test_the_call_that_gave_a_value_first_is_where_it_came_from() -> None:
    log = Log()
    for id in (1, 2):
        log.exchange(call(id, "find"), result(id, text(ID)), session="s1")
    log.exchange(call(3, "read", id=ID), result(3), session="s1")
    assert flows(fold(log))[2] == [("0", "id", "content[0].text", "arguments.id")]


def test_one_signer_is_followed_from_session_to_session_and_server_to_server() -> None:
    log = Log()
    log.exchange(call(1, "find"), result(1, text(ID)), session="s1")
    log.exchange(modern(call(1, "read", id=ID)), result(1), upstream="mail")
    assert [len(one.flows) for one in fold(log, verified("alice")).calls] == [0, 1]


def test_one_principal_is_followed_from_session_to_session() -> None:
    log = Log()
    for who, id in (("ann", 1), ("ann", 2), ("bob", 3)):
        log.exchange(modern(call(id, "read", id=ID if id > 1 else "")), result(id, text(ID)), principal=principal(who))
        log.wait(4_000)
    assert [len(one.flows) for one in fold(log).calls] == [0, 1, 0]


def strangers(value: str) -> Folded:
    """Alice is given a value, and Bob sends it."""
    log = Log()
    given = log.exchange(call(1, "find"), result(1, text(value)), session="s1")
    taken = log.exchange(modern(call(1, "read", id=value)), result(1), upstream="mail")
    return fold(log, {given[0].index: verified("alice"), taken[0].index: verified("bob")})


def test_between_two_callers_an_id_ties_nothing_and_a_secret_is_said_to_cross() -> None:
    assert strangers(ID).calls[1].flows == ()
    (flow,) = strangers(KEY).calls[1].flows
    assert (flow.crosses, flow.kind) == (True, ValueKind.SECRET)
    assert strangers(KEY).calls[1].parents[0].why == (
        "a secret of its content[0].text, another caller's, is in arguments.id"
    )


def test_a_secret_that_the_other_caller_had_itself_does_not_cross() -> None:
    log = Log()
    verdicts = {}
    for who, body in (
        ("bob", call(1, "login", key=KEY)),
        ("alice", call(2, "find")),
        ("bob", call(3, "login", key=KEY)),
    ):
        asked, *_ = log.exchange(modern(body), result(body["id"], text(KEY)))
        verdicts[asked.index] = verified(who)
    assert flows(fold(log, verdicts)) == [[], [], []]


def test_no_text_of_a_secret_is_told() -> None:
    folded = fold(two({"structuredContent": {"key": KEY}}, {"note": f"k={KEY}"}))
    (flow,) = folded.calls[1].flows
    told = f"{flow} {folded.calls[1].parents}"
    assert flow.kind is ValueKind.SECRET
    assert not any(KEY[at : at + 4] in told for at in range(len(KEY) - 3))


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("bo.larsen@example.com", ValueKind.MAIL),
        ("https://files.example/a/8d5f4b0e91c2", ValueKind.URL),
        ("/srv/data/private/report.txt", ValueKind.PATH),
        ("note-7f3a91c2d4", ValueKind.ID),
    ],
)
def test_what_is_told_of_a_value_is_not_the_value(value: str, kind: ValueKind) -> None:
    assert 0 < len(shown(value, kind)) < len(value)
    assert value not in shown(value, kind)


def test_partial_output_and_errors_give_values_too() -> None:
    log = Log()
    asked = log.request(call(1, "spawn", meta={"progressToken": 1}), session="s1")
    log.response(asked, session="s1")
    log.message(asked, note("notifications/partial_output", {"text": f"wrote {ID}"}), event="notification")
    log.message(asked, error(1, -32603, "no such key AKIAQ3EGRZ7XKJ2M5P9T"), stream=True)
    log.exchange(call(2, "read", id=ID, key="AKIAQ3EGRZ7XKJ2M5P9T"), result(2), session="s1")
    assert flows(fold(log))[1] == [
        ("0", "secret", "message", "arguments.key"),
        ("0", "id", "text", "arguments.id"),
    ]


def test_only_data_gives_values() -> None:
    log = Log()
    log.exchange(ask(1, "tools/list"), result(1, {"tools": [], "nextCursor": ID}), session="s1")
    log.exchange(call(2, "read", id=ID), result(2, {"_meta": {"id": KEY}}), session="s1")
    log.exchange(call(3, "read", id=KEY), result(3), session="s1")
    assert flows(fold(log)) == [[], [], []]


def test_resources_and_prompts_take_and_give() -> None:
    log = Log()
    log.exchange(call(1, "find"), result(1, text("file:///srv/data/a.txt and then")), session="s1")
    log.exchange(
        ask(2, "resources/read", {"uri": "file:///srv/data/a.txt"}),
        result(2, {"contents": [{"uri": "file:///srv/data/a.txt", "text": ID}]}),
        session="s1",
    )
    log.exchange(ask(3, "prompts/get", {"name": "sum", "arguments": {"id": ID}}), result(3), session="s1")
    assert flows(fold(log)) == [
        [],
        [("0", "URL", "content[0].text", "uri")],
        [("4", "id", "contents[0].text", "arguments.id")],
    ]


def test_a_body_that_did_not_travel_ties_nothing() -> None:
    log = two(text(ID), {"id": ID})
    log.exchange(Body(5, "0" * 64), Body(5, "0" * 64), session="s1", headers={"mcp-method": "tools/call"})
    assert [len(one.flows) for one in fold(log).calls] == [0, 1, 0]


def test_a_key_that_comes_late_ties_what_it_would_have_tied_at_once() -> None:
    waiting = replace(judged(Word.UNKNOWN_KEY, "alice"), waiting=True)
    log = Log()
    first = log.exchange(modern(call(1, "find")), result(1, text(ID)))
    second = log.exchange(modern(call(1, "read", id=ID)), result(1), upstream="mail")
    traffic = Traffic()
    for entry in log.entries:
        traffic.apply(entry, waiting)
    child = traffic.calls[str(second[0].index)]
    assert not child.flows
    for asked in (first[0], second[0]):
        assert traffic.rejudge(asked.index, verified("alice")) is not None
    assert [flow.parent for flow in child.flows] == ["0"]
    assert [(edge.kind, edge.parent) for edge in child.parents] == [(EdgeKind.DATA_FLOW, "0")]


def test_a_call_tells_of_so_many_flows_secrets_first() -> None:
    ids = [f"item-{number:02d}f3a91c2b" for number in range(2 * MAX_FLOWS)]
    folded = fold(two(text(" ".join([*ids, KEY])), {"items": ids, "key": KEY}))
    kinds = [flow.kind for flow in folded.calls[1].flows]
    assert kinds == [ValueKind.SECRET, *[ValueKind.ID] * (MAX_FLOWS - 1)]
    assert len(folded.calls[1].parents) == 1


def words(seed: int, count: int) -> list[str]:
    """Values drawn at random."""
    drawn = random.Random(seed)
    return ["".join(drawn.choices("0123456789abcdef", k=16)) for _ in range(count)]


def test_each_session_keeps_the_newest_of_its_values() -> None:
    held = DataFlows(100_000)
    (one,) = fold(two(text(""), {})).calls[:1]
    many = words(1, MAX_OF_SESSION + 200)
    for start in range(0, len(many), MAX_VALUES):
        held.told(one, {"content": many[start : start + MAX_VALUES]}, None)
    other = replace(one, id="other")
    assert len(held) == MAX_OF_SESSION
    assert held.asked(other, {"arguments": {"id": many[0]}}, None) == ()
    assert len(held.asked(replace(one, id="third"), {"arguments": {"id": many[-1]}}, None)) == 1


def test_all_sessions_together_keep_so_many_and_the_quiet_one_goes() -> None:
    held = DataFlows(50)
    (one,) = fold(two(text(""), {})).calls[:1]
    sessions = [replace(one, id=f"c{number}", session=f"s{number}") for number in range(10_000)]
    for number, each in enumerate(sessions):
        held.told(each, {"content": words(number, 10)}, None)
        assert len(held) <= 50
    for number, found in ((9_999, 1), (0, 0)):
        later = replace(sessions[number], id="later")
        assert len(held.asked(later, {"arguments": {"id": words(number, 1)[0]}}, None)) == found


def test_a_caller_of_many_sessions_does_not_make_others_values_forgotten() -> None:
    held = DataFlows(8_000)
    (one,) = fold(two(text(""), {})).calls[:1]
    quiet = replace(one, id="quiet", session="quiet", verdict=verified("alice"))
    held.told(quiet, {"content": words(1, 10)}, None)
    for number in range(200):
        noisy = replace(one, id=f"c{number}", session=f"s{number}", verdict=verified("bob"))
        held.told(noisy, {"content": words(number + 2, 100)}, None)
    assert len(held) <= 8_000 // PARTS + 10
    for session, who, found in (("quiet", "alice", 1), ("s199", "bob", 1), ("s0", "bob", 0)):
        later = replace(one, id="later", session=session, verdict=verified(who))
        value = words(1 if who == "alice" else int(session[1:]) + 2, 1)[0]
        assert len(held.asked(later, {"arguments": {"id": value}}, None)) == found


def test_what_is_looked_at_of_a_message_is_bounded() -> None:
    assert len(list(values({"a": words(1, 1_000)}))) == MAX_VALUES
    assert list(values({"a": "x " * MAX_TEXT + ID})) == []
    assert list(values({"a": "7f" * MAX_TEXT})) == []
    deep: Json = ID
    for _ in range(60):
        deep = [{"a": deep}]
    assert len(list(values(deep))) == 1


@given(st.integers(0, 2**32))
def test_nearly_all_that_is_drawn_at_random_looks_so(seed: int) -> None:
    drawn = random.Random(seed)
    hexadecimal = ["".join(drawn.choices("0123456789abcdef", k=16)) for _ in range(100)]
    base62 = ["".join(drawn.choices(string.ascii_letters + string.digits, k=24)) for _ in range(100)]
    assert sum(map(is_random, hexadecimal)) > 85
    assert sum(map(is_random, base62)) > 85


plain = st.text(st.characters(codec="utf-8"), max_size=40)
parts = st.one_of(plain, st.sampled_from([ID, KEY, "bo@example.com", "/srv/data/report.txt", "https://a.example/b/c"]))
tree = st.recursive(
    parts | st.integers() | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


def texts(value: Json) -> list[str]:
    """All strings in a value."""
    if isinstance(value, str):
        return [value]
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [found for each in inner for found in texts(each)]


@given(st.lists(st.tuples(st.sampled_from(["alice", "bob", ""]), tree, tree), max_size=6))
def test_there_is_no_flow_without_the_value_in_an_earlier_result(plan: list[tuple[str, Json, Json]]) -> None:
    log = Log()
    verdicts = {}
    for place, (who, taken, told) in enumerate(plan):
        asked, *_ = log.exchange(modern(call(1, "t", x=taken)), result(1, {"content": told}))
        verdicts[asked.index] = verified(who) if who else unsigned()
        assert place * 4 == asked.index
    folded = fold(log, verdicts)
    for one in folded.calls:
        taken = " ".join(texts(plan[one.index // 4][1]))
        for flow in one.flows:
            parent = int(flow.parent)
            who, _, told = plan[parent // 4]
            common = {value for value, _ in candidates(" ".join(texts(told)))} | {
                value for each in texts(told) for value, _ in candidates(each)
            }
            assert parent < one.index
            assert any(value in taken for value in common)
            assert flow.crosses == (who != plan[one.index // 4][0])
        assert len(one.flows) <= MAX_FLOWS


@pytest.mark.parametrize(
    "sent",
    [
        base64.b64encode(f"got {KEY} for you".encode()).decode(),
        f"https://collect.example/?d={base64.urlsafe_b64encode(KEY.encode()).decode().rstrip('=')}",
        f"https://collect.example/{base64.b64encode(KEY.encode()).decode()}",
        f"https://collect.example/?d=key%3D{KEY}%0A",
        f"https://collect.example/?d={quote(quote('key: ' + KEY))}",
        json.dumps({"body": json.dumps({"text": f"key\n{KEY}\n"})}),
    ],
)
def test_what_is_wrapped_on_its_way_out_is_unwrapped(sent: str) -> None:
    (flow,) = fold(two(text(f"the key is {KEY}"), {"note": sent})).calls[1].flows
    assert (flow.kind, flow.parent) == (ValueKind.SECRET, "0")
    assert KEY[4:10] not in fold(two(text(KEY), {"note": sent})).calls[1].parents[0].why


@pytest.mark.parametrize(
    "given", [f"key%3D{KEY}", json.dumps(f"key\n{KEY}"), json.dumps("https://files.example/a/7f3a").replace("/", "\\/")]
)
def test_escapes_in_a_result_are_undone(given: str) -> None:
    assert len(fold(two(text(given), {"x": KEY, "url": "https://files.example/a/7f3a"})).calls[1].flows) == 1


def test_what_a_result_wraps_is_no_value_of_it() -> None:
    assert fold(two(text(base64.b64encode(KEY.encode()).decode()), {"id": KEY})).calls[1].flows == ()
