"""Why a list has nothing to show, and what each list says and advises then: the two tables that all lists share."""

from enum import Enum
from typing import NamedTuple

from mcpwatch.model.feed import FeedState, FeedStatus
from mcpwatch.ui.commands import Scope


class Step(NamedTuple):
    """Something to do: in words, then what to type in a shell or the command of ours whose key to press."""

    what: str
    how: str = ""
    command: str = ""


class Lack(Enum):
    """Why nothing is listed; of several feeds the reason that comes first here is told first."""

    FALSE = "false"
    """The log does not hold."""
    READING = "reading"
    """What the log held when it was joined is still coming."""
    PLAYED = "played"
    """A recording is played, and has more to come; the player's line tells how much."""
    QUIET = "quiet"
    """It is connected, and nothing of the kind happened."""
    CONNECTING = "connecting"
    LOST = "lost"
    REFUSED = "refused"
    ENDED = "ended"


class Told(NamedTuple):
    """What is said of a lack; `{}` in `head` is what the list lists."""

    head: str
    steps: tuple[Step, ...] = ()
    waits: bool = False
    """It can come at any moment, so that the list's own advice helps."""


LACKS = {
    Lack.CONNECTING: Told("No {} yet", (Step("how it goes on, and what was tried", command="feed"),)),
    Lack.READING: Told("No {} so far"),
    Lack.QUIET: Told("No {} yet", waits=True),
    Lack.PLAYED: Told(
        "No {} up to here",
        (Step("play, or pause", command="play"), Step("go to the next alert", command="seek-alert")),
    ),
    Lack.ENDED: Told(
        "No {} in what was read",
        (
            Step("how much it held, and whether that is proven", command="feed"),
            Step("name another source", "mcpwatch watch SOURCE"),
        ),
    ),
    Lack.LOST: Told(
        "No {}, and nothing comes in",
        (
            Step("is the gateway running? start one", "mcpwatch gateway --upstream URL"),
            Step("see something without one", "mcpwatch demo"),
        ),
    ),
    Lack.REFUSED: Told(
        "No {}, and nothing comes in",
        (
            Step("is it the right token? the gateway wrote it to its state folder"),
            Step("name another feed", "mcpwatch watch http://HOST:PORT"),
        ),
    ),
    Lack.FALSE: Told(
        "No {}, and the log does not hold",
        (Step("do not act on this feed; look at the Feed screen", command="feed"),),
    ),
}
_OF_STATE = {
    FeedState.CONNECTING: Lack.CONNECTING,
    FeedState.ENDED: Lack.ENDED,
    FeedState.DISCONNECTED: Lack.LOST,
    FeedState.REFUSED: Lack.REFUSED,
    FeedState.BROKEN: Lack.FALSE,
    FeedState.ROLLBACK: Lack.FALSE,
}
"""What a feed's state means for lists; in the others it is connected."""


class Listed(NamedTuple):
    """What a list lists, when such a thing appears, and how to get one."""

    thing: str
    comes: str
    steps: tuple[Step, ...]


_DEMO = Step("see it work, with agents and servers of its own", "mcpwatch demo")
_GATEWAY = Step("put the gateway in front of your server", "mcpwatch gateway --upstream http://HOST:PORT/mcp")
_CLIENT = Step("then point your MCP client at the gateway's address", "e.g. http://127.0.0.1:4180/mcp")
LISTS = {
    Scope.LIVE: Listed(
        "traffic", "Each request, answer and message appears as it passes a gateway.", (_DEMO, _GATEWAY, _CLIENT)
    ),
    Scope.SESSIONS: Listed(
        "session",
        "A session begins when a client initialises, or, in the modern era, with its first request.",
        (_GATEWAY, _CLIENT),
    ),
    Scope.ALERTS: Listed(
        "alert",
        "Nothing that the rules know was seen. That is not a proof that all is well.",
        (Step("what is looked for", "mcpwatch rules"), Step("see alerts and what they rest on", "mcpwatch demo")),
    ),
    Scope.IDENTITIES: Listed(
        "signer",
        "Identities appear with the first signed request.",
        (
            Step("make your agent a key", "mcpwatch keygen"),
            Step("sign its calls", "mcpwatch sign --upstream http://127.0.0.1:4180/mcp --key agent.pem"),
        ),
    ),
    Scope.TOOLS: Listed(
        "tool",
        "Tools appear when a server answers tools/list, which most clients ask for as they begin.",
        (Step("have a client connect anew, so that it asks again"), _DEMO),
    ),
    Scope.FEED: Listed(
        "feed", "It appears as soon as its source is opened.", (Step("name one", "mcpwatch watch SOURCE"),)
    ),
    Scope.SESSION: Listed(
        "call",
        "A call is one request of JSON-RPC, such as tools/call; what came in this session is none.",
        (Step("look at its entries", command="view"),),
    ),
}


def lack_of(status: FeedStatus, *, is_played: bool) -> Lack:
    """Why a feed in this standing has nothing to show."""
    lack = _OF_STATE.get(status.state, Lack.QUIET)
    if is_played and lack in (Lack.CONNECTING, Lack.QUIET):
        return Lack.PLAYED
    if lack is Lack.QUIET and status.announced is not None and status.next_index < status.announced:
        return Lack.READING
    return lack
