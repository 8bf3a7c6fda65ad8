"""Acts on alerts: signed by a key that is made on first use, and worth nothing where one octet differs."""

import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from signed import ALICE, BOB

from mcpwatch.errors import LocalError
from mcpwatch.identity.signed_acts import (
    CLOCKS_DIFFER,
    act_fault,
    key_of,
    operator_key,
    sign_act,
    signature_fault,
    silence_id,
)
from mcpwatch.model.entries import AlertActed, SilenceTerms

ORIGIN, NOW = "gateway.example/feed/1", 1_795_348_800
ACT = sign_act(
    ALICE,
    AlertActed(
        alert="0123456789ab",
        kind="acknowledged",
        author="ann@desk",
        note="a known client ✓",
        time=NOW,
        origin=ORIGIN,
        key="",
        signature="",
        last_index=7,
        severity="high",
        previous=3,
    ),
)


def test_the_operator_s_key_is_made_once_and_for_this_user_alone(tmp_path: Path) -> None:
    key = operator_key(tmp_path)
    assert operator_key(tmp_path).public == key.public
    assert stat.S_IMODE((tmp_path / "operator.key").stat().st_mode) == 0o600
    assert operator_key(tmp_path / "other").public != key.public


def test_a_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    operator_key(tmp_path)
    (tmp_path / "operator.key").chmod(0o644)
    with pytest.raises(LocalError, match="can be read by others"):
        operator_key(tmp_path)


def test_what_is_signed_holds_and_names_its_key() -> None:
    assert act_fault(ACT, ORIGIN, NOW) == ""
    assert key_of(ACT) == ALICE.fingerprint
    assert sign_act(ALICE, ACT) == ACT


CHANGES: dict[str, object] = {
    "alert": "1123456789ab",
    "kind": "resolved",
    "author": "boss@desk",
    "note": "a known client",
    "time": NOW + 1,
    "origin": "gateway.example/feed/2",
    "key": BOB.public_base64,
    "last_index": 8,
    "severity": "critical",
    "previous": None,
    "silence": SilenceTerms("*", "*", NOW + 60),
}


@pytest.mark.parametrize("member", CHANGES)
def test_every_member_is_signed(member: str) -> None:
    assert signature_fault(replace(ACT, **{member: CHANGES[member]})) == "its signature does not hold"


def test_all_members_are_tried() -> None:
    assert {*CHANGES, "signature"} == set(AlertActed.__struct_fields__)


@pytest.mark.parametrize("late", [CLOCKS_DIFFER, -CLOCKS_DIFFER])
def test_clocks_may_differ_a_little(late: int) -> None:
    assert act_fault(ACT, ORIGIN, NOW + late) == ""
    assert "clock differs" in act_fault(ACT, ORIGIN, NOW + late + (1 if late > 0 else -1))


BAD: dict[str, Callable[[], AlertActed]] = {
    "no origin of ours": lambda: replace(ACT, origin="x" * 501),
    "no id": lambda: replace(ACT, alert="0123456789AB"),
    "no base64": lambda: replace(ACT, key="no key"),
    "a key of another kind": lambda: replace(ACT, key="AAAA"),
    "half a surrogate pair": lambda: replace(ACT, note="\ud800"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_has_no_good_form_has_a_fault(case: str) -> None:
    act = BAD[case]()
    assert act_fault(act, act.origin, NOW)


def test_who_names_no_key_has_no_fingerprint() -> None:
    assert [key_of(replace(ACT, key=key)) for key in ("", "AAAA", "no key")] == ["", "", ""]


@given(st.text(), st.text(), st.text(), st.integers(), st.text())
def test_anything_at_all_has_a_fault_and_raises_nothing(id: str, author: str, key: str, time: int, note: str) -> None:
    act = AlertActed(id, "acknowledged", author, note, time, ORIGIN, key, "A" * 86 + "==")
    assert act_fault(act, ORIGIN, NOW)


def silencing(alert: str, **changes: object) -> AlertActed:
    terms = SilenceTerms("session/*", "alice at *", NOW + 60)
    return sign_act(ALICE, replace(ACT, alert=alert, kind="silenced", silence=terms, **changes))


def test_a_silence_goes_by_the_id_of_what_it_silences() -> None:
    id = silence_id(ORIGIN, "session/*", "alice at *")
    assert act_fault(silencing(id), ORIGIN, NOW) == ""
    for other in (ACT.alert, silence_id(ORIGIN, "*", "*"), silence_id("another log", "session/*", "alice at *")):
        assert act_fault(silencing(other), ORIGIN, NOW) == "it goes by another id than what it silences"
