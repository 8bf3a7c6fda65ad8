"""The filter language: what it reads, what it refuses, and that it prints itself."""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from verdicts import judged, principal, signer, verified
from watched import Stage

from mcpwatch.model.alerts import Severity
from mcpwatch.model.identity import KeyState, OtherSignature, Resolution, Signer, Word
from mcpwatch.model.traffic import CallState
from mcpwatch.watch.filter_words import BY_NAME, WORDS
from mcpwatch.watch.nodes import COMPARISONS, Both, Compare, Contains, Either, Is, Matches, Node, Not
from mcpwatch.watch.query import ALL, BadQuery, Query, check_saved, help_rows, parse
from mcpwatch.watch.row import Row

VALUES = {
    "status>": ["200", "404"],
    "sev>": ["low", "high", "critical"],
    "dur>": ["500ms", "1.5h", "20us", "3μs"],
    "age>": ["5m", "2d"],
    "index>": ["0", "999999"],
}


def texts() -> st.SearchStrategy[str]:
    """What somebody may look for, case-folded as the parser does it."""
    return st.text(min_size=1, max_size=12).map(str.casefold).filter(lambda text: text == text.casefold() != "")


def terms() -> st.SearchStrategy[Node]:
    """Every term the parser can make."""
    free = [word.name for word in WORDS if word.texts and not word.choices]
    chosen = [(word.name, choice.casefold()) for word in WORDS for choice in word.choices]
    return st.one_of(
        st.builds(Contains, texts()),
        st.builds(Is, st.sampled_from(free), texts(), st.booleans()),
        st.sampled_from(chosen).map(lambda pair: Is(pair[0], pair[1])),
        st.sampled_from([Matches("a.c"), Matches("/etc/[a-z]+"), Matches(r"\\d/\d")]),
        st.sampled_from([(key[:-1], value) for key, values in VALUES.items() for value in values]).flatmap(
            lambda pair: st.sampled_from(sorted(COMPARISONS)).map(lambda sign: Compare(pair[0], sign, pair[1]))
        ),
    )


