"""The command table: every row can be done, and no key means two things."""

import inspect
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.screen import Screen
from textual.widget import Widget

from mcpwatch.ui import command_line
from mcpwatch.ui.app import WatchApp
from mcpwatch.ui.choices import CHOICES
from mcpwatch.ui.commands import BY_ID, COMMANDS, Command, Scope, action, key_names, within
from mcpwatch.ui.replay import ReplayApp
from mcpwatch.ui.screens.alerts import AlertsScreen
from mcpwatch.ui.screens.call import CallScreen
from mcpwatch.ui.screens.feed import FeedScreen
from mcpwatch.ui.screens.identities import IdentitiesScreen
from mcpwatch.ui.screens.identity import IdentityScreen
from mcpwatch.ui.screens.live import LiveScreen
from mcpwatch.ui.screens.path import PathScreen
from mcpwatch.ui.screens.session import SessionScreen
from mcpwatch.ui.screens.sessions import SessionsScreen
from mcpwatch.ui.screens.tool import ToolScreen
from mcpwatch.ui.screens.tools import ToolsScreen
from mcpwatch.ui.widgets.grid import Grid
from mcpwatch.ui.widgets.page import Page
from mcpwatch.ui.widgets.reader import Reader

OWNERS: dict[Scope, type[Widget] | type[WatchApp]] = {
    Scope.APP: WatchApp,
    Scope.LIST: Grid,
    Scope.PAGE: Page,
    Scope.READER: Reader,
    Scope.LIVE: LiveScreen,
    Scope.SESSIONS: SessionsScreen,
    Scope.SESSION: SessionScreen,
    Scope.CALL: CallScreen,
    Scope.PATH: PathScreen,
    Scope.ALERTS: AlertsScreen,
    Scope.IDENTITIES: IdentitiesScreen,
    Scope.IDENTITY: IdentityScreen,
    Scope.TOOLS: ToolsScreen,
    Scope.TOOL: ToolScreen,
    Scope.FEED: FeedScreen,
    Scope.REPLAY: ReplayApp,
}
SCREENS = [scope for scope, owner in OWNERS.items() if issubclass(owner, Screen)]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.id)
def test_a_command_can_be_done_wherever_it_is_offered(command: Command) -> None:
    for scope in command.scopes:
        method = getattr(OWNERS[scope], command.method, None) or getattr(WatchApp, command.method)
        parameters = len(inspect.signature(method).parameters) - 1
        assert parameters >= bool(command.argument or command.parameter)


PANES = [(scope, pane) for scope in SCREENS for pane in ((Scope.LIST,), (Scope.PAGE,))]


@pytest.mark.parametrize(("scope", "panes"), [*PANES, (Scope.CALL, (Scope.PAGE, Scope.READER))])
def test_a_key_means_one_thing_on_a_screen(scope: Scope, panes: tuple[Scope, ...]) -> None:
    keys = [key for command in within(scope, *panes, Scope.APP) for key in command.keys.split(",") if key]
    assert len(keys) == len(set(keys))


@pytest.mark.parametrize("scope", SCREENS)
def test_a_key_of_a_replay_means_one_thing_on_a_screen(scope: Scope) -> None:
    """But for the space bar, which pauses a replay wherever it would hold the view still."""
    found = within(scope, Scope.LIST, Scope.PAGE, Scope.REPLAY, Scope.APP)
    keys = [key for command in found for key in command.keys.split(",") if key and command.id != "freeze"]
    assert len(keys) == len(set(keys))


@pytest.mark.parametrize("scope", SCREENS)
def test_a_screen_binds_what_its_table_says(scope: Scope) -> None:
    owner = OWNERS[scope]
    bound = {binding.id for binding in owner.BINDINGS}  # type: ignore[union-attr]
    assert bound == {command.id for command in within(scope)}


def test_ids_are_unique_and_can_be_typed() -> None:
    assert len(BY_ID) == len(COMMANDS)
    assert all(set(id) <= set(string.ascii_lowercase + "-") for id in BY_ID)


def test_what_the_help_says_is_said_once() -> None:
    helps = [command.help for command in COMMANDS]
    assert all(helps) and len(set(helps)) == len(helps)


def test_actions_name_their_place_and_parameter() -> None:
    assert action(BY_ID["alerts"]) == "app.go('alerts')"
    assert action(BY_ID["freeze"]) == "freeze"


def test_keys_are_named_as_people_write_them() -> None:
    assert key_names("pageup,ctrl+b") == "pgup ^b"
    assert key_names("question_mark") == "?"


LIVE = within(Scope.LIVE, Scope.LIST, Scope.APP)


@pytest.mark.parametrize(
    ("text", "id", "argument"),
    [
        ("alerts", "alerts", ""),
        ("fil tool:read a b", "filter", "tool:read a b"),
        ("  goto   12 ", "goto", "12"),
        ("session abc", "session", "abc"),
        ("feed", "feed", ""),
    ],
)
def test_typed_commands_are_found(text: str, id: str, argument: str) -> None:
    read = command_line.read(text, LIVE)
    assert read.command is not None and (read.command.id, read.argument) == (id, argument)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "type a command"),
        ("alrts", "did you mean alerts?"),
        ("xyzzy", "there is no command xyzzy"),
        ("f", "could be"),
        ("freeze now", "takes nothing"),
        ("unacknowledge", "does nothing on this screen"),
    ],
)
def test_what_is_no_command_is_told(text: str, says: str) -> None:
    read = command_line.read(text, LIVE)
    assert read.command is None and says in read.fault


@given(st.text(max_size=40))
def test_reading_never_fails(text: str) -> None:
    read = command_line.read(text, LIVE)
    assert (read.command is None) == bool(read.fault)


def test_completion_offers_commands_and_then_arguments() -> None:
    def choices(argument: str) -> list[str]:
        return ["mcpwatch-dark", "nord"] if argument == "NAME" else []

    def offered(text: str) -> list[tuple[str, bool]]:
        return [(offer.text, offer.is_begun) for offer in command_line.complete(text, LIVE, choices)]

    assert offered("ale") == [("alerts", False)]
    assert ("theme ", True) in offered("the")
    assert offered("theme ") == [("theme mcpwatch-dark", False), ("theme nord", False)]
    assert offered("theme no") == [("theme nord", False)]
    assert offered("theme nord") == offered("freeze x") == offered("") == []


def test_what_cannot_be_drawn_is_not_offered() -> None:
    offers = command_line.complete("session ", LIVE, lambda argument: ["ab\x1b[2J", "cd"])
    assert [offer.text for offer in offers] == ["session cd"]


def test_arguments_with_values_are_those_of_commands() -> None:
    assert set(CHOICES) <= {command.argument for command in COMMANDS}
