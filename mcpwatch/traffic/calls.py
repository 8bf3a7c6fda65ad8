"""Calls: one for each JSON-RPC request in either direction, from its opening to what became of it."""

from collections.abc import Iterable, Mapping
from typing import Final

from mcpwatch.model.entries import Json
from mcpwatch.model.identity import Evidence, Freshness, SignatureState, Verdict, Word
from mcpwatch.model.traffic import Call, CallState, Direction, RpcMessage
from mcpwatch.traffic.chains import Chains
from mcpwatch.traffic.claims import Said, read
from mcpwatch.traffic.eviction import EvictingTable
from mcpwatch.traffic.exchanges import Exchanges
from mcpwatch.traffic.outcomes import FAILED, Ending
from mcpwatch.traffic.records import Flow, TrackedSession
from mcpwatch.traffic.sessions import IDLE_S, Sessions, discard
from mcpwatch.traffic.tools import Tools

MAX_ENTRIES: Final = 1_000
"""Indexes kept of the entries of one call."""

LOOK_S: Final = 1.0
"""Seconds of the feed's time between two looks for calls whose answers nobody waits for any more."""

MAX_METHOD: Final = 200
"""Characters kept of a method's name."""

FROM_SERVER: Final = Verdict(
    Word.UNSIGNED,
    SignatureState.ABSENT,
    Freshness.UNCHECKED,
    Evidence.ABSENT,
    reasons=("the server made this request, and servers do not sign",),
)
"""The verdict of requests that a server makes."""

_TO_SERVER = Direction.TO_SERVER
_CANCELLED = CallState.CANCELLED


