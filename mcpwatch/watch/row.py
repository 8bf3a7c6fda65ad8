"""One log entry as the screen, the filter and tail read it.

Everything a row returns is raw: untrusted text that passes `mcpwatch.text.show` only where it is drawn.
"""

from typing import NamedTuple

from msgspec import Struct

from mcpwatch.model.alerts import Severity
from mcpwatch.model.entries import Body, Entry, Message, Request, Response
from mcpwatch.model.identity import Covered, Evidence, Freshness, SignatureState, Verdict, uncovered
from mcpwatch.model.traffic import Call, CallState, Direction, EntryKind, Observation, RpcMessage, Session
from mcpwatch.watch import outcome
from mcpwatch.watch.names import short_id, short_session, short_signer

_DIRECTIONS = {"request": Direction.TO_SERVER, "response": Direction.TO_CLIENT, "message": Direction.TO_CLIENT}
_DIRECTION_NAMES = {Direction.TO_SERVER: "to-server", Direction.TO_CLIENT: "to-client"}
_QUIET_ENDS = ("", "complete")
_UNCHECKED = frozenset({SignatureState.ABSENT, SignatureState.UNSUPPORTED})
_CONTENT = frozenset({Covered.BODY, Covered.ARGUMENTS})
_UNANSWERED = frozenset({CallState.RUNNING, CallState.CANCELLED, CallState.TRUNCATED})


class Who(NamedTuple):
    """Whom a row is put down to, and how we know."""

    text: str
    """Short: the operator's name and key fingerprint, or that and the id, when verified, `@subject` when asserted,
    `?name` when claimed."""
    evidence: Evidence
    id: str
    """In full: signer id, subject or claimed name."""


NOBODY = Who("", Evidence.ABSENT, "")


