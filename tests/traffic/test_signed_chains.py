"""Edges that receipts sign: they rest on proven receipts, and do not depend on when the proof came."""

from collections.abc import Mapping

import pytest
from build import Log
from folding import Folded, fold
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from rpc import call, modern, result
from verdicts import judged, unsigned, verified

from mcpwatch.model.identity import Receipt, SignatureState, Verdict, Word
from mcpwatch.model.traffic import Edge, EdgeKind
from mcpwatch.traffic.records import Limits

Edges = list[list[tuple[str, str]]]


def signed(id: str, *, parent: str = "", trace: str = "", name: str = "alice", word: Word = Word.PARTIAL) -> Verdict:
    """The verdict on a call with a valid receipt."""
    return replace(verified(name, word=word), receipt=Receipt(id, trace, parent))


def waits(verdict: Verdict) -> Verdict:
    """The same request before its signer's key is there."""
    del verdict
    return replace(judged(Word.NO_CHECK, "alice", SignatureState.UNRESOLVABLE), waiting=True)


def calls(count: int, session: str = "s1") -> Log:
    """So many calls that are answered at once, the first of them entry 0 and every fourth after it."""
    log = Log()
    for id in range(count):
        log.exchange(call(id, "step"), result(id), session=session)
    return log


def edges(folded: Folded) -> Edges:
    """Kind and parent of each edge, call by call."""
    return [[(edge.kind.value, edge.parent or edge.receipt) for edge in one.parents] for one in folded.calls]


def folded(*verdicts: Verdict) -> Folded:
    """Calls with these verdicts, one after the other."""
    return fold(calls(len(verdicts)), {4 * place: verdict for place, verdict in enumerate(verdicts)})


def test_a_receipt_names_the_call_before_it() -> None:
    found = folded(signed("rec_a"), signed("rec_b"), signed("rec_c", parent="rec_a"))
    assert edges(found) == [[], [("inferred", "0")], [("signed", "0")]]
    assert found.calls[2].parents[0].why == "its receipt names this call's"


def test_a_call_of_another_session_and_signer_is_a_parent_all_the_same() -> None:
    log = Log()
    log.exchange(call(1, "plan"), result(1), session="s1")
    log.exchange(modern(call(1, "act")), result(1), upstream="mail")
    found = fold(log, {0: signed("rec_a"), 4: signed("rec_b", parent="rec_a", name="bob")})
    assert edges(found) == [[], [("signed", "0")]]
    assert found.calls[1].parents[0].why.startswith("its receipt names this call's, which did:key:z6Mk")


def test_a_receipt_that_was_not_seen_is_named_and_no_call_is_made_up_for_it() -> None:
    found = folded(signed("rec_a"), signed("rec_b", parent="rec_elsewhere"))
    assert found.calls[1].parents == (
        Edge(EdgeKind.SIGNED, "", "its receipt names this one, which no earlier call proves here", "rec_elsewhere"),
    )


def test_a_receipt_that_reads_like_a_call_does_not_make_that_call_a_parent() -> None:
    found = folded(signed("rec_a"), unsigned(), signed("rec_b", parent="0"))
    assert found.calls[0].id == "0"
    assert [(edge.parent, edge.receipt) for edge in found.calls[2].parents if edge.kind is EdgeKind.SIGNED] == [
        ("", "0")
    ]


def test_a_trace_leads_to_the_receipt_before_unless_one_is_named() -> None:
    found = folded(
        signed("rec_a", trace="t"),
        signed("rec_b", trace="other"),
        signed("rec_c", trace="t"),
        signed("rec_d", trace="t", parent="rec_a"),
        signed("rec_e", trace="t"),
    )
    assert edges(found)[2:] == [[("signed", "0")], [("signed", "0")], [("signed", "12")]]
    assert found.calls[2].parents[0].why == "the receipt before in trace t"


@pytest.mark.parametrize("word", [Word.REPLAY, Word.STALE, Word.OLD_KEY, Word.WRONG_KEY])
def test_a_receipt_counts_only_where_it_is_proven(word: Word) -> None:
    found = folded(signed("rec_a", word=word), signed("rec_b", parent="rec_a"))
    assert edges(found)[1] == [("signed", "rec_a")]
    found = folded(signed("rec_a"), signed("rec_b", parent="rec_a", word=word))
    assert edges(found)[1] == [("inferred", "0")]


