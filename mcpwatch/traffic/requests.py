"""Requests: what an agent sends, and the calls it opens with it."""

from typing import Final

from mcpwatch.model.entries import Entry, Request
from mcpwatch.model.identity import Evidence, Freshness, SignatureState, Signer, Verdict, Word
from mcpwatch.model.traffic import Call, Direction, Era, Exchange, Observation, RpcMessage
from mcpwatch.traffic.assignment import SessionAssigner
from mcpwatch.traffic.calls import Calls
from mcpwatch.traffic.claims import SILENT, TARGET_KEYS, Said, read
from mcpwatch.traffic.era import era_of
from mcpwatch.traffic.exchanges import Exchanges
from mcpwatch.traffic.jsonrpc import is_carried, parse
from mcpwatch.traffic.messages import Effects, Messages
from mcpwatch.traffic.records import Flow
from mcpwatch.traffic.sessions import Sessions

_TO_SERVER = Direction.TO_SERVER
_UNKNOWN = Era.UNKNOWN
UNJUDGED: Final = Verdict(
    Word.NO_CHECK,
    SignatureState.UNSUPPORTED,
    Freshness.UNCHECKED,
    Evidence.ABSENT,
    reasons=("nothing has judged this request",),
)
"""The verdict of a request that came without one."""


def _asks(message: RpcMessage) -> bool:
    """Whether it opens a call; what names something does so without an id too, since not all servers look for one."""
    return bool(message.method) and (message.id is not None or message.method in TARGET_KEYS)


class Requests:
    """Takes requests."""

    def __init__(
        self, exchanges: Exchanges, sessions: Sessions, calls: Calls, assigner: SessionAssigner, messages: Messages
    ) -> None:
        self._exchanges = exchanges
        self._sessions = sessions
        self._calls = calls
        self._assigner = assigner
        self._messages = messages

    def take(self, entry: Entry, request: Request, time: float, verdict: Verdict | None) -> Observation:
        """Take in a request as judged."""
        index = entry.index
        messages = parse(request.body, _TO_SERVER) if request.body is not None else ()
        headers = dict(reversed(request.headers))
        version, client, opening = headers.get("mcp-protocol-version", ""), "", False
        claimed = ""
        said: list[Said] = []
        for message in messages:
            one = read(message) if message.method else SILENT
            said.append(one)
            client = client or one.client
            claimed = claimed or one.version
            opening = opening or message.method == "initialize"
        exchange = Exchange(
            index,
            entry.source,
            request.upstream,
            request.method,
            request.target,
            request.peer,
            "",
            era_of(claimed, opening, version, request.session),
            time,
            verdict if verdict is not None else UNJUDGED,
            principal=request.principal,
        )
        flow = Flow(
            exchange,
            request.session,
            request.peer.rpartition(":")[0] or request.peer,
            headers.get("user-agent", ""),
            request.principal,
            client,
            "" if opening else claimed or version,
            opening=opening,
            resumes="last-event-id" in headers,
        )
        self._make_room(flow, time)
        effects = Effects()
        asked = self._open(flow, messages, said, headers, request, time)
        rebound = self._place(flow, messages, time, effects)
        traceparent = headers.get("traceparent", "")
        for call, one in asked:
            self._calls.opened(flow, call, one, traceparent)
            effects.opened.append(call)
        for message in messages:
            if not _asks(message):
                self._messages.take(flow, message, index, "", time, effects)
        return Observation(
            index,
            entry.source,
            time,
            "request",
            exchange,
            flow.tracked.session if flow.tracked is not None else None,
            exchange.verdict,
            messages,
            tuple(effects.opened),
            effects.updated,
            rebound=rebound,
            request=request,
        )

    def _make_room(self, flow: Flow, time: float) -> None:
        gone = self._exchanges.add(flow)
        if gone is not None and gone.exchange.ended is None:
            self._calls.abandon(gone, time, "too many exchanges are open")

    def _open(
        self,
        flow: Flow,
        messages: tuple[RpcMessage, ...],
        said: list[Said],
        headers: dict[str, str],
        request: Request,
        time: float,
    ) -> list[tuple[Call, Said]]:
        """Open a call for each request of the body; where the body did not travel, for the one the headers name."""
        index, make = flow.exchange.index, self._calls.make
        if len(messages) == 1:
            message = messages[0]
            if _asks(message):
                return [(make(flow, message, said[0], index, "", time), said[0])]
        asked: list[tuple[Call, Said]] = []
        for place, message in enumerate(messages):
            if _asks(message):
                asked.append((make(flow, message, said[place], index, f".{place}", time), said[place]))
        if request.body is not None and not is_carried(request.body):
            flow.opaque = True
            method = headers.get("mcp-method", "")
            if method and not method.startswith("notifications/"):
                named = Said(target=headers.get("mcp-name", ""))
                message = RpcMessage(_TO_SERVER, method=method)
                asked.append((make(flow, message, named, index, "", time), named))
        return asked

    def _place(self, flow: Flow, messages: tuple[RpcMessage, ...], time: float, effects: Effects) -> Signer | None:
        """Put the request into its session; returns whom that is bound to, where the request came from another.

        `initialize` has none before its answer, unless it carries the id of one that is alive. What is not known to
        be MCP waits for an answer that is. What could not be read as a request at all, which has neither method nor
        target, is in none: what answers it is the gateway's own refusal.
        """
        exchange = flow.exchange
        if not exchange.method and not exchange.target:
            return None
        if flow.opening and not self._sessions.is_alive(flow):
            return None
        if exchange.era is _UNKNOWN and all(message.fault for message in messages) and not flow.exchange.calls:
            flow.deferred = True
            return None
        rebound = self._assigner.place(flow)
        tracked = flow.tracked
        if tracked is not None:
            if tracked.detached:
                for call in self._calls.give_up_overdue(tracked, time, exchange.index):
                    effects.update(call)
            self._sessions.seen(tracked, time)
        return rebound
