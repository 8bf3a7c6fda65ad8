"""Pages: what they say of verdicts, payloads and entries, and that nothing makes them fail."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from build import START, Log, body_of
from hostile import CORPUS
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs
from people import acknowledge
from scene import Scene
from verdicts import judged, unsigned, verified

from mcpwatch.detect.engine import Quiet
from mcpwatch.detect.rules import CATALOGUE
from mcpwatch.model.alerts import AlertState, Severity
from mcpwatch.model.entries import Body, Json
from mcpwatch.model.feed import FeedState, FeedStatus
from mcpwatch.model.health import Health
from mcpwatch.model.identity import Covered, Evidence, Freshness, KeyState, Resolution, SignatureState, Strength, Word
from mcpwatch.model.tools import Tool
from mcpwatch.model.traffic import CallState, Edge, EdgeKind, SessionState
from mcpwatch.text import is_hidden
from mcpwatch.ui import looks
from mcpwatch.ui.pages.alert import alert_page
from mcpwatch.ui.pages.call import alert_lines, call_lines
from mcpwatch.ui.pages.entry import content_parts, exact_lines, proof_lines
from mcpwatch.ui.pages.feed import feed_page, means
from mcpwatch.ui.pages.health import health_lines
from mcpwatch.ui.pages.payload import body_parts, json_lines, text_lines
from mcpwatch.ui.pages.tool import tool_page
from mcpwatch.ui.pages.verdict import verdict_lines
from mcpwatch.ui.times import full
from mcpwatch.ui.widgets.lines import plain
from mcpwatch.ui.widgets.outline import Outline, Part
from mcpwatch.watch.policy_watch import PolicyStanding

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=20,
)


def said(parts: Sequence[Part]) -> str:
    """The text of a page."""
    return "\n".join(each.whole if isinstance(each, Outline) else plain(each) for each in parts)


@pytest.mark.parametrize(
    ("states", "table"),
    [
        (Word, looks.VERDICTS),
        (Severity, looks.SEVERITIES),
        (FeedState, looks.FEEDS),
        (CallState, looks.CALLS),
        (SignatureState, looks.SIGNATURES),
        (Freshness, looks.FRESHNESS),
        (KeyState, looks.KEYS),
        (Evidence, looks.EVIDENCE),
        (Strength, looks.STRENGTHS),
        (EdgeKind, looks.EDGES),
        (SessionState, looks.SESSIONS),
        (AlertState, looks.ALERT_STATES),
    ],
)
def test_every_state_has_a_look(states: type, table: dict[object, object]) -> None:
    assert set(table) == set(states)  # type: ignore[call-overload]


def test_states_of_one_kind_have_glyphs_of_one_cell_that_differ() -> None:
    glyphs = [look.glyph for look in looks.VERDICTS.values()]
    assert all(len(glyph) == 1 for glyph in glyphs) and len(set(glyphs)) == len(glyphs)


def test_a_verdict_says_what_is_covered_and_what_is_not() -> None:
    text = said(verdict_lines(verified("alice", Covered.METHOD, Covered.BODY), missing=(Covered.AUTHORITY,)))
    assert "✓ method" in text and "✓ body" in text
    assert "✗ authority" in text and "✗ body" not in text
    assert "not covered  nothing" in said(verdict_lines(verified("alice", Covered.METHOD)))


def test_a_bad_verdict_gives_its_reasons() -> None:
    text = said(verdict_lines(judged(Word.BAD_SIG, "alice")))
    assert "✗ BAD SIG" in text and "made up" in text and "forged" in text
    assert "a signature that does not hold covers nothing" in text and "not covered" not in text


def test_nothing_is_said_of_the_coverage_of_what_is_not_signed() -> None:
    assert "covers" not in said(verdict_lines(unsigned()))


@given(values)
def test_json_of_any_shape_is_laid_out(value: Json) -> None:
    assert not any(is_hidden(char) for char in said(json_lines(value)).replace("\n", ""))


def test_json_reads_as_json_and_folds_what_is_long() -> None:
    text = said(json_lines({"a": 1, "b": {"c": [1, 2]}, "many": list(range(500)), "long": "x" * 5_000}))
    assert '"a": 1,' in text and '"c": [1, 2]' in text
    assert "… 400 more" in text and "4,600 more characters" in text


def test_text_with_line_breaks_is_laid_open() -> None:
    assert "│ one\n│ two" in said(json_lines("one\ntwo")) or "│ two" in said(json_lines({"t": "one\ntwo"}))


def test_deep_json_says_how_deep_it_stands() -> None:
    assert "60· " in said(text_lines("[" * 61 + '{"a":1}' + "]" * 61))


@pytest.mark.parametrize("text", CORPUS)
def test_bodies_of_any_text_are_shown_safely(text: str) -> None:
    body = body_of(text.encode("utf-8", "surrogatepass"))
    assert not any(is_hidden(char) for char in said(body_parts(body)).replace("\n", ""))


def test_a_body_says_what_the_capture_left_out() -> None:
    assert "digest only" in said(body_parts(Body(9, "ab")))
    assert "3 values masked" in said(body_parts(Body(9, "ab", text="{}", masked=3)))
    assert "too large" in said(body_parts(Body(9, "ab", truncated=True)))
    assert "no body" in said(body_parts(None))


def test_every_kind_of_entry_has_its_words() -> None:
    log = Log()
    asked = log.request({"a": 1}, withheld=("authorization",))
    words = {
        "The gateway started": log.started(),
        "withheld: authorization": asked,
        "HTTP 500": log.response(asked, 500),
        "named odd": log.message(asked, {"r": 1}, event="odd"),
        "gone": log.end(asked, "error", reason="gone"),
        "asked to": log.stopped(),
        "Malformed": log.malformed(b"\xff\x1b[2J"),
    }
    for word, entry in words.items():
        assert word in said(content_parts(entry))


def test_an_entry_is_pending_until_a_checkpoint_covers_it() -> None:
    entry = Log().started()
    assert "pending" in said(proof_lines(entry, None))


def test_the_exact_leaf_is_shown_whole() -> None:
    entry = Log().started()
    assert entry.leaf.decode() in said(exact_lines(entry)).replace("\n", "")


def test_an_alert_tells_what_became_of_the_calls_that_show_it(tmp_path: Path) -> None:
    scene = Scene(tmp_path).play()
    forged = next(each for each in scene.book.alerts.values() if each.rule == "identity/bad-signature")
    row = scene.state.rows_of_alert(forged)[0]
    assert row.outcome(0.0)
    text = said(alert_page(forged, None, scene.state))
    assert f"{row.method} {row.tool}  {row.outcome(0.0)}" in text


def test_an_alert_names_the_same_signer_on_its_page_and_on_that_of_its_entry(tmp_path: Path) -> None:
    scene = Scene(tmp_path).play()
    forged = next(each for each in scene.book.alerts.values() if each.rule == "identity/wrong-key")
    row = scene.state.rows_of_alert(forged)[-1]
    assert row.verdict is not None and row.verdict.signer is not None
    scene.state.identities[row.verdict.signer.id].name = "ledger"
    forged.reason = f"Signed by {row.verdict.signer.id}."
    reason = f"Signed by ledger {row.verdict.signer.id}."
    assert reason in said(alert_page(forged, None, scene.state))
    assert reason in said(alert_lines(row, scene.state))


def test_who_acknowledged_an_alert_stands_under_its_state(tmp_path: Path) -> None:
    scene = Scene(tmp_path).play()
    alert = next(iter(scene.book.alerts.values()))
    assert "acknowledged by" not in said(alert_page(alert, None, scene.state))
    acknowledge(scene.book, alert.id, "ann@desk", "known: build 7", alert.last_index, START)
    lines = said(alert_page(alert, None, scene.state)).splitlines()
    at = next(number for number, each in enumerate(lines) if each.startswith("state"))
    assert lines[at + 1] == f"acknowledged by ann@desk, {full(START)}: known: build 7"


def test_one_masked_value_is_one() -> None:
    lines = [said(body_parts(Body(2, "00" * 32, text="{}", masked=number))) for number in (1, 2)]
    assert ["1 value masked" in lines[0], "2 values masked" in lines[1]] == [True, True]


def test_a_tool_whose_definition_before_is_not_held_shows_no_difference() -> None:
    tool = Tool("files", "read", {"name": "read"}, digest="", first_seen=2, last_seen=6, changed=1)
    text = said(tool_page(tool))
    assert "only the digest was still held" in text
    assert "@@" not in text


@pytest.mark.parametrize(("since", "told"), [(None, "Reaching the gateway."), (2.0, "first fresh checkpoint")])
def test_a_feed_is_reached_until_it_is_connected(since: float | None, told: str) -> None:
    assert told in means(FeedStatus("lab", "http://127.0.0.1:1", connected_at=since))


def test_the_feed_page_tells_of_rules_that_failed(tmp_path: Path) -> None:
    state = Scene(tmp_path).state
    assert "alerts may be missing" not in said(feed_page(state, ()))
    state.counts.rule_failures = 2
    assert "failed 2 times: alerts may be missing" in said(feed_page(state, ()))


def test_the_feed_page_tells_what_the_gateway_says_of_itself() -> None:
    ill = Health(trouble="the disk is full", size=900, oldest=256, lost=3, disk_free=0, commit=2.5, started=1e300)
    page = said(health_lines(ill, 1_000.0))
    for words in (
        "which nothing proves",
        "the disk is full",
        "644 entries from 256 on",
        "3 entries that",
        "0.0 GB free",
    ):
        assert words in page
    assert health_lines(None, 1_000.0) == []


def test_the_feed_page_tells_how_the_policy_stands(tmp_path: Path) -> None:
    state = Scene(tmp_path).state
    assert "policy" not in said(feed_page(state, ()))
    quiet = [Quiet("session/shared", "Two offices.", 3, 9), Quiet("identity/unsigned-call", "switched off", 4_000, 8)]
    state.set_policy(PolicyStanding(Path("/etc/policy.toml"), state.now, "", quiet))
    page = said(feed_page(state, ()))
    assert "/etc/policy.toml" in page and "not read" not in page
    assert "4,003 findings" in page and "4,000 identity/unsigned-call  switched off" in page
    assert page.index("switched off") < page.index("Two offices.")
    state.set_policy(PolicyStanding(Path("/etc/policy.toml"), state.now, "/etc/policy.toml, line 3: no good"))
    page = said(feed_page(state, ()))
    assert "/etc/policy.toml, line 3: no good" in page and "The policy that was read before holds." in page


def test_the_feed_page_tells_of_what_was_never_judged(tmp_path: Path) -> None:
    state = Scene(tmp_path).state
    assert "unjudged" not in said(feed_page(state, ()))
    state.counts.unjudged = 7
    assert "7 entries stay NO CHECK: let go of before their key came" in said(feed_page(state, ()))


def test_a_receipt_that_is_not_held_is_not_called_a_call(tmp_path: Path) -> None:
    call = next(iter(Scene(tmp_path).play().state.calls.values()))
    edges = Edge(EdgeKind.SIGNED, "", "why", "rec_\x1b[31m"), Edge(EdgeKind.TRACED, "7", "both carry a span")
    told = said(call_lines(structs.replace(call, parents=edges), 0.0))
    assert "receipt rec_" in told and "no call with it is proven in what is held" in told
    assert "call 7  traced: both carry a span" in told
    assert "call rec_" not in told and "\x1b" not in told


def test_a_receipt_that_signs_the_arguments_is_not_said_to_leave_open_what_was_asked() -> None:
    arguments = verified("alice", Covered.ARGUMENTS, Covered.MCP, word=Word.PARTIAL)
    assert "who asked for what is proven" in said(verdict_lines(arguments))
    assert "what was asked is not" in said(verdict_lines(verified("alice", Covered.METHOD, word=Word.PARTIAL)))


def test_a_key_that_came_with_the_request_is_not_called_known() -> None:
    good = verified("alice")
    assert good.signer is not None
    along = structs.replace(good, signer=structs.replace(good.signer, resolution=Resolution.EMBEDDED))
    assert "from a known key" in said(verdict_lines(good))
    assert "from a known key" not in said(verdict_lines(along))
    assert "with a key that came with the request" in said(verdict_lines(along))


def test_an_alert_says_what_to_do_before_what_names_it(tmp_path: Path) -> None:
    scene = Scene(tmp_path).play()
    forged = next(each for each in scene.book.alerts.values() if each.rule == "identity/bad-signature")
    lines = said(alert_page(forged, CATALOGUE[forged.rule], scene.state)).splitlines()
    order = [lines.index(title) for title in ("What it means", "What to do", "Evidence", "History")]
    assert order == sorted(order)
    assert order[0] < next(at for at, each in enumerate(lines) if forged.id in each)
