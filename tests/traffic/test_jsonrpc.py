"""Bodies to JSON-RPC messages."""

import hashlib

import pytest
from build import body_of
from hypothesis import given
from hypothesis import strategies as st
from rpc import ask, error, note, result

from mcpwatch.model.entries import Body, Json
from mcpwatch.model.traffic import Direction, RpcMessage
from mcpwatch.traffic.jsonrpc import MAX_BATCH, MAX_DEPTH, MAX_ID, is_carried, parse

TO_SERVER = Direction.TO_SERVER


def one(body: Json | bytes | Body) -> RpcMessage:
    """The only message of a body."""
    (message,) = parse(body_of(body), TO_SERVER)
    return message


def test_a_request_has_id_method_and_params() -> None:
    message = one(ask(7, "tools/call", {"name": "x"}))
    assert (message.id, message.method, message.params, message.fault) == (7, "tools/call", {"name": "x"}, "")
    assert message.direction is TO_SERVER


def test_a_notification_has_no_id() -> None:
    message = one(note("notifications/initialized"))
    assert (message.id, message.method, message.fault) == (None, "notifications/initialized", "")


def test_a_result_and_an_error_are_answers() -> None:
    good, bad = one(result("a", {"x": 1})), one(error(None, -32600, "no"))
    assert (good.id, good.method, good.result, good.error) == ("a", "", {"x": 1}, None)
    assert (bad.id, bad.method, bad.error) == (None, "", {"code": -32600, "message": "no"})


def test_the_event_name_is_kept() -> None:
    (message,) = parse(body_of(note("notifications/progress")), Direction.TO_CLIENT, "notification")
    assert (message.event, message.direction) == ("notification", Direction.TO_CLIENT)


def test_a_batch_is_read_message_by_message() -> None:
    messages = parse(body_of([ask(1, "ping"), note("x"), 3]), TO_SERVER)
    assert [message.method for message in messages] == ["ping", "x", ""]
    assert messages[2].fault == "not JSON-RPC: not an object"


def test_an_endless_batch_is_cut_and_says_so() -> None:
    messages = parse(body_of([ask(id, "ping") for id in range(MAX_BATCH + 5)]), TO_SERVER)
    assert len(messages) == MAX_BATCH + 1
    assert messages[-1].fault == "5 more messages of this batch were not read"


def test_an_empty_body_holds_no_message() -> None:
    assert parse(body_of(b""), TO_SERVER) == ()


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        (b"nonsense", "not JSON"),
        (b"", ""),
        (b"[]", "an empty batch"),
        (b'"text"', "neither an object nor an array"),
        (b"{}", "neither method, result nor error"),
        (b'{"error":"unauthorized"}', "neither method, result nor error"),
        (b'{"result":1}', "without version and id"),
        (b'{"method":7,"id":1}', "the method is not a string"),
        (b"\xff\xfe", "not UTF-8"),
        (b"[" * 100_000, "nested deeper"),
        (b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1), "nested deeper"),
        (b'{"jsonrpc":"2.0","method":"x","params":' + b"9" * 5000 + b"}", "not JSON"),
    ],
)
def test_what_is_not_json_rpc_says_why(body: bytes, fault: str) -> None:
    messages = parse(body_of(body), TO_SERVER)
    assert [fault in message.fault and bool(message.fault) for message in messages] == ([True] if fault else [])


def test_the_deepest_nesting_allowed_is_read() -> None:
    params = b"[" * (MAX_DEPTH - 1) + b"]" * (MAX_DEPTH - 1)
    assert one(b'{"jsonrpc":"2.0","id":1,"method":"x","params":' + params + b"}").fault == ""


def test_brackets_in_strings_do_not_count_as_nesting() -> None:
    assert one(ask(1, "x", {"text": "[" * 1000})).fault == ""


