"""Acts on alerts at the dashboard: what is asked, what is said, and what stays when it fails."""

import asyncio

import pytest
from hands import Hands, hands
from msgspec.structs import replace
from people import act
from rpc import call, result, text
from scene import Scene
from still import OPERATOR

from mcpwatch.errors import ConnectError
from mcpwatch.identity.agent_key import AgentKey
from mcpwatch.identity.signed_acts import sign_act
from mcpwatch.model.alerts import Act, Alert, AlertEvent, AlertState, EventKind, Kept, Silence
from mcpwatch.model.entries import AlertActed
from mcpwatch.model.feed import MAY_ACT
from mcpwatch.ui.dialogs.dialog import Dialog
from mcpwatch.ui.dialogs.note import NoteDialog
from mcpwatch.ui.dialogs.silence import SilenceDialog
from mcpwatch.ui.screens.alerts import AlertsScreen
from mcpwatch.watch.operators import Operators
from mcpwatch.watch.read_acts import act_in_log

pytest_plugins = ["played"]

BEN = AgentKey(bytes(range(1, 33)))


def alert_of(scene: Scene, rule: str = "tool/definition-changed") -> Alert:
    return next(alert for alert in scene.state.alerts.values() if alert.rule == rule)


async def page(at: Hands) -> str:
    """The selected alert's whole page, on a large screen."""
    return await at.press("tab", "z", "end")


async def test_resolving_asks_for_a_note_and_the_alert_sinks(scene: Scene) -> None:
    async with hands(scene) as at:
        shown = await at.press("3", "r")
        assert "Resolve" in shown and "Tool changed" in shown and "on this machine only" in shown
        await at.type("the release was announced")
        first = (await at.press("enter")).splitlines()[4]
        assert "Tool changed" not in first
        alert = alert_of(scene)
        assert (alert.state, alert.history[-1].note) == (AlertState.RESOLVED, "the release was announced")
        assert "1 resolved" in await at.line(2)


async def test_undo_hits_the_alert_that_was_acknowledged(scene: Scene) -> None:
    async with hands(scene) as at:
        await at.press("3", "j", "a")
        await at.type("known")
        assert "Acknowledged, on this machine only; now under the firing ones" in await at.press("enter")
        (acted,) = [each for each in scene.state.alerts.values() if each.state is AlertState.ACKNOWLEDGED]
        assert "1 ack'd" in await at.line(2)
        assert "Un-acknowledge" in await at.press("u")
        await at.type("after all")
        assert "back with the firing ones" in await at.press("enter")
        assert acted.state is AlertState.FIRING
        assert [event.note for event in acted.history] == ["known", "after all"]


async def test_the_cursor_goes_with_an_alert_that_the_log_moves_later(scene: Scene) -> None:
    posted: list[AlertActed] = []

    async def post(acted: AlertActed) -> int:
        posted.append(acted)
        return 500

    with_scope(scene)
    async with hands(scene) as at:
        scene.watcher.posts["gateway"] = post
        await at.press("3", "a")
        await at.type("known")
        await at.press("enter")
        scene.book.take([act_in_log(posted[0], posted[0].origin, 500, scene.now)])
        scene.state.alerts_changed()
        scene.wait(1.0)
        await at.read()
        assert "Un-acknowledge" in await at.press("u")


async def test_the_history_says_who_acted_with_which_key_and_where_it_is_kept(scene: Scene) -> None:
    async with hands(scene, size=(140, 60)) as at:
        await at.press("3", "a")
        await at.type("known release")
        await at.press("enter", "end")
        shown = await page(at)
        assert "acknowledged by ann@desk: known release" in shown
        assert f"VERIFIED key {OPERATOR.fingerprint[:8]}, not listed · on this machine only" in shown


async def test_whose_key_it_is_by_the_configuration_stands_beside_it(scene: Scene) -> None:
    for name, said in (("Ann Lee", "of Ann Lee ·"), ("", "·")):
        alert = alert_of(scene)
        event = AlertEvent(EventKind.ACKNOWLEDGED, "boss", "known", scene.now, -1, kept=Kept.HERE, key="k" * 43)
        alert.history[:] = [replace(event, operator=name)]
        async with hands(scene, size=(140, 60)) as at:
            await at.press("3")
            assert f"VERIFIED key kkkkkkkk {said} on this machine only" in await page(at)


