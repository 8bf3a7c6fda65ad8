"""A state filled by hand: entries with a meaning that no fold had to find."""

from verdicts import unsigned

from mcpwatch.model.alerts import Alert, AlertState, Finding, Severity
from mcpwatch.model.entries import Entry
from mcpwatch.model.identity import Verdict
from mcpwatch.model.traffic import (
    Call,
    CallState,
    Direction,
    Era,
    Exchange,
    Observation,
    RpcMessage,
    Session,
    SessionKind,
)
from mcpwatch.watch.row import Row
from mcpwatch.watch.state import State

START = 1_000_000.0


class Stage:
    """Plays one feed into a state; index and time count up by themselves."""

    def __init__(self, *, source: str = "", max_rows: int = 1_000, max_bytes: int = 1_000_000) -> None:
        self.alerts: dict[str, Alert] = {}
        self.state = State(self.alerts, max_rows=max_rows, max_bytes=max_bytes)
        self.source = source
        self.index = 0
        self.now = START

    def session(self, key: str = "5e551047", *, client: str = "agent 1.0", upstream: str = "files") -> Session:
        """A session that belongs to nobody."""
        return Session(
            key, SessionKind.LEGACY, self.source, upstream, Era.LEGACY, self.now, self.now, client_name=client
        )

    def request(
        self,
        tool: str = "read",
        *,
        verdict: Verdict | None = None,
        session: Session | None = None,
        leaf: bytes = b"{}",
        rpc_id: int = 1,
    ) -> Row:
        """A `tools/call` request, whose call runs until `answer` ends it."""
        verdict = verdict or unsigned()
        key = session.key if session else ""
        exchange = Exchange(
            self.index, self.source, "files", "POST", "/mcp", "127.0.0.1:9", key, Era.LEGACY, self.now, verdict
        )
        call = Call(
            str(self.index),
            self.index,
            self.index,
            self.source,
            "files",
            key,
            Direction.TO_SERVER,
            rpc_id,
            "tools/call",
            tool,
            self.now,
            verdict,
            entries=[self.index],
        )
        exchange.calls.append(call)
        message = RpcMessage(Direction.TO_SERVER, rpc_id, "tools/call", {"name": tool})
        return self._apply(
            leaf, "request", exchange=exchange, session=session, verdict=verdict, messages=(message,), opened=(call,)
        )

    def response(self, request: Row, status: int = 200) -> Row:
        """The head of its answer."""
        assert request.seen.exchange
        request.seen.exchange.status = status
        return self._apply(b"{}", "response", exchange=request.seen.exchange, session=request.session)

    def answer(self, request: Row, state: CallState = CallState.DONE, seconds: float = 0.5) -> Row:
        """The message that ends its call `seconds` after it began."""
        call = request.call
        assert call
        call.state, call.ended = state, call.started + seconds
        call.entries.append(self.index)
        message = RpcMessage(Direction.TO_CLIENT, call.rpc_id, result={"isError": state is CallState.TOOL_ERROR})
        return self._apply(
            b"{}",
            "message",
            exchange=request.seen.exchange,
            session=request.session,
            messages=(message,),
            updated=(call,),
        )

    def end(self, request: Row, outcome: str = "complete") -> Row:
        """The end of its exchange."""
        assert request.seen.exchange
        request.seen.exchange.ended, request.seen.exchange.outcome = self.now, outcome
        return self._apply(b"{}", "end", exchange=request.seen.exchange, session=request.session)

    def gateway(self, note: str = "gateway 0.1.0 started") -> Row:
        """Something the gateway says of itself."""
        return self._apply(b"{}", "gateway", note=note)

    def alert(self, *evidence: int, rule: str = "identity/bad-signature", severity: Severity = Severity.HIGH) -> Alert:
        """An alert on entries that were taken in before."""
        finding = Finding(rule, severity, "subject", "because", evidence, self.source)
        alert = self.alerts.get(rule)
        if alert is None:
            alert = self.alerts[rule] = Alert(
                rule, rule, rule, severity, "subject", "because", 0, evidence[0], 0, self.now, self.now, self.source
            )
        alert.count += 1
        alert.last_index = evidence[-1]
        alert.evidence = [*alert.evidence, *evidence][-32:]
        self.state.raise_alerts([(finding, alert)], self.now)
        return alert

    def rest(self, alert: Alert, state: AlertState = AlertState.ACKNOWLEDGED) -> None:
        """Acknowledge an alert, or let it fire again."""
        alert.state = state
        self.state.alerts_changed()

    def wait(self, seconds: float) -> None:
        """Let time pass, here and at the gateway."""
        self.now += seconds
        self.state.advance(self.now)

    def _apply(self, leaf: bytes, kind: str, **meaning: object) -> Row:
        entry = Entry(self.index, leaf, None, self.now, "", self.source)
        seen = Observation(self.index, self.source, self.now, kind, **meaning)  # type: ignore[arg-type]
        self.state.advance(self.now)
        row = self.state.apply(entry, seen)
        self.index += 1
        self.now += 0.001
        return row
