"""What is going on: exchanges, calls, sessions and chains.

These structs change while traffic flows and only `mcpwatch.traffic` writes them; everybody else reads.
Times are seconds since the epoch by the gateway's clock.

No cycle runs through the structs with `gc=False`, so the garbage collector need not look at them; a fifth of the
fold's time goes to it otherwise.
"""

from enum import StrEnum
from typing import Literal, get_args

from msgspec import Struct, field

from mcpwatch.model.entries import GatewayStarted, Json, Principal, Request, Response
from mcpwatch.model.identity import ServerProof, Signer, Strength, Verdict
from mcpwatch.model.tools import ToolChange, ToolClass


class Era(StrEnum):
    """The two protocol eras: with and without `initialize`."""

    LEGACY = "legacy"
    MODERN = "modern"
    UNKNOWN = "unknown"


class Direction(StrEnum):
    TO_SERVER = "→"
    TO_CLIENT = "←"


class RpcMessage(Struct, frozen=True, gc=False):
    """One JSON-RPC 2.0 message."""

    direction: Direction
    id: str | int | None = None
    """None for a notification, and for an answer whose id is null or missing."""
    method: str = ""
    """Empty for an answer."""
    params: Json = None
    result: Json = None
    error: Json = None
    fault: str = ""
    """Why this cannot be read as JSON-RPC; the other fields are then empty."""
    captured: bool = True
    """Where there is a fault: whether the log carries what was said, so that the fault is the sender's."""
    event: str = ""
    """The SSE event name it came under."""


class CallState(StrEnum):
    RUNNING = "running"
    DONE = "done"
    RPC_ERROR = "error"
    TOOL_ERROR = "tool error"
    """The result says `isError`."""
    HTTP_ERROR = "HTTP error"
    """An HTTP status of 400 or more without a JSON-RPC answer."""
    DENIED = "denied"
    INPUT_REQUIRED = "input required"
    CANCELLED = "cancelled"
    TRUNCATED = "truncated"
    """The stream ended without a final answer."""


class EdgeKind(StrEnum):
    """How we know that one call led to another."""

    SIGNED = "signed"
    TRACED = "traced"
    PROTOCOL = "protocol"
    DATA_FLOW = "data flow"
    """A value of the earlier call's result is in this one's arguments."""
    INFERRED = "inferred"


class Edge(Struct, frozen=True, gc=False):
    """This call follows from an earlier one."""

    kind: EdgeKind
    parent: str
    """The earlier call's id; empty where a receipt names another that no call held here proves."""
    why: str
    receipt: str = ""
    """The receipt that is named, where `parent` is empty; its text is its signer's, and may read like a call's id."""


class ValueKind(StrEnum):
    """What a value is that goes from one call to another."""

    SECRET = "secret"  # noqa: S105 (a word of reasons)
    """It has the shape of a key, a token, a card number."""
    ID = "id"
    """It looks drawn at random: an id, or a secret whose shape says nothing."""
    PATH = "path"
    URL = "URL"
    MAIL = "mail address"


class DataFlow(Struct, frozen=True, gc=False):
    """A value of an earlier call's result is in a call's arguments."""

    parent: str
    """The earlier call's id."""
    kind: ValueKind
    field: str
    """Where the result has it."""
    argument: str
    """Where the arguments have it."""
    shown: str
    """What may be told of the value; never the value itself."""
    crosses: bool = False
    """The earlier call is another caller's."""
    values: int = 1
    """How many values of that kind."""


class Call(Struct, gc=False):
    """One JSON-RPC request and what became of it."""

    id: str
    """`INDEX` of the request's entry, or `INDEX.N` in a batch, prefixed by the feed's name where there are several."""
    index: int
    exchange: int
    source: str
    upstream: str
    session: str
    direction: Direction
    rpc_id: str | int | None
    method: str
    target: str
    """Tool name, prompt name or resource URI; empty for other methods."""
    started: float
    verdict: Verdict
    era: Era = Era.UNKNOWN
    state: CallState = CallState.RUNNING
    ended: float | None = None
    status: int | None = None
    """HTTP status of the exchange the answer came on."""
    error_code: int | None = None
    error_text: str = ""
    captured: bool = True
    """False when it was answered and the log does not carry the answer."""
    is_doubtful: bool = False
    """It is not known to have ended, but entries after its newest were passed over, and its end may be among them."""
    progress: float | None = None
    progress_total: float | None = None
    progress_text: str = ""
    messages: int = 0
    """Notifications and other messages that came before the answer."""
    last_index: int = 0
    """The newest entry that belongs to it."""
    parents: tuple[Edge, ...] = ()
    flows: tuple[DataFlow, ...] = ()
    """At most 8, secrets first. Those whose parent leads here by a firmer edge too are no edges of their own."""
    classes: tuple[ToolClass, ...] = ()
    """Of the tool that it calls, or of the method where that reaches something itself; as known when it was made."""
    entries: list[int] = field(default_factory=list)
    """Indexes of the entries that belong to it, at most 1,000."""