async def test_an_act_that_does_not_hold_is_shown_as_such(scene: Scene) -> None:
    alert = alert_of(scene)
    forged = act(EventKind.ACKNOWLEDGED, alert.id, "eve", "all well", scene.now, 10_000, fault="it is forged")
    scene.book.take([replace(forged, event=replace(forged.event, kept=Kept.LOG, index=9))])
    async with hands(scene, size=(140, 60)) as at:
        await at.press("3")
        shown = await page(at)
        assert "✗ acknowledged by eve: all well" in shown and "DOES NOT COUNT: it is forged" in shown
        assert "state        firing" in shown


async def test_what_others_wrote_cannot_act_on_the_terminal(scene: Scene) -> None:
    evil = "\x1b]0;owned\x07[@click=app.quit]x[/]\u202e"
    alert = alert_of(scene)
    async with hands(scene, size=(140, 60), notifications=True) as at:
        acted_by_ben(scene, alert, author=evil, note=evil)
        silence = Silence(
            "f" * 12, "tool/*", "*", evil, evil, scene.now, scene.now + 60, scene.book.origin(alert.source)
        )
        event = AlertEvent(EventKind.SILENCED, evil, evil, scene.now, -1, until=silence.until)
        scene.book.take([Act(silence.id, event, silence=silence)])
        scene.state.alerts_changed()
        await at.press("3", "end")
        shown = await page(at)
        assert "\\x1b]0;owned\\x07[@click=app.quit]x[/]" in shown
        assert not any(char in shown for char in "\x1b\x07\u202e")
        assert not any(char in each.message for each in at.app._notifications for char in "\x1b\u202e")
        assert "It is silenced: M ends that" in (await at.press("u")).splitlines()[-1]
        shown = await at.press("z", "tab", "M")
        assert "\x1b" not in shown and isinstance(at.app.screen, NoteDialog)


async def test_a_resolved_alert_can_be_reopened(scene: Scene) -> None:
    async with hands(scene) as at:
        await at.press("3", "r")
        await at.type("fixed")
        await at.press("enter", "end")
        assert "Reopen" in await at.press("u")
        await at.type("not fixed")
        await at.press("enter")
        assert alert_of(scene).state is AlertState.FIRING
        await at.press("g", "u")
        assert "neither acknowledged nor resolved" in await at.read()


async def test_silencing_covers_this_alert_and_for_eight_hours_at_first(scene: Scene) -> None:
    async with hands(scene) as at:
        shown = await at.press("3", "m")
        assert isinstance(at.app.screen, SilenceDialog)
        assert "covers       1 alert now" in shown and "tool/definition-changed" in shown
        await at.type("the vendor knows")
        await at.press("enter")
        alert = alert_of(scene)
        assert alert.state is AlertState.SILENCED and alert.silence is not None
        assert (alert.silence.reason, alert.silence.until - alert.silence.time) == ("the vendor knows", 8 * 3_600)
        assert "1 silenced" in await at.line(2)
        await at.press("end")
        shown = await at.press("M")
        assert "End the silence" in shown and "the vendor knows" in shown
        await at.type("it is over")
        await at.press("enter")
        assert alert_of(scene).state is AlertState.FIRING


async def test_what_the_globs_match_is_counted_as_they_are_typed(scene: Scene) -> None:
    async with hands(scene) as at:
        await at.press("3", "m", "shift+tab", "shift+tab", "shift+tab")
        await at.press("ctrl+u")
        await at.type("identity/*")
        await at.press("tab", "ctrl+u")
        shown = await at.type("*")
        expected = sum(alert.rule.startswith("identity/") for alert in scene.state.alerts.values())
        assert expected > 3 and f"covers       {expected} alerts now" in shown


