"""Whatever is observed, no rule raises."""

import string
from itertools import pairwise
from typing import get_args

from hypothesis import given, settings
from hypothesis import strategies as st
from rpc import tool

from mcpwatch.detect.engine import Engine
from mcpwatch.detect.rule import Operator
from mcpwatch.model.entries import Body, Leak, Principal, Request, Response, SessionForm
from mcpwatch.model.feed import FeedState, FeedStatus, Gap
from mcpwatch.model.identity import (
    Covered,
    Evidence,
    Freshness,
    OtherSignature,
    ServerProof,
    SignatureState,
    Signer,
    Verdict,
    Word,
)
from mcpwatch.model.tools import Tool, ToolChange, ToolClass
from mcpwatch.model.traffic import (
    Binding,
    Call,
    CallState,
    DataFlow,
    Direction,
    Edge,
    EdgeKind,
    Era,
    Exchange,
    Observation,
    RpcMessage,
    Session,
    SessionKind,
    ValueKind,
)

indexes = st.integers(0, 12)
words = st.sampled_from(["", "a", "b", "\x1b[2J", "\u202e", "x" * 500, "\ud800", "=?base64?YQ==?=", "=?base64?=?="])
methods = st.sampled_from(
    ["", "initialize", "ping", "tools/list", "tools/call", "resources/read", "tasks/get", "notifications/x", "\x1b"]
)
scalars = st.none() | st.booleans() | st.integers() | st.floats() | words
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3), max_leaves=6
)
metas = st.fixed_dictionaries({"io.modelcontextprotocol/protocolVersion": scalars})
params = values | st.fixed_dictionaries(
    {},
    optional={
        "name": values,
        "arguments": values,
        "uri": values,
        "taskId": values,
        "_meta": values | metas,
        "clientInfo": values,
    },
)
signers = st.builds(Signer, words | st.sampled_from(["did:web:a", "did:web:b", "https://a/b"]), words)
others = st.builds(OtherSignature, st.sampled_from(Word), words, words, st.none() | signers, words)
proofs = st.none() | st.builds(ServerProof, st.sampled_from(Word), words, st.none() | signers, words)
verdicts = st.builds(
    Verdict,
    word=st.sampled_from(Word),
    signature=st.sampled_from(SignatureState),
    freshness=st.sampled_from(Freshness),
    evidence=st.sampled_from(Evidence),
    coverage=st.lists(st.sampled_from(Covered), max_size=2).map(tuple),
    signer=st.none() | signers,
    first_seen=st.none() | indexes,
    waiting=st.booleans(),
    reasons=st.lists(words, max_size=2).map(tuple),
    first_source=st.none() | words,
    others=st.lists(others, max_size=2).map(tuple),
)
principals = st.none() | st.builds(
    Principal,
    words,
    words,
    issuer=words,
    subject=words,
    expires=st.none() | st.integers(-(2**53), 2**53),
    algorithm=st.sampled_from(["", "none", "NONE", "RS256"]),
)
origins = st.sampled_from(["null", "http://a.example", "http://[", "http://127.0.0.1", "x", "//", "http:"])
names = st.sampled_from(["user-agent", "mcp-method", "mcp-name", "mcp-protocol-version", "mcp-", "origin"])
requests = st.builds(
    Request,
    words,
    st.sampled_from(["POST", "GET", "DELETE", "\x00"]),
    words,
    words,
    words,
    st.sampled_from(["", "127.0.0.1:1", "[::1]:2", "a:b:c", "::::"]),
    st.lists(st.tuples(names, words | methods | origins), max_size=6).map(tuple),
    st.none() | st.builds(Body, st.just(1), words, masked=st.integers(0, 1)),
    session=words,
    principal=principals,
    leaked=st.lists(st.sampled_from(get_args(Leak)), max_size=2).map(tuple),
    withheld=st.lists(names, max_size=2).map(tuple),
)
responses = st.none() | st.builds(
    Response,
    indexes,
    st.integers(0, 600),
    st.just(()),
    session=words,
    session_form=st.sampled_from(get_args(SessionForm)),
)
messages = st.builds(
    RpcMessage,
    st.sampled_from(Direction),
    st.none() | st.integers(0, 2) | words,
    methods,
    params,
    values,
    values,
    words,
)
numbers = st.sampled_from(string.digits)
flows = st.builds(DataFlow, numbers, st.sampled_from(ValueKind), words, words, words, st.booleans())
calls = st.builds(
    Call,
    id=numbers,
    index=indexes,
    exchange=indexes,
    source=st.just("gw"),
    upstream=words,
    session=words,
    direction=st.sampled_from(Direction),
    rpc_id=st.none() | st.integers(0, 2),
    method=methods,
    target=words,
    started=st.floats(0, 100),
    verdict=verdicts,
    state=st.sampled_from(CallState),
    ended=st.none() | st.floats(0, 100),
    status=st.none() | st.integers(0, 600),
    error_code=st.none() | st.sampled_from([-32020, 0]),
    error_text=words,
    parents=st.lists(st.builds(Edge, st.sampled_from(EdgeKind), numbers, words), max_size=2).map(tuple),
    flows=st.lists(flows, max_size=2).map(tuple),
    classes=st.lists(st.sampled_from(ToolClass), max_size=3).map(tuple),
)
sessions = st.none() | st.builds(
    Session,
    key=st.sampled_from(["", "s1", "s2"]),
    kind=st.sampled_from(SessionKind),
    source=st.just("gw"),
    upstream=words,
    era=st.sampled_from(Era),
    started=st.just(0.0),
    last_seen=st.just(0.0),
    binding=st.builds(Binding, signer=st.none() | signers, since=st.none() | indexes),
    listed_tools=st.sets(words, max_size=2),
    initialized_at=st.none() | indexes,
    principal=principals,
)
exchanges = st.none() | st.builds(
    Exchange,
    index=indexes,
    source=st.just("gw"),
    upstream=words,
    method=st.sampled_from(["POST", "GET", "DELETE"]),
    target=words,
    peer=words,
    session=words,
    era=st.sampled_from(Era),
    started=st.just(0.0),
    verdict=verdicts,
    status=st.none() | st.integers(0, 600),
    calls=st.lists(calls, max_size=1),
    principal=principals,
)
definitions = values | st.builds(tool, words, words)
changes = st.builds(
    ToolChange,
    st.builds(Tool, words, words, definitions, words, indexes, indexes, previous=definitions),
    st.booleans(),
    st.booleans(),
)
observations = st.builds(
    Observation,
    index=indexes,
    source=st.sampled_from(["gw", "other"]),
    time=st.floats(0, 1e10),
    kind=st.sampled_from(["request", "response", "message", "end", "gateway", "malformed", "?"]),
    exchange=exchanges,
    session=sessions,
    verdict=st.none() | verdicts,
    messages=st.lists(messages, max_size=2).map(tuple),
    opened=st.lists(calls, max_size=2).map(tuple),
    updated=st.lists(calls, max_size=2).map(tuple),
    tools=st.lists(changes, max_size=2).map(tuple),
    note=words,
    rebound=st.none() | signers,
    request=st.none() | requests,
    rejudged=st.booleans(),
    proof=proofs,
    response=responses,
    leaked=st.booleans(),
    gone=st.lists(sessions, max_size=2).map(lambda some: tuple(each for each in some if each)),
)
statuses = st.builds(
    FeedStatus,
    words,
    words,
    st.sampled_from(FeedState),
    detail=words,
    next_index=indexes,
    gaps=st.lists(st.builds(Gap, indexes, indexes, words), max_size=2).map(tuple),
)


@settings(max_examples=100, deadline=None)
@given(st.lists(observations, min_size=1, max_size=12))
def test_no_observation_makes_a_rule_raise(seen: list[Observation]) -> None:
    engine = Engine(operator=Operator({"a": ("b",), "a b": ()}, lambda name, now: (Signer("b", name),)))
    for each in seen:
        for finding in engine.observe(each):
            assert finding.evidence and finding.source == each.source
            assert len(finding.subject) <= 300
    assert not engine.failures


@given(st.lists(statuses, min_size=2, max_size=6))
def test_no_change_of_a_feed_makes_a_rule_raise(seen: list[FeedStatus]) -> None:
    engine = Engine()
    for before, after in pairwise(seen):
        engine.observe_feed(before, after)
    assert not engine.failures