class Exchange(Struct, gc=False):
    """One HTTP request and its answer."""

    index: int
    source: str
    upstream: str
    method: str
    target: str
    peer: str
    session: str
    era: Era
    started: float
    verdict: Verdict
    status: int | None = None
    stream: bool = False
    ended: float | None = None
    outcome: str = ""
    reason: str = ""
    rule: str = ""
    """Where the gateway's policy refused it: id of the rule that it was refused by."""
    calls: list[Call] = field(default_factory=list)
    proof: ServerProof | None = None
    """What the server signed of its answer; the newest where there are several."""
    principal: Principal | None = None
    """Of the request's own token; its session may have begun with another."""


class SessionKind(StrEnum):
    """What names the session: the protocol's id, or what we derive one from."""

    LEGACY = "session id"
    SIGNER = "derived: verified signer"
    PRINCIPAL = "derived: principal"
    ANONYMOUS = "derived: anonymous"


class SessionState(StrEnum):
    OPEN = "open"
    IDLE = "idle"
    ENDED = "ended"


class Binding(Struct, frozen=True, gc=False):
    """Which signer a session belongs to, and how strongly."""

    signer: Signer | None = None
    strength: Strength = Strength.NONE
    since: int | None = None
    """Index of the request that bound it."""


SessionKey = tuple[str, str]
"""A session for certain: the feed's name and the session's key."""


class Session(Struct):
    """A run of requests by one agent to one upstream."""

    key: str
    kind: SessionKind
    source: str
    upstream: str
    era: Era
    started: float
    last_seen: float
    state: SessionState = SessionState.OPEN
    binding: Binding = field(default_factory=Binding)
    client_name: str = ""
    """Claimed by the client: name and version of its `clientInfo`."""
    server_name: str = ""
    """Claimed by the server: name and version of its `serverInfo`."""
    protocol: str = ""
    peers: list[str] = field(default_factory=list)
    """Addresses without port, in the order they were first seen, at most 16."""
    user_agent: str = ""
    principal: Principal | None = None
    requests: int = 0
    signed: int = 0
    """Requests whose verdict is VERIFIED or PARTIAL."""
    calls: list[Call] = field(default_factory=list)
    """At most the newest 2,000."""
    call_count: int = 0
    errors: int = 0
    listed_tools: set[str] = field(default_factory=set)
    """Tools a `tools/list` offered to this session."""
    initialized_at: int | None = None
    ended_at: float | None = None


EntryKind = Literal["request", "response", "message", "end", "gateway", "alert", "malformed"]
"""What kind of entry an observation is of.

`gateway` is that it started or stopped, `alert` that somebody acted on an alert.
"""

ENTRY_KINDS: tuple[EntryKind, ...] = get_args(EntryKind)


class Observation(Struct, frozen=True, gc=False):
    """What one entry turned out to mean; the unit that rules, state and tail work on."""

    index: int
    source: str
    time: float
    kind: EntryKind
    exchange: Exchange | None = None
    session: Session | None = None
    verdict: Verdict | None = None
    """On requests only."""
    messages: tuple[RpcMessage, ...] = ()
    opened: tuple[Call, ...] = ()
    updated: tuple[Call, ...] = ()
    """Calls that progressed or ended with this entry."""
    tools: tuple[ToolChange, ...] = ()
    note: str = ""
    """For malformed entries, the fault; for gateway entries, what happened."""
    rebound: Signer | None = None
    """The session was bound to this signer and the request came from another."""
    request: Request | None = None
    """On requests: the request as the agent sent it."""
    response: Response | None = None
    """On responses: the head of the answer."""
    leaked: bool = False
    """On messages: the body holds the id of the exchange's session."""
    rejudged: bool = False
    """The same entry as before under a verdict that changed; the rest of it was observed already."""
    gone: tuple[Session, ...] = ()
    """Sessions that turned out to be none: a refused id, or requests that belong to another session after all."""
    proof: ServerProof | None = None
    """On answers that the server signed."""
    started: GatewayStarted | None = None
    """On entries that say so: where the gateway listens, and for which servers."""