@pytest.mark.parametrize(
    ("rule", "span", "note", "fault"),
    [
        ("feed/malformed", "8h", "noise", "Alerts about the feed cannot be silenced"),
        ("tool/*", "8d", "noise", "within seven days"),
        ("tool/*", "soon", "noise", "How long?"),
        ("tool/*", "8h", "", "A note is needed"),
    ],
)
async def test_what_cannot_be_silenced_is_said_and_what_was_typed_stays(
    scene: Scene, rule: str, span: str, note: str, fault: str
) -> None:
    async with hands(scene, size=(140, 40)) as at:
        await at.press("3", "m", "shift+tab", "shift+tab", "shift+tab", "ctrl+u")
        await at.type(rule)
        await at.press("tab", "tab", "ctrl+u")
        await at.type(span)
        await at.press("tab")
        if note:
            await at.type(note)
        shown = await at.press("enter")
        assert fault in shown and rule in shown and isinstance(at.app.screen, SilenceDialog)
        assert scene.book.silences == {}


def with_scope(scene: Scene) -> None:
    """The gateway lets the operator write into its log."""
    for feed in list(scene.state.feeds.values()):
        scene.state.set_feed(replace(feed, scopes=("feed:read", MAY_ACT)))


async def test_who_sent_what_proves_nobody_is_named_by_address(scene: Scene) -> None:
    alert = alert_of(scene, "identity/bad-signature")
    (index,) = alert.evidence[-1:]
    async with hands(scene, size=(140, 60)) as at:
        await at.press("3")
        assert isinstance(at.app.screen, AlertsScreen)
        at.app.screen.select(alert.id)
        sender = f"sent from    10.0.0.7:50112 (entry {index})"
        assert sender in await at.read()
        assert sender in await at.press("a")


async def test_a_request_that_is_proven_needs_no_address(scene: Scene) -> None:
    async with hands(scene, size=(140, 60)) as at:
        assert "Tool changed" in await at.press("3")
        assert "sent from" not in await page(at)


async def test_an_act_for_the_log_goes_there_and_shows_once_it_comes_back(scene: Scene) -> None:
    posted: list[AlertActed] = []

    async def post(acted: AlertActed) -> int:
        posted.append(acted)
        return 500

    with_scope(scene)
    async with hands(scene) as at:
        scene.watcher.posts["gateway"] = post
        assert "in the gateway's log" in await at.press("3", "a")
        await at.type("known release")
        shown = await at.press("enter")
        assert "Acknowledged, in the gateway's log" in shown
        alert = alert_of(scene)
        assert (alert.state, [acted.note for acted in posted]) == (AlertState.FIRING, ["known release"])
        scene.book.take([act_in_log(posted[0], posted[0].origin, 500, scene.now)])
        assert alert.state is AlertState.ACKNOWLEDGED


async def test_while_it_is_written_the_dialog_says_so_and_takes_no_second_enter(scene: Scene) -> None:
    answered = asyncio.Event()
    posted: list[AlertActed] = []

    async def post(acted: AlertActed) -> int:
        posted.append(acted)
        await answered.wait()
        return 500

    with_scope(scene)
    async with hands(scene) as at:
        scene.watcher.posts["gateway"] = post
        await at.press("3", "a")
        await at.type("known")
        assert "writing it down" in await at.press("enter", "enter")
        answered.set()
        await at.press()
        assert len(posted) == 1 and not isinstance(at.app.screen, Dialog)


async def test_a_gateway_that_does_not_take_it_is_told_and_the_note_stays(scene: Scene) -> None:
    async def post(acted: AlertActed) -> int:
        raise ConnectError("The gateway did not take it: nothing answers there", "Nothing was changed. Try again.")

    with_scope(scene)
    async with hands(scene) as at:
        scene.watcher.posts["gateway"] = post
        await at.press("3", "a")
        await at.type("known release")
        shown = await at.press("enter")
        assert "The gateway did not take it: nothing answers there" in shown and "known release" in shown
        assert isinstance(at.app.screen, NoteDialog) and alert_of(scene).state is AlertState.FIRING


