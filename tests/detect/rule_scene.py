"""Observations by hand, as the fold would make them, run through an engine one by one."""

from collections.abc import Mapping

from build import PEER, START, fields
from msgspec.structs import replace
from verdicts import signer, unsigned, verified

from mcpwatch.detect.engine import Engine
from mcpwatch.detect.rule import Operator
from mcpwatch.model.alerts import Finding
from mcpwatch.model.entries import (
    Body,
    GatewayStarted,
    Json,
    Leak,
    Principal,
    Request,
    Response,
    SessionForm,
    UpstreamInfo,
)
from mcpwatch.model.feed import FeedState, FeedStatus, Gap
from mcpwatch.model.identity import ServerProof, Signer, Verdict
from mcpwatch.model.tools import Tool, ToolChange
from mcpwatch.model.traffic import (
    Call,
    CallState,
    Direction,
    EntryKind,
    Era,
    Exchange,
    Observation,
    RpcMessage,
    Session,
    SessionKind,
)
from mcpwatch.traffic.tool_class import classify

NAMED = {"alice": (signer("alice"),), "bob": (signer("bob"),)}
OPERATOR = Operator(
    {"ann": (signer("alice").id,), "https://login.example bob": ("Bob",)},
    lambda name, now: NAMED.get(name.casefold(), ()),
)
"""Knows Alice and Bob; Ann may use Alice, and one of the Bobs may use Bob."""

TARGETS = {"tools/call": "name", "prompts/get": "name", "resources/read": "uri"}