def test_a_call_is_not_its_own_parent_nor_that_of_an_older_one() -> None:
    found = folded(signed("rec_a", parent="rec_a"), signed("rec_b", parent="rec_c"), signed("rec_c"))
    assert edges(found)[:2] == [[("signed", "rec_a")], [("signed", "rec_c")]]


def test_a_repeat_does_not_take_the_place_of_the_call_it_repeats() -> None:
    found = folded(signed("rec_a"), signed("rec_a"), signed("rec_b", parent="rec_a"))
    assert edges(found)[2] == [("signed", "0")]


def test_edges_come_and_go_with_the_verdict() -> None:
    verdicts = signed("rec_a"), signed("rec_b", parent="rec_a")
    log = calls(2)
    found = fold(log, {0: waits(verdicts[0]), 4: waits(verdicts[1])})
    assert edges(found) == [[], [("inferred", "0")]]
    found.traffic.rejudge(4, verdicts[1])
    assert edges(found)[1] == [("signed", "rec_a")]
    found.traffic.rejudge(0, verdicts[0])
    assert edges(found)[1] == [("signed", "0")]
    found.traffic.rejudge(0, judged(Word.BAD_SIG, "alice"), found.seen[0])
    assert edges(found)[1] == [("signed", "rec_a")]
    found.traffic.rejudge(4, judged(Word.BAD_SIG, "alice"), found.seen[4])
    assert edges(found) == [[], [("inferred", "0")]]


def test_a_signer_that_is_found_to_be_another_is_told_anew() -> None:
    log = Log()
    log.exchange(call(1, "plan"), result(1), session="s1")
    log.exchange(call(1, "act"), result(1), session="s2")
    found = fold(log, {0: signed("rec_a"), 4: signed("rec_b", parent="rec_a", name="bob")})
    assert ", which did:key:" in found.calls[1].parents[0].why
    found.traffic.unbind(found.calls[1].session, 4)
    found.traffic.rejudge(4, signed("rec_b", parent="rec_a"), found.seen[4])
    assert [edge.why for edge in found.calls[1].parents] == ["its receipt names this call's"]


def test_what_is_remembered_is_bounded_and_what_was_joined_stays() -> None:
    log = calls(6)
    verdicts = {4 * place: signed(f"rec_{place}", parent=f"rec_{place - 1}", trace="t") for place in range(6)}
    verdicts[20] = signed("rec_5", parent="rec_0")
    found = fold(log, verdicts, Limits(names=2))
    assert edges(found)[1:] == [
        [("signed", "0")],
        [("signed", "4")],
        [("signed", "8")],
        [("signed", "12")],
        [("signed", "rec_0")],
    ]


def test_a_stronger_edge_to_the_same_call_takes_the_weaker_ones_place_until_it_falls() -> None:
    log = Log()
    span = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    for id in (1, 2):
        log.exchange(modern(call(id, "x"), traceparent=span), result(id))
    found = fold(log, {0: signed("rec_a"), 4: signed("rec_b", parent="rec_a")})
    assert edges(found)[1] == [("signed", "0")]
    found.traffic.rejudge(4, judged(Word.BAD_SIG, "alice"), found.seen[4])
    assert edges(found)[1] == [("traced", "0")]


NAMES = st.sampled_from(["", "rec_0", "rec_1", "rec_2", "rec_3", "rec_9"])
RECEIPTS = st.lists(st.tuples(NAMES, st.sampled_from(["", "t", "u"])), min_size=2, max_size=5)


@given(RECEIPTS, st.data())
def test_when_the_proof_comes_makes_no_difference(links: list[tuple[str, str]], data: st.DataObject) -> None:
    verdicts = [signed(f"rec_{place}", parent=parent, trace=trace) for place, (parent, trace) in enumerate(links)]
    final = [verdict if data.draw(st.booleans()) else unsigned() for verdict in verdicts]
    at_once = folded(*final)
    start: Mapping[int, Verdict] = {
        4 * place: data.draw(st.sampled_from([waits(verdict), verdict, unsigned()]))
        for place, verdict in enumerate(verdicts)
    }
    late = fold(calls(len(links)), start)
    for place in data.draw(st.permutations(range(len(links)))):
        late.traffic.rejudge(4 * place, final[place], late.seen[4 * place])
    assert edges(late) == edges(at_once)