def acted_by_ben(
    scene: Scene, alert: Alert, index: int = 500, *, author: str = "ben@desk", note: str = "our own test"
) -> None:
    """What Ben's acknowledgement looks like when the log brings it."""
    wanted = AlertActed(
        alert=alert.id,
        kind="acknowledged",
        author=author,
        note=note,
        time=int(scene.now),
        origin=scene.book.origin(alert.source),
        key="",
        signature="",
        last_index=alert.last_index,
        severity="critical",
    )
    acted = sign_act(BEN, wanted)
    scene.book.take([act_in_log(acted, wanted.origin, index, scene.now)])
    scene.state.alerts_changed()


async def test_what_cannot_be_done_is_said_to_its_end_on_a_small_screen(scene: Scene) -> None:
    scene.watcher._acting._operators = Operators(["k" * 43])
    async with hands(scene, size=(80, 24)) as at:
        await at.press("3", "a")
        await at.type("known release")
        shown = " ".join(line.strip(" │▌") for line in (await at.press("enter")).splitlines())
        assert "Your key is not listed" in shown and OPERATOR.fingerprint in shown and "config.toml" in shown
        assert "enter acknowledge" in shown
        assert alert_of(scene).history == []


async def test_a_silence_of_everything_is_called_that(scene: Scene) -> None:
    async with hands(scene, size=(100, 30)) as at:
        shown = await at.press("3", "m")
        assert "1 alert now, and those to come" in shown
        await at.press("shift+tab", "shift+tab", "shift+tab", "end", "ctrl+u", "*")
        shown = await at.press("tab", "end", "ctrl+u", "*")
        assert "alerts now, all but the feed's own" in shown


async def test_another_s_act_behind_an_open_dialog_makes_it_stale(scene: Scene) -> None:
    async with hands(scene) as at:
        await at.press("3", "a")
        acted_by_ben(scene, alert_of(scene))
        await at.type("mine")
        shown = await at.press("enter")
        assert "ben@desk acknowledged it" in shown and "our own test" in shown
        assert isinstance(at.app.screen, NoteDialog)
        await at.press("enter")
        assert [event.author for event in alert_of(scene).history] == ["ben@desk", "ann@desk"]


async def test_what_others_did_is_told_and_what_one_did_oneself_is_not(scene: Scene) -> None:
    async with hands(scene, size=(140, 40), notifications=True) as at:
        at.app.clear_notifications()
        await at.press("3", "j", "a")
        await at.type("mine")
        await at.press("enter")
        assert not [each for each in at.app._notifications if "acknowledged" in each.message]
        acted_by_ben(scene, alert_of(scene))
        await at.press()
        (told,) = [each.message for each in at.app._notifications if "ben" in each.message]
        assert told == "ben@desk acknowledged Tool changed: our own test"


async def test_many_alerts_are_listed_by_rule_and_opened_from_there(scene: Scene) -> None:
    async with hands(scene, size=(140, 40)) as at:
        await at.press("3")
        shown = await at.press("v")
        assert "by rule; v shows each" in shown
        bodies = [alert for alert in scene.state.alerts.values() if alert.rule == "identity/body-not-covered"]
        assert f"{len(bodies)} alerts: {len(bodies)} firing" in shown
        line = next(number for number, each in enumerate(shown.splitlines()) if "Body not covered" in each)
        shown = await at.press("g", *["j"] * (line - 4))
        assert "stands for" in shown and "enter lists them" in shown
        assert "enter lists them" in (await at.press("a")).splitlines()[-1]
        assert "about   *" in await at.press("m")
        await at.press("escape")
        shown = await at.press("enter")
        assert "identity/body-not-covered alone" in shown
        assert shown.count("Body not covered") >= len(bodies)
        assert "by rule; v shows each" in await at.press("escape")
        await at.press("v")
        scene.take(scene.log.exchange(call(90, "search"), result(90, text("x")), session="a"))
        assert "Tool changed" in await at.read()


async def test_an_alert_is_acknowledged_where_its_evidence_is_read(scene: Scene) -> None:
    async with hands(scene) as at:
        await at.press("3")
        shown = await at.command("narrow bad signature")
        assert "Bad signature" in shown
        assert "a ack" in (await at.press("enter")).splitlines()[-1]
        shown = await at.press("a")
        assert "enter acknowledge" in shown and "Bad signature" in shown
        await at.press("escape", "s")
        shown = await at.press("a")
        assert "enter acknowledge" in shown and "Bad signature" in shown
        await at.type("seen in its session")
        await at.press("enter")
        (alert,) = [each for each in scene.state.alerts.values() if each.state is AlertState.ACKNOWLEDGED]
        assert alert.title == "Bad signature"