class Calls:
    """All calls of one feed, open and finished."""

    def __init__(
        self, limit: int, prefix: str, exchanges: Exchanges, sessions: Sessions, chains: Chains, tools: Tools
    ) -> None:
        self.table: EvictingTable[str, Call] = EvictingTable(limit)
        self._prefix = prefix
        self._exchanges = exchanges
        self._sessions = sessions
        self._chains = chains
        self._tools = tools
        self._tokens: dict[str, str | int] = {}
        """Progress tokens of open calls, by call id."""

    def make(self, flow: Flow, message: RpcMessage, said: Said, index: int, place: str, time: float) -> Call:
        """Open a call for a request; `place` is `.N` in a batch, else empty. It is in no session yet."""
        exchange = flow.exchange
        to_server = message.direction is _TO_SERVER
        call = Call(
            id=f"{self._prefix}{index}{place}",
            index=index,
            exchange=exchange.index,
            source=exchange.source,
            upstream=exchange.upstream,
            session="",
            direction=message.direction,
            rpc_id=message.id,
            method=message.method[:MAX_METHOD],
            target=said.target,
            started=time,
            verdict=exchange.verdict if to_server else FROM_SERVER,
            era=exchange.era,
            last_index=index,
            entries=[index],
        )
        (exchange.calls if to_server else flow.hosted).append(call)
        gone = self.table.put(call.id, call)
        if gone is not None:
            self._evict(gone, time)
        if said.progress is not None:
            self._tokens[call.id] = said.progress
        return call

    def opened(self, flow: Flow, call: Call, said: Said, traceparent: str) -> None:
        """Chain and count a call of the client, once its exchange has its session."""
        self._tools.called(call)
        self._chains.opened(call, said, traceparent, flow.tracked)

    def judge(self, call: Call, verdict: Verdict) -> None:
        """Write another verdict on a call."""
        call.verdict = verdict
        self._chains.judged(call)

    def host(self, flow: Flow, message: RpcMessage, index: int, place: str, time: float) -> Call:
        """Open a call that the server makes on the stream of an exchange."""
        call = self.make(flow, message, read(message), index, place, time)
        if flow.tracked is not None:
            call.session = flow.exchange.session
            self._sessions.add_call(flow.tracked, call)
            self._index(flow.tracked, call)
        self._chains.asked(call, flow)
        return call

    def settle(self, flow: Flow) -> None:
        """Index the open calls of an exchange under the session it has joined."""
        tracked = flow.tracked
        if tracked is not None:
            for call in (*flow.exchange.calls, *flow.hosted) if flow.hosted else flow.exchange.calls:
                if call.ended is None:
                    self._index(tracked, call)

    def unsettle(self, flow: Flow) -> None:
        """Take the open calls of an exchange out of its session's indexes."""
        for call in (*flow.exchange.calls, *flow.hosted):
            if flow.tracked is not None and call.ended is None:
                self._unindex(flow.tracked, call)

    def finish(self, call: Call, ending: Ending, index: int, time: float, tracked: TrackedSession | None) -> None:
        """End a call; `tracked` is the session it is in."""
        touch(call, index)
        state = ending.state
        call.state, call.error_code, call.error_text = state, ending.code, ending.text
        call.ended = time if time > call.started else call.started
        if tracked is not None:
            self._unindex(tracked, call)
            if state in FAILED:
                tracked.session.errors += 1
        if self._tokens:
            self._tokens.pop(call.id, None)
        self.table.finish(call.id)
        self._tools.ended(call)

    def answer(
        self,
        call: Call,
        ending: Ending,
        index: int,
        time: float,
        tracked: TrackedSession | None,
        result: Mapping[str, Json],
    ) -> None:
        """End a call with its answer."""
        self.finish(call, ending, index, time, tracked)
        if call.direction is _TO_SERVER and ending.state is not _CANCELLED:
            self._chains.answered(call, result, tracked)

    def told(self, call: Call, payload: Json, tracked: TrackedSession | None) -> None:
        """Take in what a server says on a call of the client."""
        if call.direction is _TO_SERVER:
            self._chains.told(call, payload, tracked)

    def give_up(
        self,
        tracked: TrackedSession,
        time: float,
        why: str,
        index: int | None = None,
        calls: Iterable[Call] | None = None,
    ) -> list[Call]:
        """End calls of a session whose streams are gone and whose answers nobody waits for any more; all or `calls`."""
        gone = list(tracked.detached.values() if calls is None else calls)
        for call in gone:
            ending = Ending(CallState.TRUNCATED, text=why)
            self.finish(call, ending, call.last_index if index is None else index, time, tracked)
        return gone

    def give_up_overdue(self, tracked: TrackedSession, now: float, index: int | None = None) -> list[Call]:
        """End those that nobody has resumed for IDLE_S, however busy the session is otherwise.

        A session may have thousands: they are looked through when one can be overdue, and once in LOOK_S at most.
        """
        if tracked.resuming > 0 or now < tracked.overdue_from:
            return []
        overdue = [call for call in tracked.detached.values() if now - self._detached_at(tracked, call) > IDLE_S]
        gone = self.give_up(tracked, now, "no answer came on another stream", index, overdue)
        first = min((self._stream_ended_at(tracked, call) for call in tracked.detached.values()), default=now)
        tracked.overdue_from = max(first + IDLE_S, now + LOOK_S)
        return gone

    def detach(self, tracked: TrackedSession, call: Call, time: float) -> None:
        """Let a call wait for its answer on another stream, as its own has ended."""
        tracked.detached[call.id] = call
        tracked.overdue_from = min(tracked.overdue_from, time + IDLE_S)

    def _detached_at(self, tracked: TrackedSession, call: Call) -> float:
        """When a call was last on a stream that could bring its answer."""
        if call.status == 202 and tracked.flows > 0:
            return tracked.session.last_seen
        return self._stream_ended_at(tracked, call)

    def _stream_ended_at(self, tracked: TrackedSession, call: Call) -> float:
        flow = self._exchanges.get(call.exchange)
        ended = flow.exchange.ended if flow is not None else None
        return max(call.started if ended is None else ended, tracked.resumed)

    def doubt(self) -> list[Call]:
        """Mark the open calls; whichever gets another entry is open, or ends, as ever."""
        calls = [call for call in self.table.items.values() if call.ended is None]
        for call in calls:
            call.is_doubtful = True
        return calls

    def abandon(self, flow: Flow, time: float, why: str, index: int | None = None) -> list[Call]:
        """End the open calls of an exchange that will not be heard of again."""
        calls = [call for call in (*flow.exchange.calls, *flow.hosted) if call.ended is None]
        for call in calls:
            ending = Ending(CallState.TRUNCATED, text=why)
            self.finish(call, ending, call.last_index if index is None else index, time, flow.tracked)
        self._sessions.over(flow, time)
        return calls

    def _index(self, tracked: TrackedSession, call: Call) -> None:
        if call.rpc_id is not None:
            tracked.pending.add(call.rpc_id, call)
        if self._tokens and (progress := self._tokens.get(call.id)) is not None:
            tracked.tokens.add(progress, call)

    def _unindex(self, tracked: TrackedSession, call: Call) -> None:
        if call.rpc_id is not None:
            tracked.pending.remove(call.rpc_id, call)
        if self._tokens and (progress := self._tokens.get(call.id)) is not None:
            tracked.tokens.remove(progress, call)
        if tracked.detached:
            tracked.detached.pop(call.id, None)

    def _evict(self, call: Call, time: float) -> None:
        tracked, flow = self._sessions.get(call.session), self._exchanges.get(call.exchange)
        if call.ended is None:
            self.finish(
                call, Ending(CallState.TRUNCATED, text="too many calls are open"), call.last_index, time, tracked
            )
        if tracked is not None:
            discard(tracked.session.calls, call)
        if flow is not None:
            discard(flow.exchange.calls, call)
            discard(flow.hosted, call)


def touch(call: Call, index: int) -> None:
    """Note an entry that belongs to a call."""
    if index != call.last_index and len(call.entries) < MAX_ENTRIES:
        call.entries.append(index)
    call.last_index = index
    call.is_doubtful = False
