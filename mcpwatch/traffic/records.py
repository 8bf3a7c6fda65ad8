"""What the fold remembers beside the shared structs: of an exchange its `Flow`, of a session its `TrackedSession`."""

from msgspec import Struct, field

from mcpwatch.model.entries import Principal
from mcpwatch.model.identity import Signer, Verdict, Word
from mcpwatch.model.traffic import Call, Exchange, Session, SessionKind
from mcpwatch.traffic.pending import Pending

Owner = tuple[str, SessionKind, str, str, str]
"""Whom a derived session belongs to: upstream, kind and up to three names."""


_VERIFIED = Word.VERIFIED
_PARTIAL = Word.PARTIAL


class Limits(Struct, frozen=True):
    """How much the fold holds."""

    exchanges: int = 20_000
    """Open ones and the newest finished ones."""
    calls: int = 50_000
    sessions: int = 10_000
    tools: int = 5_000
    digests: int = 50_000
    """Tools that are no longer held and whose definitions' digests are."""
    waiting: int = 4_096
    """Requests that wait to be judged again."""
    names: int = 20_000
    """Entries of each smaller table: trace ids, task ids, names once used."""
    values: int = 100_000
    """Values that calls were given and gave, by their hashes."""


class Bound(Struct, frozen=True):
    """A session's signer and what came since it was bound."""

    signer: Signer | None = None
    since: int = 0
    others: bool = False
    """A request came without a good signature by that signer."""
    covered: bool = False
    """A signature covered the session id."""
    uncovered: bool = False
    """A signature left the session id out; `initialize` cannot have it."""


class Judged(Struct):
    """A request of a session with the verdict as it was judged, before the session had its say."""

    index: int
    verdict: Verdict
    opening: bool


class TrackedSession(Struct):
    """A session with what the fold must know to go on with it."""

    session: Session
    proven: bool
    """False for a session id that was never seen to open, until the server accepts it."""
    owner: Owner | None = None
    """Whom it belongs to, where it has no id of its own."""
    lost: bool = False
    """It ended with a 404 and not with a DELETE: an answer to a later request proves it alive."""
    flows: int = 0
    """Exchanges that have not ended."""
    pending: Pending = field(default_factory=Pending)
    """Open calls by JSON-RPC id."""
    tokens: Pending = field(default_factory=Pending)
    """Open calls by progress token."""
    detached: dict[str, Call] = field(default_factory=dict)
    """Open calls whose stream has ended and whose answer may come on another."""
    overdue_from: float = 0.0
    """None of them has waited too long before that time, seconds since the epoch."""
    resuming: int = 0
    """Open exchanges that resume a stream."""
    resumed: float = 0.0
    """When the last of them ended, seconds since the epoch."""
    answered: Call | None = None
    """The call answered last, of those that chain by time."""
    probe: "Flow | None" = None
    """The `server/discover` that is its first request."""
    bound: Bound = field(default_factory=Bound)
    before: Bound = field(default_factory=Bound)
    """The binding before the first of `history`."""
    history: list[Judged] = field(default_factory=list)
    """Requests since the first that waits for a key."""


class Flow(Struct):
    """An exchange with what the fold must know of its request."""

    exchange: Exchange
    session_id: str
    """The hash of Mcp-Session-Id; empty where there was none."""
    address: str
    """The peer without its port."""
    agent: str
    """The User-Agent header."""
    principal: Principal | None = None
    client: str = ""
    """The clientInfo of its messages."""
    version: str = ""
    """The protocol version its messages or header claim."""
    tracked: TrackedSession | None = None
    opening: bool = False
    """It carries `initialize`."""
    resumes: bool = False
    """It is a GET that goes on with a stream that broke off (Last-Event-ID)."""
    opaque: bool = False
    """The request's body did not travel."""
    deferred: bool = False
    """Nothing says yet that it is MCP, so it is in no session."""
    resumable: bool = False
    """An SSE event had an id, so its answer may come on another exchange."""
    unread: bool = False
    """A body of the answer did not travel."""
    unknown_method: bool = False
    """The answer is a -32601."""
    said: str = ""
    """The start of an answer that is not JSON-RPC."""
    hosted: list[Call] = field(default_factory=list)
    """Calls the server made on this exchange's stream."""
    signed: bool = False
    """It counts among its session's signed requests."""


def good_signer(verdict: Verdict) -> Signer | None:
    """Who signed a request, where that is proven here; else None."""
    word = verdict.word
    return verdict.signer if word is _VERIFIED or word is _PARTIAL else None
