"""The one list of what a person can do: keys, footer, help, palette and `:` line are all made from it."""

from enum import StrEnum
from typing import NamedTuple

from textual.binding import Binding

UNBOUND = "unbound"
"""The key of a command that has none; no terminal sends it, and a key map may give another."""


class Scope(StrEnum):
    """Where a command applies: everywhere, in a kind of pane, or on one screen."""

    APP = "everywhere"
    LIST = "list"
    PAGE = "page"
    READER = "page with folds"
    LIVE = "live"
    SESSIONS = "sessions"
    SESSION = "session"
    CALL = "call"
    PATH = "path"
    ALERTS = "alerts"
    IDENTITIES = "identities"
    IDENTITY = "identity"
    TOOLS = "tools"
    TOOL = "tool"
    FEED = "feed"
    REPLAY = "replay"


class Group(StrEnum):
    """Headings of the help."""

    LOOK = "Look"
    PLAY = "Play"
    ACT = "Act"
    GO = "Go"
    MOVE = "Move"
    APP = "Application"


class Command(NamedTuple):
    """One thing to do, done by an `action_` method of the pane, the screen or the app."""

    id: str
    """Unique; what is typed after `:`, what a key map names, and what the footer says."""
    keys: str
    """Key names as Textual has them, parted by commas; empty for none."""
    help: str
    scopes: tuple[Scope, ...]
    group: Group
    argument: str = ""
    """What may follow on the `:` line; empty when nothing may."""
    hint: int = 0
    """Rank in the footer, from 1; 0 keeps it out."""
    label: str = ""
    """What the footer says where the id is long."""
    runs: str = ""
    """The action's name where it is not the id's, with a parameter after a colon if it takes one."""

    @property
    def method(self) -> str:
        """The name of the method that does it."""
        return f"action_{(self.runs or self.id).partition(':')[0].replace('-', '_')}"

    @property
    def parameter(self) -> str:
        """The method's parameter when no argument was typed."""
        return self.runs.partition(":")[2]


_LIVE = (Scope.LIVE,)
_SORTED = (Scope.SESSIONS, Scope.ALERTS, Scope.IDENTITIES, Scope.TOOLS)
_SPLIT = (*_SORTED, Scope.LIVE, Scope.SESSION, Scope.CALL, Scope.PATH)
_VIEWS = (Scope.SESSION, Scope.CALL)
_IDENTITY = (Scope.IDENTITIES, Scope.IDENTITY)
_TOOL = (Scope.TOOLS, Scope.TOOL)
_OF_SESSION = (Scope.LIVE, Scope.CALL, Scope.ALERTS, Scope.PATH)
_ALERTED = (Scope.LIVE, Scope.SESSION)
_SIGNED = (*_OF_SESSION, Scope.SESSION)
_TRAFFIC = (*_SORTED, Scope.SESSION, Scope.CALL, Scope.PATH, Scope.TOOL, Scope.IDENTITY)
_COPY = (*_TRAFFIC, Scope.LIVE)
_PAGED = (Scope.CALL, Scope.PATH, Scope.IDENTITY, Scope.TOOL, Scope.FEED)
_FOUND = (Scope.LIVE, *_SORTED, *_PAGED)
_READER = (Scope.READER,)
_MOVES = (Scope.LIST, Scope.PAGE)
_OPENED = (Scope.LIST, Scope.ALERTS, Scope.PATH)
_OF_ALERTS = (Scope.ALERTS,)
_APP = (Scope.APP,)
_REPLAY = (Scope.REPLAY,)
_PLAYED = (Scope.REPLAY, Scope.LIVE)

