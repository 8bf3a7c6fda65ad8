"""What one message does to the calls: it opens one, moves it on or ends it."""

from collections.abc import Mapping

from msgspec import Struct

from mcpwatch.model.entries import Json
from mcpwatch.model.tools import ToolChange
from mcpwatch.model.traffic import Call, CallState, Direction, RpcMessage, SessionKind
from mcpwatch.traffic.calls import Calls, touch
from mcpwatch.traffic.claims import fields, number, server, text
from mcpwatch.traffic.correlate import answered_by, cancelled_by, noted_by
from mcpwatch.traffic.outcomes import UNKNOWN_METHOD, Ending, of_answer
from mcpwatch.traffic.records import Flow
from mcpwatch.traffic.sessions import Sessions
from mcpwatch.traffic.tools import Tools

_TO_SERVER = Direction.TO_SERVER


class Effects(Struct, gc=False):
    """What an entry did, gathered message by message."""

    opened: list[Call] = []
    changed: dict[str, Call] = {}
    """By id, the calls that progressed or ended: thousands, where a session ends that has so many."""
    tools: tuple[ToolChange, ...] = ()

    @property
    def updated(self) -> tuple[Call, ...]:
        """Calls that progressed or ended, each once."""
        return tuple(self.changed.values())

    def update(self, call: Call) -> None:
        """Note a call that progressed or ended."""
        self.changed.setdefault(call.id, call)


class Messages:
    """Takes messages of either direction; requests of the client are opened elsewhere."""

    def __init__(self, sessions: Sessions, calls: Calls, tools: Tools) -> None:
        self._sessions = sessions
        self._calls = calls
        self._tools = tools

    def take(self, flow: Flow, message: RpcMessage, index: int, place: str, time: float, effects: Effects) -> None:
        """Take in one message of an exchange; `place` is `.N` in a batch, else empty."""
        if message.fault:
            self._note(flow, message, index, effects)
        elif not message.method:
            self._answer(flow, message, index, time, effects)
        elif message.id is not None:
            if message.direction is Direction.TO_CLIENT:
                self._note(flow, message, index, effects)
                effects.opened.append(self._calls.host(flow, message, index, place, time))
        elif message.method == "notifications/cancelled":
            self._cancel(flow, message, index, time, effects)
        else:
            self._note(flow, message, index, effects)

    def _answer(self, flow: Flow, message: RpcMessage, index: int, time: float, effects: Effects) -> None:
        if message.error is not None and fields(message.error).get("code") == UNKNOWN_METHOD:
            flow.unknown_method = True
        call = answered_by(flow, message)
        if call is None:
            return
        if call.ended is not None:
            touch(call, index)
            return
        status = flow.exchange.status
        if call.direction is _TO_SERVER:
            call.status = status
        result = fields(message.result)
        self._calls.told(call, message.result if message.error is None else message.error, flow.tracked)
        self._calls.answer(call, of_answer(call.method, message, result, status), index, time, flow.tracked, result)
        effects.update(call)
        if message.error is None:
            self._learn(flow, call, result, index, time, effects)
        elif call.method == "initialize":
            self._unopen(flow, time)

    def _learn(
        self, flow: Flow, call: Call, result: Mapping[str, Json], index: int, time: float, effects: Effects
    ) -> None:
        """What a good answer tells beyond its call: the server's name, the version agreed on, tools."""
        tracked = flow.tracked
        session = tracked.session if tracked is not None else None
        if session is not None and call.direction is _TO_SERVER:
            name = server(call.method, result)
            if name and name != session.server_name:
                session.server_name = name
            if call.method == "initialize":
                session.protocol = text(result.get("protocolVersion")) or session.protocol
        if call.method == "tools/list":
            effects.tools += self._tools.listed(call, session, result, index, time)

    def _unopen(self, flow: Flow, time: float) -> None:
        """An `initialize` refused inside of a 2xx has opened nothing."""
        tracked = flow.tracked
        if tracked is not None and tracked.session.kind is SessionKind.LEGACY and tracked.session.requests == 1:
            self._sessions.end(tracked, time, lost=True)

    def _cancel(self, flow: Flow, message: RpcMessage, index: int, time: float, effects: Effects) -> None:
        call = cancelled_by(flow, message)
        if call is not None:
            reason = text(fields(message.params).get("reason"))
            self._calls.finish(call, Ending(CallState.CANCELLED, text=reason), index, time, flow.tracked)
            effects.update(call)

    def _note(self, flow: Flow, message: RpcMessage, index: int, effects: Effects) -> None:
        call = noted_by(flow, message)
        if call is None:
            return
        touch(call, index)
        call.messages += 1
        if message.direction is Direction.TO_CLIENT and message.id is None:
            self._calls.told(call, message.params, flow.tracked)
        if message.method == "notifications/progress":
            params = fields(message.params)
            call.progress = number(params.get("progress"))
            call.progress_total = number(params.get("total"))
            call.progress_text = text(params.get("message")) or text(params.get("status"))
        effects.update(call)
