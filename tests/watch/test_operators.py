"""Whose acts count: everybody's who signs, or those alone whose keys the configuration lists."""

import json
from pathlib import Path

import pytest
from desks import Desk, calling, desks, is_, unsigned
from msgspec.structs import replace

from mcpwatch.detect.act_checks import ActError
from mcpwatch.identity.agent_key import AgentKey
from mcpwatch.identity.signed_acts import operator_key, sign_act, silence_id
from mcpwatch.model.alerts import AlertState, EventKind, Kept, Severity
from mcpwatch.model.entries import AlertActed, SilenceTerms
from mcpwatch.watch.act_store import ActStore
from mcpwatch.watch.json_lines import alert_line
from mcpwatch.watch.operators import ANYBODY, Operators
from mcpwatch.watch.read_acts import act_in_log, act_kept_here

ANN, EVE = AgentKey(bytes(range(32))), AgentKey(bytes(range(1, 33)))
ANN_S, LISTED = ANN.fingerprint, Operators([f"{ANN.fingerprint} Ann Lee"])
UNLISTED = "its key is not listed in [watch] operators"
ORIGIN, NOW = "gateway.example/1", 1_795_348_800
WANTED = AlertActed("a" * 12, "acknowledged", "ann@desk", "seen", NOW, ORIGIN, "", "", 3, "high")


@pytest.mark.parametrize(
    ("operators", "key", "fault", "operator"),
    [
        (ANYBODY, ANN, "", None),
        (ANYBODY, EVE, "", None),
        (LISTED, ANN, "", "Ann Lee"),
        (LISTED, EVE, UNLISTED, None),
        (Operators([ANN_S]), ANN, "", ""),
        (Operators([ANN_S]), EVE, UNLISTED, None),
    ],
)
def test_who_is_listed_counts_by_the_name_of_the_list(
    operators: Operators, key: AgentKey, fault: str, operator: str | None
) -> None:
    acted = sign_act(key, WANTED)
    for act in (act_in_log(acted, ORIGIN, 9, NOW, operators), act_kept_here(acted, 1, operators)):
        assert (act.event.fault, act.event.operator, act.event.key) == (fault, operator, key.fingerprint)


def test_who_names_a_listed_key_and_does_not_hold_it_is_nobody() -> None:
    forged = replace(sign_act(EVE, WANTED), key=ANN.public_base64)
    event = act_in_log(forged, ORIGIN, 9, NOW, LISTED).event
    assert (event.fault, event.operator) == ("its signature does not hold", None)


@pytest.mark.parametrize(("last", "index", "counts"), [(8, 9, True), (9, 9, False), (10**15, 9, False)])
def test_nobody_was_shown_what_came_after_their_act(last: int, index: int, counts: bool) -> None:
    event = act_in_log(sign_act(ANN, replace(WANTED, last_index=last)), ORIGIN, index, NOW).event
    assert event.fault == ("" if counts else "it claims that its author was shown an entry that had not come")


def test_what_nobody_signed_counts_as_long_as_nobody_is_listed(tmp_path: Path) -> None:
    anybody, listed = (ActStore(tmp_path / "acts.sqlite", operators) for operators in (ANYBODY, LISTED))
    with anybody._base as base:
        row = "('a1', 'acknowledged', 'ann', 'seen', 1.5, 40, 3)"
        base.execute(
            f"INSERT INTO acknowledgement (alert, kind, author, note, time, last_index, severity) VALUES {row}"
        )
    faults = [[act.event.fault for act in store.load()] for store in (anybody, listed)]
    assert faults == [[""], ["nobody signed it, and [watch] operators lists who may"]]
    for store in (anybody, listed):
        store.close()


async def test_a_gateway_that_acts_in_somebody_s_name_is_not_believed_and_holds_nobody_up(tmp_path: Path) -> None:
    ann_s = operator_key(tmp_path / "ann").fingerprint
    async with calling(tmp_path / "gateway") as running:
        ann = Desk(running, tmp_path / "ann", "ann", operators=[f"{ann_s} Ann Lee"])
        async with desks(ann):
            alert = await ann.until()
            forged = unsigned(running, alert.id, last_index=alert.last_index)
            for act in (forged, silence_of(forged)):
                running.log.append(sign_act(EVE, act))
            shown = await ann.until(lambda alert: len(alert.history) == 2)
            assert [(event.author, event.fault) for event in shown.history] == [("ann", UNLISTED)] * 2
            assert (shown.state, shown.silence, shown.last_act) == (AlertState.FIRING, None, None)
            assert await ann.watcher.acknowledge(alert.id, "really me", alert.last_index) is Kept.LOG
            await ann.until(is_(AlertState.ACKNOWLEDGED))
            assert alert.last_act and (alert.last_act.operator, alert.last_act.fault) == ("Ann Lee", "")
            told = json.loads(json.dumps([event.operator for event in alert_line(alert).history]))
            assert told == [None, None, "Ann Lee"]


async def test_who_is_not_listed_is_told_how_to_be_and_nothing_is_written(tmp_path: Path) -> None:
    async with calling(tmp_path / "gateway") as running:
        for may_act in (True, False):
            ben = Desk(running, tmp_path / "ben", "ben", may_act=may_act, operators=[ANN_S])
            async with desks(ben):
                alert = await ben.until()
                size = running.log.size
                with pytest.raises(ActError, match="Your key is not listed") as caught:
                    await ben.watcher.resolve(alert.id, "fixed", alert.last_index)
                assert operator_key(tmp_path / "ben").fingerprint in caught.value.hint
                assert (alert.history, running.log.size) == ([], size)


def silence_of(act: AlertActed) -> AlertActed:
    """The same author's silence of everything."""
    id = silence_id(act.origin, "*", "*")
    return replace(act, alert=id, kind="silenced", silence=SilenceTerms("*", "*", act.time + 60), severity=None)


def test_the_severity_and_kind_come_through() -> None:
    event = act_in_log(sign_act(ANN, WANTED), ORIGIN, 9, NOW, LISTED).event
    assert (event.kind, event.severity, event.seq) == (EventKind.ACKNOWLEDGED, Severity.HIGH, None)