class Scene:
    """Each method plays one entry and keeps what the rules found."""

    def __init__(self, source: str = "gateway", upstream: str = "files") -> None:
        self.engine = Engine(operator=OPERATOR)
        self.source = source
        self.upstream = upstream
        self.next = 0
        self.now = START
        self.findings: list[Finding] = []
        self.requests: dict[int, Observation] = {}
        self.tools: dict[tuple[str, str], Tool] = {}
        self.status = FeedStatus(source, "http://127.0.0.1:9000", FeedState.LIVE)

    def of(self, rule: str) -> list[Finding]:
        """What one rule found."""
        return [finding for finding in self.findings if finding.rule == rule]

    def session(self, key: str = "5e55", kind: SessionKind = SessionKind.LEGACY, era: Era = Era.LEGACY) -> Session:
        """A session that nothing happened in."""
        return Session(key, kind, self.source, self.upstream, era, self.now, self.now)

    def request(
        self,
        *bodies: Json,
        session: Session | None = None,
        verdict: Verdict | None = None,
        method: str = "POST",
        headers: Mapping[str, str] | tuple[tuple[str, str], ...] = (),
        agent: str = "agent/1.0",
        peer: str = PEER,
        principal: Principal | None = None,
        rebound: Signer | None = None,
        upstream: str = "",
        masked: int = 0,
        unread: bool = False,
        named: str | None = None,
        leaked: tuple[Leak, ...] = (),
        authority: str = "127.0.0.1:8000",
    ) -> Exchange:
        """A request with its JSON-RPC messages; signed and good unless `verdict` says otherwise.

        An `unread` one has a body of which only the digest travelled. `named` is the hash of the session id that it
        carries, where that is not the session's own.
        """
        verdict = verdict or verified()
        upstream = upstream or self.upstream
        era = session.era if session else Era.UNKNOWN
        key = session.key if session else ""
        exchange = Exchange(self.next, self.source, upstream, method, "/mcp", peer, key, era, self.now, verdict)
        exchange.principal = principal
        messages = tuple(spoken(body, Direction.TO_SERVER) for body in bodies)
        exchange.calls = [
            self._call(exchange, message, at if len(bodies) > 1 else None)
            for at, message in enumerate(messages)
            if message.method and message.id is not None
        ]
        agents = (("user-agent", agent),) if agent else ()
        request = Request(
            upstream,
            method,
            "http",
            authority,
            "/mcp",
            peer,
            (*agents, *fields(headers)),
            Body(2, "00" * 32, text=None if unread else "{}", masked=masked) if bodies or unread else None,
            named if named is not None else key if session and session.kind is SessionKind.LEGACY else "",
            principal=principal,
            leaked=leaked,
        )
        seen = self._seen(
            "request",
            exchange,
            session,
            verdict=verdict,
            messages=messages,
            opened=tuple(exchange.calls),
            request=request,
            rebound=rebound,
        )
        self.requests[exchange.index] = seen
        self._play(seen)
        return exchange

    def judge_again(self, exchange: Exchange, verdict: Verdict, rebound: Signer | None = None) -> None:
        """The same request under another verdict."""
        exchange.verdict = verdict
        before = self.requests[exchange.index]
        again = replace(before, verdict=verdict, rejudged=True, rebound=rebound)
        self.findings += self.engine.observe(again)

    def response(
        self,
        exchange: Exchange,
        status: int = 200,
        session: Session | None = None,
        *,
        gives: str = "",
        form: SessionForm = "",
        gone: tuple[Session, ...] = (),
    ) -> None:
        """The head of the answer; it `gives` a session id of that hash and form."""
        exchange.status = status
        for each in exchange.calls:
            each.status = status
        head = Response(exchange.index, status, (), gives, form)
        self._play(self._seen("response", exchange, session, response=head, gone=gone))

    def answer(
        self,
        exchange: Exchange,
        *bodies: Json,
        session: Session | None = None,
        state: CallState = CallState.DONE,
        code: int | None = None,
        text: str = "",
        proof: ServerProof | None = None,
        leaked: bool = False,
    ) -> int:
        """Messages that end the exchange's calls in `state`; the entry's index."""
        for each in exchange.calls:
            each.state, each.ended, each.error_code, each.error_text = state, self.now, code, text
        messages = tuple(spoken(body, Direction.TO_CLIENT) for body in bodies)
        changes = tuple(change for body in bodies for change in self._listed(exchange, body, session))
        calls = tuple(exchange.calls)
        return self._play(
            self._seen(
                "message",
                exchange,
                session,
                messages=messages,
                updated=calls,
                tools=changes,
                proof=proof,
                leaked=leaked,
            )
        )

    def push(
        self,
        exchange: Exchange,
        body: Json,
        session: Session | None = None,
        *,
        event: str = "",
        touched: bool = True,
    ) -> None:
        """A message from the server that ends nothing; one that is not `touched` belongs to no call."""
        message = replace(spoken(body, Direction.TO_CLIENT), event=event)
        updated = tuple(exchange.calls) if touched else ()
        self._play(self._seen("message", exchange, session, messages=(message,), updated=updated))

    def end(self, exchange: Exchange, session: Session | None = None, rule: str = "", reason: str = "") -> None:
        """The end of the exchange, which touches its calls once more; with `rule` the gateway's policy refused it."""
        exchange.rule, exchange.reason = rule, reason
        self._play(self._seen("end", exchange, session, updated=tuple(exchange.calls)))

    def whole(self, body: Json, answer: Json, session: Session | None = None, **more: Json) -> Exchange:
        """Request, head, answer and end; `more` goes to the answer."""
        exchange = self.request(body, session=session)
        self.response(exchange, session=session)
        self.answer(exchange, answer, session=session, **more)
        self.end(exchange, session)
        return exchange

    def started(self, url: str = "http://127.0.0.1:9000/mcp") -> None:
        """The gateway starts before the server at `url`."""
        data = GatewayStarted("1.0", "masked", (UpstreamInfo(self.upstream, url),), "http://127.0.0.1:8000")
        self._play(Observation(self.next, self.source, self.now, "gateway", started=data))

    def malformed(self, fault: str = "not JSON") -> None:
        """An entry that is none."""
        self._play(Observation(self.next, self.source, self.now, "malformed", note=fault))

    def feed(
        self,
        *states: FeedState,
        gaps: tuple[Gap, ...] = (),
        detail: str = "",
        next_index: int = 10,
        overdue: bool = False,
    ) -> None:
        """The feed's standing goes through `states`; the gaps come with the first."""
        for state in states:
            before = self.status
            gaps = gaps or before.gaps
            self.status = replace(before, state=state, detail=detail, gaps=gaps, next_index=next_index, overdue=overdue)
            self.findings += self.engine.observe_feed(before, self.status)

    def _listed(self, exchange: Exchange, body: Json, session: Session | None) -> list[ToolChange]:
        listed = body.get("result", {}).get("tools", []) if isinstance(body.get("result"), dict) else []
        changes = []
        for definition in listed:
            name = definition["name"]
            digest = str(sorted(definition.items()))
            known = self.tools.get((exchange.upstream, name))
            if known is None:
                known = Tool(exchange.upstream, name, definition, digest, self.next, self.next)
                known.classes, known.classed_by, known.privileged = classify(name, definition)
                self.tools[exchange.upstream, name] = known
                changes.append(ToolChange(known, True, False))
            else:
                changed = known.digest != digest
                if changed:
                    known.previous, known.definition, known.digest = known.definition, definition, digest
                    known.changed += 1
                    known.classes, known.classed_by, known.privileged = classify(name, definition)
                changes.append(ToolChange(known, False, changed))
            if session:
                session.listed_tools.add(name)
        return changes

    def _call(self, exchange: Exchange, message: RpcMessage, at: int | None) -> Call:
        key = TARGETS.get(message.method, "")
        target = message.params.get(key, "") if isinstance(message.params, dict) else ""
        return Call(
            str(exchange.index) if at is None else f"{exchange.index}.{at}",
            exchange.index,
            exchange.index,
            self.source,
            exchange.upstream,
            exchange.session,
            Direction.TO_SERVER,
            message.id,
            message.method,
            target,
            self.now,
            exchange.verdict,
            exchange.era,
        )

    def _seen(self, kind: EntryKind, exchange: Exchange, session: Session | None, **more: Json) -> Observation:
        return Observation(self.next, self.source, self.now, kind, exchange, session, **more)

    def _play(self, seen: Observation) -> int:
        self.findings += self.engine.observe(seen)
        self.next += 1
        self.now += 0.01
        return seen.index


def spoken(body: Json, direction: Direction) -> RpcMessage:
    """A JSON-RPC body as a message."""
    return RpcMessage(
        direction, body.get("id"), body.get("method", ""), body.get("params"), body.get("result"), body.get("error")
    )


def open_session(scene: Scene, session: Session, **more: Json) -> Exchange:
    """The legacy handshake; `more` goes to the `initialize` request."""
    info = {"name": "agent", "version": "1.0"}
    first = {"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {"clientInfo": info}}
    exchange = scene.request(first, **more)
    exchange.session = session.key
    for call in exchange.calls:
        call.session = session.key
    if session.initialized_at is None:
        session.initialized_at = scene.next
    scene.response(exchange, session=session)
    scene.answer(exchange, {"jsonrpc": "2.0", "id": 0, "result": {}}, session=session)
    scene.end(exchange, session)
    return exchange


UNSIGNED = unsigned()