def test_a_body_that_did_not_travel_says_so() -> None:
    digest = hashlib.sha256(b"x").hexdigest()
    large, hashed = Body(9_000_000, digest, truncated=True), Body(70, digest)
    assert "9000000 octets, too large" in one(large).fault
    assert "only the digest" in one(hashed).fault
    assert [one(body).captured for body in (large, hashed, body_of(b"\xff"), body_of(b"x"))] == [
        False,
        False,
        True,
        True,
    ]
    assert not is_carried(large)
    assert not is_carried(hashed)
    assert is_carried(body_of({}))
    assert is_carried(body_of(b"\xff"))
    assert is_carried(Body(0, digest))


def test_a_masked_body_is_read_and_a_broken_one_says_that_it_was_masked() -> None:
    digest = hashlib.sha256(b"x").hexdigest()
    assert one(Body(50, digest, text='{"jsonrpc":"2.0","id":1,"method":"x","params":"***"}', masked=1)).method == "x"
    spoiled = one(Body(50, digest, text="{***", masked=3))
    assert spoiled.fault.endswith("with 3 values masked")
    assert not spoiled.captured


@pytest.mark.parametrize(
    ("body", "params"),
    [
        (b'\xef\xbb\xbf{"jsonrpc":"2.0","id":1,"method":"x","params":1}', 1),
        (b'{"jsonrpc":"2.0","id":1,"method":"x","params":"a\\ud800b"}', "a\ufffdb"),
        (b'{"jsonrpc":"2.0","id":1,"method":"x","params":"a\\\\ud800\\ud800"}', "a\\ud800\ufffd"),
        (b'{"jsonrpc":"2.0","id":1,"method":"x","params":["\\ud83d\\ude00","\\udc00"]}', ["😀", "\ufffd"]),
        (b'{"jsonrpc":"2.0","id":1,"method":"x","params":1e999}', float("inf")),
        (b'{"id":1,"method":"x","params":2}', 2),
    ],
)
def test_what_a_lenient_server_would_act_on_is_not_hidden(body: bytes, params: Json) -> None:
    message = one(body)
    assert (message.fault, message.id, message.method, message.params) == ("", 1, "x", params)


@pytest.mark.parametrize(
    ("id", "read"),
    [(1, 1), ("1", "1"), (2.0, 2), (1.5, "1.5"), (True, "true"), ([1], "[1]"), (10**30, str(10**30)), (None, None)],
)
def test_ids_of_odd_types_can_be_compared(id: Json, read: Json) -> None:
    message = one({"jsonrpc": "2.0", "id": id, "method": "x"})
    assert message.id == read
    assert type(message.id) is type(read)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=20,
)
rpc_like = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(("jsonrpc", "id", "method", "params", "result", "error"), json_values),
)


@given(st.one_of(st.binary(), rpc_like, st.lists(rpc_like, max_size=5), json_values))
def test_nothing_raises_and_every_body_gives_messages(body: Json | bytes) -> None:
    made = body_of(body)
    messages = parse(made, TO_SERVER)
    assert bool(messages) == bool(made.size)
    for message in messages:
        assert type(message.id) in (int, str, type(None))
        assert not message.fault or (message.method, message.params, message.result) == ("", None, None)


@given(st.text(alphabet='{}[]"\\ud8,:01', max_size=200))
def test_json_like_noise_never_raises(text: str) -> None:
    parse(body_of(text.encode()), TO_SERVER)


@pytest.mark.parametrize("id", ["x" * 100_000, ["x" * 100_000]], ids=["text", "list"])
def test_a_long_id_is_kept_short_and_still_told_apart(id: Json) -> None:
    (one,) = parse(body_of({"jsonrpc": "2.0", "id": id, "method": "ping"}), Direction.TO_SERVER)
    (same,) = parse(body_of({"jsonrpc": "2.0", "id": id, "result": {}}), Direction.TO_CLIENT)
    (other,) = parse(body_of({"jsonrpc": "2.0", "id": f"{id}2", "result": {}}), Direction.TO_CLIENT)
    assert one.id == same.id != other.id
    assert len(str(one.id)) < MAX_ID