def grow(parts: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    """Bigger trees in the shape the parser gives them: no list directly within one of its kind."""
    several = st.lists(parts, min_size=2, max_size=3)
    return st.one_of(
        st.builds(Not, parts),
        several.map(lambda nodes: Both(tuple(flat(nodes, Both)))),
        several.map(lambda nodes: Either(tuple(flat(nodes, Either)))),
    )


def flat(nodes: list[Node], kind: type[Both] | type[Either]) -> list[Node]:
    return [part for node in nodes for part in (node.parts if isinstance(node, kind) else (node,))]


@given(st.recursive(terms(), grow, max_leaves=8))
def test_a_query_reads_back_from_its_own_text(root: Node) -> None:
    query = Query(root)
    assert parse(str(query)) == query
    assert query.english()


@settings(max_examples=400)
@given(st.text(max_size=60) | st.text(alphabet='()|!":=<>re/ tolsevdu\\5ms', max_size=40))
def test_any_text_is_a_query_or_is_refused_with_a_place_in_it(text: str) -> None:
    try:
        query = parse(text)
    except BadQuery as bad:
        assert 0 <= bad.position <= len(text)
        assert bad.reason
    else:
        assert parse(str(query)) == query


def test_a_space_binds_closer_than_a_bar_and_not_closest() -> None:
    assert parse("a b | !c d") == Query(
        Either((Both((Contains("a"), Contains("b"))), Both((Not(Contains("c")), Contains("d")))))
    )
    assert parse("(a | b) c") == Query(Both((Either((Contains("a"), Contains("b"))), Contains("c"))))
    assert parse("  ") == ALL


def test_what_people_paste_is_looked_for_as_it_is() -> None:
    assert parse("did:key:z6Mk").root == Contains("did:key:z6mk")
    assert parse("https://x/y").root == Contains("https://x/y")


@pytest.mark.parametrize(
    ("text", "position", "reason"),
    [
        ("a tol:x", 2, "unknown word 'tol:'; did you mean tool:?"),
        ("zzz:x", 0, "unknown word 'zzz:'; to search for it, quote it: \"zzz:…\""),
        ("tool:", 5, "tool: needs a value"),
        ("tool: x", 5, "tool: needs a value"),
        ("tool>3", 5, "tool cannot be compared; tool:3 looks for it"),
        ("dur>fast", 4, "“fast” is not a span of time, as in dur>500ms"),
        ("dur:5s", 4, "dur takes a comparison: a span of time, as in dur>500ms"),
        ("sev>=hihg", 5, "“hihg” is not low, medium, high or critical"),
        ("sig:verifed", 4, "sig is not “verifed”; did you mean verified?"),
        ("ack:maybe", 4, "ack is not “maybe”; one of yes, no"),
        ("(a", 0, "this ( is not closed"),
        ("a)", 1, "this ) closes nothing"),
        ("a |", 3, "something to look for is missing here"),
        ("()", 1, "something to look for is missing here"),
        ("!", 0, "! needs something to turn round"),
        ("(!)", 1, "! needs something to turn round"),
        ("a !| b", 2, "! needs something to turn round"),
        ('a "b', 2, "this quote is not closed"),
        ('""', 0, "there is nothing between the quotes"),
        ("re:/a", 0, "the regular expression needs a closing /"),
        ("re:/(/", 0, "not a regular expression"),
        ("re:/(a+)+b/", 0, "a repeat of what itself varies could take for ever"),
        ("(" * 40 + "a", 32, "more than 32 levels deep"),
        ("x" * 1_001, 1_000, "a filter has at most 1000 characters"),
    ],
)
def test_a_bad_query_says_where_and_why(text: str, position: int, reason: str) -> None:
    with pytest.raises(BadQuery) as caught:
        parse(text)
    assert caught.value.position == position
    assert reason in caught.value.reason


def test_english_says_what_the_filter_does() -> None:
    query = parse("tool:Read sig:bad | !sev>=high dur<500ms")
    assert query.english() == (
        "(the tool contains “read” and the signature is “bad”)"
        " or (not (the severity is at least high) and the duration is less than 500ms)"
    )
    assert ALL.english() == "everything"


def test_every_word_is_in_the_help() -> None:
    typed = [text for text, _ in help_rows()]
    assert all(any(text.startswith(name) for text in typed) for name in BY_NAME)


def _signed(stage: Stage) -> Row:
    return stage.request("read_file", verdict=verified("alice"), session=stage.session("5e551047aa"), rpc_id=7)


def _beside(stage: Stage) -> Row:
    """Two signatures, by one whom the operator calls ledger and by bob."""
    ledger = replace(signer("alice"), name="Ledger")
    bob = Signer("bobs-id", "f" * 43, Resolution.REGISTRY, KeyState.SUPERSEDED)
    others = (OtherSignature(Word.OLD_KEY, "aip", signer=bob),)
    return stage.request(verdict=replace(verified(), signer=ledger, profile="web-bot-auth", others=others))


def _failed(stage: Stage) -> Row:
    row = stage.request("write", verdict=judged(Word.BAD_SIG, "mallory"), session=stage.session("cafe0123"))
    stage.response(row, 404)
    stage.answer(row, CallState.TOOL_ERROR, seconds=2.0)
    stage.alert(row.index, rule="tool/poisoned", severity=Severity.CRITICAL)
    return row


def _asserted(stage: Stage) -> Row:
    session = stage.session("beef")
    session.principal = principal("ann")
    row = stage.request("read_mail", session=session)
    alert = stage.alert(row.index, rule="identity/unsigned-call", severity=Severity.MEDIUM)
    stage.rest(alert)
    return row


@pytest.mark.parametrize(
    ("text", "made", "passes"),
    [
        ("tool:READ", _signed, True),
        ("tool=read", _signed, False),
        ("tool=read_file", _signed, True),
        ("method:tools/call", _signed, True),
        ("id:7", _signed, True),
        ("id:70", _signed, False),
        ("sess:5e551047", _signed, True),
        ("who:did:key:z6Mk", _signed, True),
        ("who:ann", _asserted, True),
        ("who:agent", _asserted, True),
        ("server:files", _signed, True),
        ("dir:server", _signed, True),
        ("dir:s2c", _signed, False),
        ("kind:req", _signed, True),
        ("kind:message", _signed, False),
        ("status:running", _signed, True),
        ("status:404", _failed, True),
        ("status:4xx", _failed, True),
        ("status>=400", _failed, True),
        ("status>=400", _signed, False),
        ('status:"tool error"', _failed, True),
        ("sig:verified", _signed, True),
        ("sig:valid", _signed, True),
        ("sig:bad", _failed, True),
        ("sig:bad-sig", _failed, True),
        ("sig:unsigned", _signed, False),
        ("name:ledger", _beside, True),
        ("name:ledger", _signed, False),
        ("scheme:rfc9421", _signed, True),
        ('scheme:"http message"', _signed, True),
        ("scheme:aip", _beside, True),
        ("scheme:aip", _signed, False),
        ("profile:web-bot", _beside, True),
        ("profile:web-bot", _signed, False),
        ("via:did:key", _signed, True),
        ("via:registry", _beside, True),
        ("via:registry", _failed, False),
        ("keystate:current", _signed, True),
        ("keystate:superseded", _beside, True),
        ("keystate:superseded", _signed, False),
        ("who:bobs-id", _beside, True),
        ("who=bobs-id", _beside, True),
        ("who=bobs-id", _signed, False),
        ("alert:any", _failed, True),
        ("alert:none", _signed, True),
        ("alert:poisoned", _failed, True),
        ("rule:tool/", _failed, True),
        ("rule:tool/", _asserted, False),
        ("sev:crit", _failed, True),
        ("sev>=high", _failed, True),
        ("sev>=high", _asserted, False),
        ("sev<high", _signed, False),
        ("ack:no", _failed, True),
        ("ack:yes", _asserted, True),
        ("ack:yes", _signed, False),
        ("peer:127.0.0.1", _signed, True),
        ("gw:x", _signed, False),
        ("dur>1s", _failed, True),
        ("dur>3s", _failed, False),
        ("dur>8s", _signed, True),
        ("age<20s", _signed, True),
        ("age>20s", _signed, False),
        ("index<1", _signed, True),
        ("index:0", _signed, True),
        ("poison", _failed, False),
        ("WRITE", _failed, True),
        ("re:/^tools.call$/", _failed, False),
        ("re:/tools.call/", _failed, True),
        ("!tool:read | sig:verified", _signed, True),
        ("!(tool:read | sig:verified)", _signed, False),
        ("", _signed, True),
    ],
)
def test_what_each_word_finds(text: str, made: Callable[[Stage], Row], passes: bool) -> None:
    stage = Stage()
    row = made(stage)
    stage.wait(10)
    assert parse(text).matches(row, stage.state) is passes


SAVED = {"bad": "sig:bad | sev>=high", "mine": "@bad tool:read", "x-1": "dur>5s"}


@pytest.mark.parametrize("typed", ["@bad", "!@bad", "tool:a @mine", "@bad | @x-1", "(@bad | a) !@mine"])
def test_a_saved_filter_keeps_its_name_and_means_what_it_stands_for(typed: str) -> None:
    query = parse(typed, SAVED)
    assert str(query) == typed and parse(str(query), SAVED) == query
    stage = Stage()
    rows = [stage.request("read_file"), stage.request("other", verdict=judged(Word.BAD_SIG))]
    plain = (
        typed.replace("@mine", "(@bad tool:read)").replace("@bad", "(sig:bad | sev>=high)").replace("@x-1", "dur>5s")
    )
    assert [query.matches(row, stage.state) for row in rows] == [parse(plain).matches(row, stage.state) for row in rows]


def test_the_echo_of_a_saved_filter_says_what_it_stands_for() -> None:
    assert parse("tool:a @bad", SAVED).english() == (
        "the tool contains “a” and (the signature is “bad” or the severity is at least high)"
    )


def test_what_is_no_name_is_looked_for() -> None:
    assert parse("@example.com").root == Contains("@example.com")
    assert parse('"@bad"').root == Contains("@bad")


@pytest.mark.parametrize(
    ("saved", "typed", "position", "reason"),
    [
        (SAVED, "a @bat", 2, "there is no saved filter @bat; did you mean @bad?"),
        ({}, "@none", 0, 'there is no saved filter @none; to search for it, quote it: "@none"'),
        ({"a": "@b", "b": "x @a"}, "y @a", 2, "@b: @a stands for itself: @a → @b → @a (at its character 3)"),
        ({"a": "tool:"}, "@a", 0, "@a: tool: needs a value (at its character 6)"),
        (
            {f"n{n}": f"@n{n + 1}" for n in range(9)},
            "@n0",
            0,
            "@n7: more than 8 saved filters within each other (at its character 1)",
        ),
    ],
)
def test_a_broken_saved_filter_is_told(saved: dict[str, str], typed: str, position: int, reason: str) -> None:
    with pytest.raises(BadQuery) as bad:
        parse(typed, saved)
    assert (bad.value.position, bad.value.reason) == (position, reason)


def test_saved_filters_cannot_grow_without_end() -> None:
    doubling = {f"n{n}": f"@n{n + 1} " * 9 for n in range(6)} | {"n6": "a"}
    with pytest.raises(BadQuery, match="more than 500 things to look for"):
        parse("@n0", doubling)


def test_all_saved_filters_are_checked() -> None:
    check_saved(SAVED)
    with pytest.raises(BadQuery) as bad:
        check_saved({**SAVED, "worse": "a )"})
    assert (bad.value.saved, bad.value.position, bad.value.reason) == ("worse", 2, "this ) closes nothing")


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ('tool:a "b c', 'this quote is not closed (at “"b c”)'),
        ("a | ", "something to look for is missing here (at the end)"),
        ("toll:a", "unknown word 'toll:'; did you mean tool:? (at “toll:a”)"),
    ],
)
def test_a_mistake_is_told_with_its_place(typed: str, told: str) -> None:
    with pytest.raises(BadQuery) as bad:
        parse(typed)
    assert bad.value.told(typed) == told
