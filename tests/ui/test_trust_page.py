"""The page of trust: the way from a root as a tree, what is wrong with a vouch, and what counts for nothing."""

import pytest
from build import START
from hostile import CORPUS
from msgspec.structs import replace

from mcpwatch.model.trust import Asserted, Standing, Step
from mcpwatch.text import is_hidden
from mcpwatch.ui.pages.trust import trust_lines
from mcpwatch.ui.widgets.lines import plain

pytest_plugins = ["played"]

ROOT, MIDDLE, LEDGER = "did:aip:r00t", "did:aip:m1dd1e", "did:aip:1ed9e4"
FIRST = Step(ROOT, MIDDLE, ("GENERAL", "CODE_SIGNING"), key="k" * 43, created=START - 86_400.0)
SECOND = Step(MIDDLE, LEDGER, ("FINANCIAL",), key="m" * 43, key_asserted=True, expires=START + 86_400.0)
BAD = Step("did:aip:bad", LEDGER, ("GENERAL",), fault="the signature does not verify with any key of the voucher")
NAMES = {ROOT: "ops", LEDGER: "ledger"}


def said(standing: Standing, *, has_roots: bool = True) -> str:
    """The text of the page."""
    lines = trust_lines(standing, lambda id: NAMES.get(id, ""), has_roots=has_roots)
    return "\n".join(plain(each) for each in lines)


@pytest.fixture(autouse=True)
def utc(same_everywhere: None) -> None:
    """Times are told in one zone."""


def test_a_path_is_a_tree_from_the_root_with_each_vouch_s_scope_and_check() -> None:
    text = said(Standing(LEDGER, path=(FIRST, SECOND), vouches=(SECOND,))).splitlines()
    assert text[1] == "● ops  did:aip:r00t  a root of yours"
    assert text[2] == "└─ ✓ did:aip:m1dd1e"
    assert "GENERAL, CODE_SIGNING  signature verified here" in text[3] and text[3].endswith(
        ", from 2026-11-21 as the registry says"
    )
    assert text[4] == "   └─ ✓ ledger  did:aip:1ed9e4"
    assert "FINANCIAL  signature verified here, with a key that is its own as the registry says" in text[5]
    assert "until 2026-11-23" in text[5] and "as the registry says" in text[5]
    assert text[6:] == ["○ its steps are for different things: no one scope leads all the way"]


@pytest.mark.parametrize("scopes", [("FINANCIAL",), ("GENERAL", "FINANCIAL")])
def test_a_path_for_one_thing_all_the_way_has_no_warning(scopes: tuple[str, ...]) -> None:
    standing = Standing(LEDGER, path=(replace(FIRST, scopes=scopes), SECOND))
    assert standing.scopes == ("FINANCIAL",)
    assert "no one scope" not in said(standing)


def test_without_roots_it_says_how_to_name_some() -> None:
    text = said(Standing(LEDGER, reason="no roots are configured"), has_roots=False)
    assert "○ no roots configured: [identity] roots in the config" in text


def test_a_root_is_called_one() -> None:
    assert "● a root: you configured it" in said(Standing(ROOT, is_root=True))


def test_without_a_path_the_reason_and_every_vouch_with_its_fault_stand_there() -> None:
    text = said(Standing(LEDGER, vouches=(SECOND, BAD), reason="nobody with a way from a root vouches for it"))
    assert "○ no way leads here from a root: nobody with a way from a root vouches for it" in text
    assert "✓ from did:aip:m1dd1e" in text and "✗ from did:aip:bad" in text
    assert "does not verify with any key of the voucher" in text


def test_a_bad_vouch_beside_a_good_path_is_not_hidden() -> None:
    text = said(Standing(LEDGER, path=(FIRST, SECOND), vouches=(SECOND, BAD)))
    assert "✗ from did:aip:bad" in text and "from did:aip:m1dd1e" not in text


def test_what_the_registry_says_itself_counts_for_nothing_and_says_so() -> None:
    text = said(Standing(LEDGER, asserted=Asserted(True, 7, ("GENERAL",)), failure="it answered 503", reason="x"))
    assert "registered, 7 vouches for GENERAL  asserted by the registry; counts for nothing" in text
    assert "not reached: it answered 503" in text
    assert "it is not registered" in said(Standing(LEDGER, asserted=Asserted(False, 0)))


def test_many_vouches_are_counted() -> None:
    vouches = tuple(replace(BAD, voucher=f"did:aip:{number}") for number in range(60))
    text = said(Standing(LEDGER, vouches=vouches, reason="x"))
    assert "… 52 more" in text and text.count("✗ from") == 8


@pytest.mark.parametrize("words", CORPUS)
def test_hostile_vouches_are_shown_safely(words: str) -> None:
    step = Step(words, words, (words,), words, words, words, True, START, START, words)
    good = replace(step, fault="")
    standing = Standing(words, False, (good, good), (step,), Asserted(True, 1, (words,)), START, words, words)
    assert not any(is_hidden(char) for char in said(standing).replace("\n", ""))