class Row(Struct, gc=False):
    """One entry and what it turned out to mean.

    `seen`, `severity` and `alerts` change: a key may arrive, a later entry may make this one evidence. What
    hangs off `seen` is live, so a running call's row tells how it stands at the moment it is read.
    """

    seq: int
    """Place in the order of arrival over all feeds."""
    index: int
    source: str
    time: float
    """Gateway's clock, seconds since the epoch."""
    entry: Entry
    seen: Observation
    severity: Severity | None = None
    """The highest of the alerts that were raised at it."""
    alerts: tuple[str, ...] = ()
    """Ids of the alerts it is evidence for."""

    @property
    def kind(self) -> EntryKind:
        """What kind of entry it is."""
        return self.seen.kind

    @property
    def arrow(self) -> str:
        """The direction as an arrow; empty where there is none."""
        return _DIRECTIONS.get(self.seen.kind, "")

    @property
    def direction(self) -> str:
        """The direction in words: to-server, to-client or empty."""
        way = _DIRECTIONS.get(self.seen.kind)
        return _DIRECTION_NAMES[way] if way else ""

    @property
    def session(self) -> Session | None:
        return self.seen.session

    @property
    def session_label(self) -> str:
        """The short name of the session, eight characters."""
        return short_session(self.seen.session) if self.seen.session else ""

    @property
    def upstream(self) -> str:
        """The server's name."""
        if self.seen.exchange:
            return self.seen.exchange.upstream
        return self.seen.session.upstream if self.seen.session else ""

    @property
    def verdict(self) -> Verdict | None:
        """The verdict on this very entry; None on everything but requests."""
        return self.seen.verdict

    @property
    def word(self) -> str:
        """The verdict's word; empty on everything but requests."""
        return self.seen.verdict.word.value if self.seen.verdict else ""

    @property
    def http_request(self) -> Request | None:
        """What a request's entry carries; None on everything else."""
        record = self.entry.record
        return record.data if record is not None and isinstance(record.data, Request) else None

    @property
    def uncovered(self) -> tuple[Covered, ...]:
        """What of the request its signature does not cover; nothing where no signature was checked."""
        verdict, request = self.seen.verdict, self.http_request
        if verdict is None or verdict.signature in _UNCHECKED:
            return ()
        if request is None:
            return uncovered(verdict)
        return uncovered(verdict, has_session=bool(request.session), has_token=request.principal is not None)

    @property
    def request_verdict(self) -> Verdict | None:
        """The verdict on the request that this entry is of or belongs to."""
        return self.seen.verdict or (self.seen.exchange.verdict if self.seen.exchange else None)

    @property
    def who(self) -> Who:
        """Whom the exchange is put down to: verified signer, else principal, else what the client says of itself."""
        seen, verdict = self.seen, self.request_verdict
        signer = verdict.signer if verdict else None
        if signer and verdict and is_proof(verdict):
            return Who(short_signer(signer), Evidence.VERIFIED, signer.id)
        session = seen.session
        principal = seen.request.principal if seen.request else session.principal if session else None
        if principal and principal.subject:
            return Who(f"@{principal.subject}", Evidence.ASSERTED, principal.subject)
        if signer:
            return Who(f"?{signer.name or short_id(signer.id)}", Evidence.CLAIMED, signer.id)
        if session and session.client_name:
            return Who(f"?{session.client_name}", Evidence.CLAIMED, session.client_name)
        return NOBODY

    @property
    def call(self) -> Call | None:
        """The call this entry opens, moves on or belongs to."""
        seen = self.seen
        if seen.kind == "message" and seen.updated:
            return seen.updated[0]
        if seen.opened:
            return seen.opened[0]
        if seen.kind in ("response", "end") and seen.exchange and seen.exchange.calls:
            return seen.exchange.calls[0]
        return None

    @property
    def method(self) -> str:
        """JSON-RPC method; where there is none the HTTP method, or the kind of entry. Batches end in `+N`."""
        message, call = self.message, self.call
        more = f" +{len(self.seen.messages) - 1}" if len(self.seen.messages) > 1 else ""
        if message and message.method:
            return message.method + more
        if call:
            return call.method + more
        return self.seen.exchange.method if self.seen.exchange else self.seen.kind

    @property
    def tool(self) -> str:
        """Tool name, prompt name or resource URI."""
        message, call = self.message, self.call
        if message and message.method and call and message.method != call.method:
            return ""
        return call.target if call else ""

    @property
    def message(self) -> RpcMessage | None:
        """The first JSON-RPC message in this entry."""
        return self.seen.messages[0] if self.seen.messages else None

    @property
    def status(self) -> int | None:
        """HTTP status of the answer."""
        record = self.entry.record
        if record is not None and isinstance(record.data, Response):
            return record.data.status
        return self.seen.exchange.status if self.seen.exchange else None

    @property
    def state(self) -> CallState | None:
        """How the call stands, on its request and on the entry that ended it."""
        call = self.call
        if call is None or (self.seen.kind != "request" and call.state is CallState.RUNNING):
            return None
        return call.state

    @property
    def is_running(self) -> bool:
        """Whether `duration` and `outcome` still change with time."""
        call = self.call
        return self.seen.kind == "request" and call is not None and call.ended is None

    @property
    def is_open(self) -> bool:
        """Whether it is a request of which nothing has come yet."""
        exchange = self.seen.exchange
        if self.seen.kind != "request" or exchange is None or self.call is not None:
            return self.is_running
        return exchange.status is None and exchange.ended is None

    def duration(self, now: float) -> float | None:
        """Seconds the call or exchange took, or has taken by `now` (gateway's clock); None where that says nothing."""
        return outcome.duration(self.seen, self.call, now)

    def outcome(self, now: float) -> str:
        """What became of it, in a few words: `running 3.2s`, `ok`, `tool error`, `-32601`, `HTTP 401`, ..."""
        return outcome.outcome(self.seen, self.call, now)

    @property
    def plumbing(self) -> bool:
        """Whether it only carries: heads of good answers and quiet ends, which nobody reads one by one.

        A client that hangs up once it has its answer ends quietly too.
        """
        if self.alerts:
            return False
        if self.seen.kind == "response":
            return (self.status or 0) < 400
        exchange = self.seen.exchange
        if self.seen.kind != "end" or exchange is None:
            return False
        answered = [call.state not in _UNANSWERED for call in exchange.calls]
        return exchange.outcome in _QUIET_ENDS or (
            exchange.outcome == "client-closed" and answered != [] and all(answered)
        )

    @property
    def body(self) -> str:
        """The body's text; empty where there is none or it is not text."""
        record = self.entry.record
        if record is None or not isinstance(record.data, Request | Message) or record.data.body is None:
            return ""
        return record.data.body.text or ""

    @property
    def text(self) -> str:
        """What a bare word in the filter searches: names first, then the body."""
        exchange = self.seen.exchange
        parts = (self.method, self.tool, self.word, self.who.text, self.session_label, self.upstream)
        place = (exchange.target, exchange.peer) if exchange else ()
        return "\n".join((*parts, *place, self.seen.note, self.entry.fault, self.body))


def is_proof(verdict: Verdict) -> bool:
    """Whether a verdict proves who sent the request: whoever replays a request has its signature, not its key."""
    return verdict.signature is SignatureState.VALID and verdict.freshness is not Freshness.REPLAYED


def is_as_checked(body: Body | None, verdict: Verdict | None) -> bool:
    """Whether a body whose signature was checked is carried as it was signed: not masked, cut or left out.

    True too where no signature covers any of it.
    """
    if body is None or verdict is None or _CONTENT.isdisjoint(verdict.coverage):
        return True
    return not body.masked and not body.truncated and (body.text is not None or body.base64 is not None)