# fmt: off
COMMANDS: tuple[Command, ...] = (
    Command("filter", "slash", "Show only what matches", _ALERTED, Group.LOOK, "FILTER", hint=2),
    Command("freeze", "space", "Hold the view still; traffic, alerts and counts go on", _LIVE, Group.LOOK, hint=3),
    Command("follow", "f", "Keep the newest entry in view", _LIVE, Group.LOOK, hint=4),
    Command("next-alert", "e", "The next that is part of an alert", _ALERTED, Group.LOOK, hint=5, label="next"),
    Command("previous-alert", "E", "The one before that is part of an alert", _ALERTED, Group.LOOK),
    Command("mark", "m", "Mark the entry, or take its mark off", _LIVE, Group.LOOK),
    Command("next-mark", "apostrophe", "The next that is marked", _LIVE, Group.LOOK),
    Command("previous-mark", "quotation_mark", "The one before that is marked", _LIVE, Group.LOOK),
    Command("marks", "", "How many are marked; `marks clear` takes all marks off", _LIVE, Group.LOOK, "clear"),
    Command("find", "", "Look for text and hide nothing; n and N go on", _LIVE, Group.LOOK, "TEXT"),
    Command("narrow", "slash", "Only the rows that have this text", _SORTED, Group.LOOK, "TEXT", hint=4, label="find"),
    Command("search", "slash", "Look for text on the page; n and N go on", _PAGED, Group.LOOK, "TEXT"),
    Command("next-match", "n", "The next match of the text last looked for", _FOUND, Group.LOOK),
    Command("previous-match", "N", "The match before", _FOUND, Group.LOOK),
    Command("goto", "", "To 1500, 12:03:20, -30s, +5m, or alert", _LIVE, Group.LOOK, "PLACE"),
    Command("plumbing", "p", "Show or hide heads of good answers and quiet ends", _LIVE, Group.LOOK),
    Command("columns", "c", "Choose the columns", _LIVE, Group.LOOK, hint=9),
    Command("open", "enter", "Open what is selected", _OPENED, Group.LOOK, hint=1),
    Command("fold", "enter", "Fold or open what begins on this line", _READER, Group.LOOK, hint=1),
    Command("fold-up", "h", "Fold what this line is in", _READER, Group.LOOK),
    Command("fold-all", "minus", "Fold all but the outermost", _READER, Group.LOOK),
    Command("open-all", "plus,equals_sign", "Open all that is folded", _READER, Group.LOOK),
    Command("view", "v", "The next view of the same thing", _VIEWS, Group.LOOK, hint=2),
    Command("group", "v", "One row for each rule, or for each alert", _OF_ALERTS, Group.LOOK, hint=5),
    Command("traffic", "l", "Its entries, on the Live screen", _TRAFFIC, Group.LOOK, hint=6),
    Command("its-identity", "i", "The identity that signed it", _SIGNED, Group.LOOK, hint=5, label="signer"),
    Command("its-session", "s", "The session it belongs to", _OF_SESSION, Group.LOOK, hint=5, label="session"),
    Command("its-alerts", "a", "Its alerts, on the Alerts screen", _IDENTITY, Group.LOOK, hint=5, label="alerts"),
    Command("whole", "v", "All of the texts that changed, or the words that did", _TOOL, Group.LOOK, hint=5),
    Command("path", "p", "The calls that led to its alert, step by step", (Scope.SESSION,), Group.LOOK, hint=4),
    Command("order", "o", "Order the list by the next column", _SORTED, Group.LOOK, hint=7),
    Command("reverse", "O", "Turn the order round", _SORTED, Group.LOOK),
    Command("maximise", "z", "Give the pane the whole screen, and back", _SPLIT, Group.LOOK, hint=9),
    Command("time", "t", "Times as clock, as age, or as step from the row above", _LIVE, Group.LOOK),
    Command("play", "space", "Play the recording, or pause it", _REPLAY, Group.PLAY, hint=1),
    Command("faster", "right_square_bracket", "The next speed: 0.25 0.5 1 2 5 10 60 max", _PLAYED, Group.PLAY),
    Command("slower", "left_square_bracket", "The speed before it", _PLAYED, Group.PLAY),
    Command("speed", "", "Times as fast as it happened, such as 2, or max", _PLAYED, Group.PLAY, "SPEED"),
    Command("step-forward", "full_stop", "The next entry, and pause", _PLAYED, Group.PLAY, hint=3, label="step"),
    Command("step-back", "comma", "The entry before, and pause", _PLAYED, Group.PLAY),
    Command("step-call", "greater_than_sign", "The next call, and pause", _PLAYED, Group.PLAY),
    Command("step-call-back", "less_than_sign", "The call before, and pause", _PLAYED, Group.PLAY),
    Command("seek-alert", "right_curly_bracket", "On to the next alert", _PLAYED, Group.PLAY, hint=3, label="alert"),
    Command("seek-alert-back", "left_curly_bracket", "Back to the alert before", _PLAYED, Group.PLAY),
    Command("skip-forward", "right", "Ten seconds on", _PLAYED, Group.PLAY),
    Command("skip-back", "left", "Ten seconds back", _PLAYED, Group.PLAY),
    Command("seek", "", "To 12:03:20, 1500, -30s, +5m, or alert", _PLAYED, Group.PLAY, "PLACE"),
    Command("now", "", "From the past of Live back to the present", _LIVE, Group.PLAY, runs="follow"),
    Command("acknowledge", "a", "Say that the alert was seen, with a note", _SIGNED, Group.ACT, hint=2, label="ack"),
    Command("resolve", "r", "Say that the cause is gone, with a note", _OF_ALERTS, Group.ACT, hint=3),
    Command("unacknowledge", "u", "Let it fire again, with a note", _OF_ALERTS, Group.ACT, hint=4, label="undo"),
    Command("silence", "m", "Hear nothing of such alerts for a while, with a note", _OF_ALERTS, Group.ACT, hint=4),
    Command("unsilence", "M", "End the silence that covers it, with a note", _OF_ALERTS, Group.ACT),
    Command("pin", "p", "Hold its key to be its own, whatever others say", _IDENTITY, Group.ACT, hint=2),
    Command("unpin", "P", "Forget its pinned keys and its name", _IDENTITY, Group.ACT, hint=3),
    Command("accept", "a", "Trust the definition as it is now, with a note", _TOOL, Group.ACT, hint=2),
    Command("copy", "y", "Copy what is selected as one line of JSON", _COPY, Group.ACT, hint=8),
    Command("copy-text", "Y", "Copy all there is to say of it, as text for people", _COPY, Group.ACT),
    Command("export", "w", "Write its entries to a file: JSON lines, CSV, Markdown, HAR", _COPY, Group.ACT, hint=7),
    Command("live", "1", "All traffic as it happens", _APP, Group.GO, runs="go:live"),
    Command("sessions", "2", "Who is connected, and what binds them", _APP, Group.GO, runs="go:sessions"),
    Command("alerts", "3", "What is wrong, worst first", _APP, Group.GO, runs="go:alerts"),
    Command("identities", "4", "Signers and their keys", _APP, Group.GO, runs="go:identities"),
    Command("tools", "5", "What the servers offer, and what changed", _APP, Group.GO, runs="go:tools"),
    Command("feed", "6", "Whether this is everything that happened", _APP, Group.GO, runs="go:feed"),
    Command("session", "", "The session of this name, as lists show it", _APP, Group.GO, "KEY"),
    Command("back", "escape", "Out of the prompt, the filter, the screen", _APP, Group.GO, hint=10),
    Command("other-pane", "tab", "The other pane of this screen", _APP, Group.MOVE),
    Command("up", "up,k", "Up", _MOVES, Group.MOVE),
    Command("down", "down,j", "Down", _MOVES, Group.MOVE),
    Command("page-up", "pageup,ctrl+b", "A page up", _MOVES, Group.MOVE),
    Command("page-down", "pagedown,ctrl+f", "A page down", _MOVES, Group.MOVE),
    Command("top", "home,g", "The first", _MOVES, Group.MOVE),
    Command("bottom", "end,G", "The last; on Live it also follows", _MOVES, Group.MOVE),
    Command("help", "question_mark", "The keys of this screen", _APP, Group.APP, hint=11),
    Command("command", "colon", "Type a command; tab completes it", _APP, Group.APP, hint=10, runs="command_line"),
    Command("palette", "ctrl+p", "Find a command by its name", _APP, Group.APP, runs="command_palette"),
    Command("theme", "", "Change the colours", _APP, Group.APP, "NAME"),
    Command("mute", "b", "Silence the bell, or let it ring again", _APP, Group.APP),
    Command("screenshot", "f8", "Save the screen as SVG in the current folder", _APP, Group.APP, runs="save_screen"),
    Command("close", "q", "Back; on a main screen, quit", _APP, Group.APP, hint=12),
    Command("quit", "ctrl+q,ctrl+c", "Quit; asks when serious alerts are open", _APP, Group.APP),
)
# fmt: on