async def test_a_call_without_an_alert_has_nothing_to_acknowledge(scene: Scene) -> None:
    async with hands(scene) as at:
        await at.press("slash")
        await at.type("alert:none kind:request")
        await at.press("enter", "home")
        assert "a ack" not in (await at.press("enter")).splitlines()[-1]
        assert "This is part of no alert" in await at.press("a")


async def test_at_the_least_width_the_foot_names_what_can_be_done_to_the_row(scene: Scene) -> None:
    async with hands(scene) as at:
        foot = (await at.press("3")).splitlines()[-1]
        assert "a ack  r resolve  / find  m silence  w export" in foot and "undo" not in foot
        foot = (await at.press("v")).splitlines()[-1]
        assert "m silence  w export  v group" in foot and "a ack" not in foot and "r resolve" not in foot
        foot = (await at.press("enter")).splitlines()[-1]
        assert "a ack  r resolve" in foot
        await at.press("a", "x", "enter")
        foot = (await at.press(*"kjkjk")).splitlines()[-1]
        assert "r resolve  / find  u undo" in foot and "a ack" not in foot and "silence" not in foot


@pytest.mark.parametrize("size", [(80, 24), (100, 30), (120, 30), (140, 40), (200, 50)])
async def test_at_every_width_one_sees_which_alert_is_the_newest(scene: Scene, size: tuple[int, int]) -> None:
    async with hands(scene, size) as at:
        assert "SEEN" in (await at.press("3")).splitlines()[3]


def test_where_an_act_is_kept_is_said_in_words() -> None:
    assert [kept.value for kept in Kept] == ["in the gateway's log", "on this machine only"]


def name_subject(scene: Scene, alert: Alert) -> None:
    """Give the signer that an alert is about the name courier."""
    (id,) = [word.strip("():,") for word in alert.subject.split() if word.strip("():,") in scene.state.identities]
    scene.state.identities[id].name = "courier"


async def test_dialogs_tell_the_operator_s_name_for_the_signer_that_the_alert_is_about(scene: Scene) -> None:
    alert = alert_of(scene, "identity/bad-signature")
    name_subject(scene, alert)
    async with hands(scene, size=(140, 40)) as at:
        await at.press("3", "slash")
        await at.type("Bad signature")
        await at.press("enter")
        for key in ("a", "m"):
            shown = " ".join((await at.press(key)).split())
            assert "‼ critical Bad signature" in shown and "about courier " in shown
            await at.press("escape")
        await at.press("m")
        await at.type("known")
        await at.press("enter")
        assert alert.state is AlertState.SILENCED
        shown = " ".join((await at.press("M")).split())
        assert "silences identity/bad-signature about courier " in shown


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        ("identity/bad-signature", "ben@desk silenced Bad signature: courier at files: our own …"),
        ("tool/*", "ben@desk silenced 3 alerts such as Tool changed: "),
        ("nothing/*", "ben@desk silenced nothing/* about *: our own test"),
    ],
)
async def test_what_somebody_else_silenced_is_told_as_lists_show_it(scene: Scene, rule: str, says: str) -> None:
    name_subject(scene, alert_of(scene, "identity/bad-signature"))
    told: list[str] = []
    async with hands(scene) as at:
        at.app.notify = lambda message, **_: told.append(message)  # type: ignore[method-assign]
        origin = scene.book.origin(alert_of(scene).source)
        silence = Silence(
            "f" * 12, rule, "*", "ben@desk", "our own test", scene.now, scene.now + 60, origin, key="k" * 43
        )
        event = AlertEvent(EventKind.SILENCED, "ben@desk", "", scene.now, -1, until=silence.until, key="k" * 43)
        scene.book.take([Act(silence.id, event, silence=silence)])
        scene.state.alerts_changed()
        scene.monotonic += 10
        await at.read()
    assert any(each.startswith(says) for each in told), told
