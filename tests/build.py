"""Entries from short descriptions: a `Log` writes them as a gateway would, index and time counting up by themselves.

    log = Log(upstream="files")
    asked = log.request(call(1, "read", path="a.txt"), session="s1")
    log.response(asked)
    log.message(asked, result(1, text("hello")))
    log.end(asked)
    log.exchange(ask(2, "ping"), result(2), session="s1")     # the same four entries in one go

The JSON-RPC bodies are made in `rpc`, verdicts and principals in `verdicts`. Each method returns the
entry it wrote; `log.entries` holds all of them.
"""

import base64
import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime

import msgspec
from rpc import LEGACY, ask, note, result

from mcpwatch.model.entries import (
    Body,
    Capture,
    End,
    EndEntry,
    Entry,
    GatewayStarted,
    GatewayStartedEntry,
    GatewayStopped,
    GatewayStoppedEntry,
    Json,
    Leak,
    Message,
    MessageEntry,
    Outcome,
    Principal,
    Record,
    Request,
    RequestEntry,
    Response,
    ResponseEntry,
    SessionForm,
    UpstreamInfo,
)

START = datetime(2026, 11, 22, 12, 0, tzinfo=UTC).timestamp()
PEER = "127.0.0.1:50000"


class Log:
    """A feed's entries, `step` seconds of gateway time apart; `wait` lets more time pass."""

    def __init__(
        self,
        upstream: str = "files",
        *,
        source: str = "",
        origin: str = "gateway.example/feed/1",
        start: float = START,
        step: float = 0.001,
        first: int = 0,
    ) -> None:
        self.upstream = upstream
        self.source = source
        self.origin = origin
        self.now = start
        self.step = step
        self.next = first
        self.entries: list[Entry] = []

    def wait(self, seconds: float) -> None:
        """Let gateway time pass before the entry that follows."""
        self.now += seconds

    def request(
        self,
        body: Json | bytes | Body = None,
        *,
        session: str = "",
        method: str = "POST",
        headers: Mapping[str, str] | tuple[tuple[str, str], ...] = (),
        upstream: str = "",
        peer: str = PEER,
        target: str = "/mcp",
        scheme: str = "http",
        authority: str = "127.0.0.1:8000",
        principal: Principal | None = None,
        withheld: tuple[str, ...] = (),
        leaked: tuple[Leak, ...] = (),
    ) -> Entry:
        """A request; `body` is a JSON value, raw bytes or a Body, `session` any readable name of a session id."""
        data = Request(
            upstream=upstream or self.upstream,
            method=method,
            scheme=scheme,
            authority=authority,
            target=target,
            peer=peer,
            headers=fields(headers),
            body=None if body is None else body_of(body),
            session=session_hash(session),
            withheld=withheld,
            principal=principal,
            leaked=leaked,
        )
        return self._write(RequestEntry(data=data, **self._envelope()))

    def response(
        self,
        exchange: Entry | int,
        status: int = 200,
        *,
        session: str = "",
        headers: Mapping[str, str] | tuple[tuple[str, str], ...] = (),
        form: SessionForm = "",
    ) -> Entry:
        """The head of the answer to `exchange` (its request's entry or index)."""
        data = Response(
            exchange=index_of(exchange),
            status=status,
            headers=fields(headers),
            session=session_hash(session),
            session_form=form,
        )
        return self._write(ResponseEntry(data=data, **self._envelope()))

    def message(
        self,
        exchange: Entry | int,
        body: Json | bytes | Body,
        *,
        stream: bool = False,
        event: str = "",
        event_id: str = "",
        leaked: bool = False,
    ) -> Entry:
        """One JSON body of the answer, or one server-sent event where `stream` or an event name is given."""
        data = Message(
            exchange=index_of(exchange),
            body=body_of(body),
            stream=stream or bool(event or event_id),
            event=event,
            event_id=event_id,
            leaked=leaked,
        )
        return self._write(MessageEntry(data=data, **self._envelope()))

    def end(
        self,
        exchange: Entry | int,
        outcome: Outcome = "complete",
        *,
        reason: str = "",
        duration_us: int = 1000,
        sent: int = 0,
        rule: str = "",
    ) -> Entry:
        """The end of `exchange`."""
        data = End(index_of(exchange), outcome, duration_us, sent, reason, rule)
        return self._write(EndEntry(data=data, **self._envelope()))

    def exchange(
        self,
        body: Json | bytes | Body,
        *answers: Json | bytes | Body,
        status: int = 200,
        opens: str = "",
        outcome: Outcome = "complete",
        stream: bool = False,
        session: str = "",
        method: str = "POST",
        headers: Mapping[str, str] | tuple[tuple[str, str], ...] = (),
        upstream: str = "",
        peer: str = PEER,
        principal: Principal | None = None,
    ) -> list[Entry]:
        """A whole exchange: request, response, one message per answer, end.

        `opens` names the session id that the response carries.
        """
        asked = self.request(
            body, session=session, method=method, headers=headers, upstream=upstream, peer=peer, principal=principal
        )
        answered = self.response(asked, status, session=opens or session)
        messages = [self.message(asked, answer, stream=stream) for answer in answers]
        return [asked, answered, *messages, self.end(asked, outcome)]

    def initialize(
        self,
        session: str = "",
        *,
        client: str = "agent",
        version: str = LEGACY,
        headers: Mapping[str, str] | tuple[tuple[str, str], ...] = (),
        upstream: str = "",
        peer: str = PEER,
        principal: Principal | None = None,
    ) -> list[Entry]:
        """The legacy handshake, `initialize` with its answer and `notifications/initialized`."""
        info = {"name": client, "version": "1.0"}
        offer = {"protocolVersion": version, "capabilities": {}, "clientInfo": info}
        answer = {"protocolVersion": version, "capabilities": {}, "serverInfo": {"name": "server", "version": "2.0"}}
        first = self.exchange(
            ask(0, "initialize", offer),
            result(0, answer),
            opens=session,
            headers=headers,
            upstream=upstream,
            peer=peer,
            principal=principal,
        )
        second = self.exchange(
            note("notifications/initialized"),
            status=202,
            session=session,
            headers=headers,
            upstream=upstream,
            peer=peer,
            principal=principal,
        )
        return [*first, *second]

    def started(
        self, capture: Capture = "masked", *, listen: str = "", upstreams: tuple[UpstreamInfo, ...] = ()
    ) -> Entry:
        """The gateway begins."""
        upstreams = upstreams or (UpstreamInfo(name=self.upstream, url="http://127.0.0.1:9000"),)
        data = GatewayStarted(version="0.1.0", capture=capture, upstreams=upstreams, listen=listen)
        return self._write(GatewayStartedEntry(data=data, **self._envelope()))

    def stopped(self, reason: str = "asked to") -> Entry:
        """The gateway ends."""
        return self._write(GatewayStoppedEntry(data=GatewayStopped(reason=reason), **self._envelope()))

    def malformed(self, leaf: bytes = b"{not an envelope", fault: str = "not JSON") -> Entry:
        """A leaf that could not be decoded."""
        return self._keep(Entry(self.next, leaf, None, self.now, fault, self.source))

    def _envelope(self) -> dict[str, Json]:
        time = datetime.fromtimestamp(self.now, UTC)
        return {"specversion": "1.0", "id": str(self.next), "source": self.origin, "time": time}

    def _write(self, record: Record) -> Entry:
        return self._keep(Entry(self.next, msgspec.json.encode(record), record, self.now, "", self.source))

    def _keep(self, entry: Entry) -> Entry:
        self.entries.append(entry)
        self.next += 1
        self.now += self.step
        return entry


def body_of(value: Json | bytes | Body) -> Body:
    """A Body of a JSON value or raw bytes, digest included; a Body stays as it is."""
    if isinstance(value, Body):
        return value
    data = value if isinstance(value, bytes) else msgspec.json.encode(value)
    digest = hashlib.sha256(data).hexdigest()
    try:
        return Body(len(data), digest, text=data.decode())
    except UnicodeDecodeError:
        return Body(len(data), digest, base64=base64.b64encode(data).decode())


def session_hash(name: str) -> str:
    """The keyed hash that stands for a session id in the log: 32 hex digits, empty for no session."""
    return hashlib.sha256(b"session " + name.encode()).hexdigest()[:32] if name else ""


def fields(headers: Mapping[str, str] | tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    """Header fields with lower-case names."""
    pairs = headers.items() if isinstance(headers, Mapping) else headers
    return tuple((name.lower(), value) for name, value in pairs)


def index_of(exchange: Entry | int) -> int:
    """The index that an exchange goes by."""
    return exchange if isinstance(exchange, int) else exchange.index