BY_ID = {command.id: command for command in COMMANDS}

_KEY_NAMES = {
    "slash": "/",
    "space": "space",
    "question_mark": "?",
    "colon": ":",
    "minus": "-",
    "plus": "+",
    "equals_sign": "=",
    "left": "←",
    "right": "→",
    "comma": ",",
    "apostrophe": "'",
    "quotation_mark": '"',
    "full_stop": ".",
    "less_than_sign": "<",
    "greater_than_sign": ">",
    "left_square_bracket": "[",
    "right_square_bracket": "]",
    "left_curly_bracket": "{",
    "right_curly_bracket": "}",
    "escape": "esc",
    "pageup": "pgup",
    "pagedown": "pgdn",
    "up": "↑",
    "down": "↓",
    "f8": "F8",
}


def action(command: Command) -> str:
    """The Textual action that a key press runs."""
    where = "app." if {Scope.APP, Scope.REPLAY} & set(command.scopes) else ""
    name = where + command.method.removeprefix("action_")
    return f"{name}({command.parameter!r})" if command.parameter else name


def bindings(*scopes: Scope) -> list[Binding]:
    """The bindings of a screen, a pane or the app; a key map may change the keys by command id."""
    return [
        Binding(command.keys or UNBOUND, action(command), command.id, show=False, tooltip=command.help, id=command.id)
        for command in within(*scopes)
    ]


def within(*scopes: Scope) -> list[Command]:
    """The commands that apply in these scopes, in the table's order."""
    return [command for command in COMMANDS if set(scopes) & set(command.scopes)]


def key_name(key: str) -> str:
    """A key as people write it."""
    if key.startswith("ctrl+"):
        return f"^{key.removeprefix('ctrl+')}"
    return _KEY_NAMES.get(key, key)


def key_names(keys: str) -> str:
    """All keys of a command as people write them."""
    return " ".join(key_name(key) for key in keys.split(",") if key)
