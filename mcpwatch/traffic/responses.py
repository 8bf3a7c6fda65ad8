"""Responses: the head of a response, its messages one by one, and its end."""

from mcpwatch.model.entries import End, Entry, Message, Response
from mcpwatch.model.traffic import (
    Call,
    CallState,
    Direction,
    EntryKind,
    Era,
    Observation,
    RpcMessage,
    Session,
    SessionKind,
    SessionState,
)
from mcpwatch.traffic.assignment import SessionAssigner
from mcpwatch.traffic.calls import Calls, touch
from mcpwatch.traffic.correlate import LISTEN
from mcpwatch.traffic.exchanges import Exchanges
from mcpwatch.traffic.jsonrpc import is_carried, parse
from mcpwatch.traffic.messages import Effects, Messages
from mcpwatch.traffic.outcomes import Ending, of_end
from mcpwatch.traffic.records import Flow
from mcpwatch.traffic.sessions import Sessions

_TO_CLIENT = Direction.TO_CLIENT
_LEGACY = SessionKind.LEGACY
MAX_SAID = 300
"""Characters kept of an answer that is not JSON-RPC."""


class Responses:
    """Takes responses, messages and ends."""

    def __init__(
        self, exchanges: Exchanges, sessions: Sessions, calls: Calls, assigner: SessionAssigner, messages: Messages
    ) -> None:
        self._exchanges = exchanges
        self._sessions = sessions
        self._calls = calls
        self._assigner = assigner
        self._messages = messages

    def head(self, entry: Entry, response: Response, time: float) -> Observation:
        """Take in the head of a response."""
        flow = self._exchanges.get(response.exchange)
        if flow is None:
            return Observation(entry.index, entry.source, time, "response")
        exchange, status = flow.exchange, response.status
        exchange.status = status
        exchange.stream = _is_stream(response)
        for call in exchange.calls:
            call.status = status
            touch(call, entry.index)
        effects = Effects()
        gone: tuple[Session, ...] = ()
        if 200 <= status < 300:
            gone = self._accept(flow, response, entry.index, time, effects)
        elif 400 <= status < 500 and flow.tracked is not None and not flow.tracked.proven:
            gone = self._assigner.refuse(flow)
        return self._observed(entry, time, "response", flow, (), effects, gone, response)

    def message(self, entry: Entry, message: Message, time: float) -> Observation:
        """Take in one body or server-sent event of a response."""
        messages = parse(message.body, _TO_CLIENT, message.event)
        flow = self._exchanges.get(message.exchange)
        if flow is None:
            return Observation(entry.index, entry.source, time, "message", messages=messages)
        if message.event_id:
            flow.resumable = True
        if not is_carried(message.body):
            flow.unread = True
        effects = Effects()
        batch = len(messages) > 1
        for place, part in enumerate(messages):
            if part.fault:
                flow.said = flow.said or (message.body.text or "")[:MAX_SAID]
            elif flow.deferred:
                flow.deferred = False
                self._assigner.place(flow)
            self._messages.take(flow, part, entry.index, f".{place}" if batch else "", time, effects)
        return self._observed(entry, time, "message", flow, messages, effects, leaked=message.leaked)

    def end(self, entry: Entry, end: End, time: float) -> Observation:
        """Take in the end of an exchange."""
        flow = self._exchanges.get(end.exchange)
        if flow is None:
            return Observation(entry.index, entry.source, time, "end")
        exchange = flow.exchange
        effects = Effects()
        if exchange.ended is None:
            self._exchanges.finish(flow)
            exchange.ended, exchange.outcome, exchange.reason = time, end.outcome, end.reason
            exchange.rule = end.rule if end.outcome == "denied" else ""
            self._sessions.over(flow, time)
            for call in exchange.calls:
                touch(call, entry.index)
            for call in (*exchange.calls, *flow.hosted):
                if call.ended is None:
                    self._leave_open_or_finish(flow, call, end, entry.index, time, effects)
                elif end.outcome == "denied" and call.state in (CallState.RPC_ERROR, CallState.HTTP_ERROR):
                    call.state = CallState.DENIED
                    effects.update(call)
            self._lose(flow, entry.index, time, effects)
        return self._observed(entry, time, "end", flow, (), effects)

    def restart(self, entry: Entry, alive: float) -> tuple[Call, ...]:
        """End what was open when the gateway stopped, at `alive`, the last time it is known to have run.

        Returns the calls that ended with it.
        """
        effects = Effects()
        for flow in self._exchanges.open():
            for call in self._calls.abandon(flow, alive, "the gateway stopped", entry.index):
                effects.update(call)
            flow.exchange.ended, flow.exchange.outcome = max(alive, flow.exchange.started), "error"
            flow.exchange.reason = "the gateway stopped"
            self._exchanges.finish(flow)
        return effects.updated

    def _accept(self, flow: Flow, response: Response, index: int, time: float, effects: Effects) -> tuple[Session, ...]:
        """A 2xx answer opens, confirms or deletes a session."""
        opens = bool(response.session) and not flow.session_id and flow.opaque
        if flow.opening and response.session and response.session != flow.session_id:
            self._assigner.refuse(flow)
        if (flow.opening or opens) and flow.tracked is None:
            flow.deferred = False
            return self._assigner.open(flow, response.session or flow.session_id, index)
        tracked = flow.tracked
        if tracked is None or tracked.session.kind is not _LEGACY:
            return ()
        tracked.proven = True
        if flow.exchange.method == "DELETE":
            self._sessions.end(tracked, time, lost=False)
            for call in self._calls.give_up(tracked, time, "the session was deleted", index):
                effects.update(call)
        elif tracked.lost:
            self._sessions.revive(tracked)
        return ()

    def _leave_open_or_finish(
        self, flow: Flow, call: Call, end: End, index: int, time: float, effects: Effects
    ) -> None:
        """An open call whose stream has ended: its answer may yet come on another, or it is over."""
        exchange, tracked = flow.exchange, flow.tracked
        status = exchange.status
        if tracked is not None and _may_deliver(flow, call, end):
            self._calls.detach(tracked, call, time)
            return
        refused = status is not None and status >= 400
        if call.method == LISTEN and status is not None and not refused and end.outcome != "denied":
            gone = end.outcome == "client-closed"
            ending = Ending(CallState.CANCELLED if gone else CallState.DONE, text=end.reason)
        elif flow.unread and end.outcome == "complete" and not refused:
            ending = Ending(CallState.DONE, text="the log does not carry the answer")
            call.captured = False
        else:
            ending = of_end(end.outcome, end.reason, status, flow.said, exchange.era)
        self._calls.finish(call, ending, index, time, tracked)
        effects.update(call)

    def _lose(self, flow: Flow, index: int, time: float, effects: Effects) -> None:
        """A 404 says that the server does not know the session, unless it says that it does not know the method."""
        tracked = flow.tracked
        if flow.exchange.status != 404 or flow.unknown_method or flow.opening or tracked is None:
            return
        if tracked.session.kind is _LEGACY and flow.session_id:
            self._sessions.end(tracked, time, lost=True)
            for call in self._calls.give_up(tracked, time, "the session is gone", index):
                effects.update(call)

    def _observed(
        self,
        entry: Entry,
        time: float,
        kind: EntryKind,
        flow: Flow,
        messages: tuple[RpcMessage, ...],
        effects: Effects,
        gone: tuple[Session, ...] = (),
        response: Response | None = None,
        *,
        leaked: bool = False,
    ) -> Observation:
        tracked = flow.tracked
        if tracked is not None:
            self._sessions.seen(tracked, time)
        return Observation(
            entry.index,
            entry.source,
            time,
            kind,
            flow.exchange,
            tracked.session if tracked is not None else None,
            None,
            messages,
            tuple(effects.opened),
            effects.updated,
            effects.tools,
            gone=gone,
            response=response,
            leaked=leaked,
        )


def _is_stream(response: Response) -> bool:
    return any(name == "content-type" and "event-stream" in value.lower() for name, value in response.headers)


def _may_deliver(flow: Flow, call: Call, end: End) -> bool:
    """Whether the answer may still come: on a resumed stream (SSE event ids) or, after a 202, on the GET stream."""
    exchange, tracked = flow.exchange, flow.tracked
    if tracked is None or tracked.session.state is SessionState.ENDED or end.outcome == "denied":
        return False
    if call.direction is _TO_CLIENT:
        return True
    if exchange.era is Era.MODERN or exchange.status is None or exchange.status >= 300:
        return False
    return flow.resumable or exchange.status == 202
