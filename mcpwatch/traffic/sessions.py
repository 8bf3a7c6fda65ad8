"""Sessions: by the protocol's id where there is one, else derived from who makes the requests.

A session id counts only after a 2xx answer to `initialize`, or, where the watcher joined late, after any answer
that is not a 4xx. A derived session ends after 30 minutes without traffic.
"""

from bisect import bisect_left, insort
from collections import OrderedDict
from typing import Final

from mcpwatch.bounded import keep
from mcpwatch.model.entries import Principal
from mcpwatch.model.identity import Verdict
from mcpwatch.model.traffic import Call, CallState, Era, Session, SessionKind, SessionState
from mcpwatch.traffic import naming
from mcpwatch.traffic.eviction import EvictingTable
from mcpwatch.traffic.records import Flow, Limits, Owner, TrackedSession, good_signer

GAP_S: Final = 1800.0
"""Silence that splits a derived session, seconds."""

IDLE_S: Final = 300.0
"""Silence after which a session is idle, and an answer on another stream is no longer waited for, seconds."""

PROBE_S: Final = 5.0
"""A failed `server/discover` this shortly before `initialize` is part of how the official client starts."""

MAX_PEERS: Final = 16
MAX_CALLS: Final = 2_000
MAX_PROBES: Final = 256

_IDLE = SessionState.IDLE
_ENDED = SessionState.ENDED
_MODERN = Era.MODERN
_UNKNOWN = Era.UNKNOWN


class Sessions:
    """All sessions of one feed."""

    def __init__(self, limits: Limits) -> None:
        self.table: EvictingTable[str, TrackedSession] = EvictingTable(limits.sessions)
        self.all: dict[str, Session] = {}
        self._limits = limits
        self._newest: OrderedDict[Owner, TrackedSession] = OrderedDict()
        self._clients: OrderedDict[tuple[str, str, str], str] = OrderedDict()
        self._probes: OrderedDict[tuple[str, str, str], TrackedSession] = OrderedDict()
        self._counters: OrderedDict[str, int] = OrderedDict()

    def get(self, key: str) -> TrackedSession | None:
        """The session of that key, if it is still held."""
        return self.table.items.get(key)

    def find(self, flow: Flow, verdict: Verdict) -> TrackedSession:
        """The session a request belongs to, made where there is none."""
        exchange = flow.exchange
        if flow.session_id and exchange.era is not _MODERN:
            return self.by_id(flow, flow.session_id, proven=False)
        return self._derived(flow, verdict)

    def by_id(self, flow: Flow, session_id: str, *, proven: bool) -> TrackedSession:
        """The session of that id."""
        exchange = flow.exchange
        key = naming.legacy_key(exchange.upstream, session_id)
        tracked = self.table.items.get(key)
        if tracked is None:
            tracked = self._make(key, SessionKind.LEGACY, flow, proven=proven)
        return tracked

    def is_alive(self, flow: Flow) -> bool:
        """Whether a request carries the id of a session that the server has accepted and that has not ended."""
        if not flow.session_id:
            return False
        tracked = self.get(naming.legacy_key(flow.exchange.upstream, flow.session_id))
        return tracked is not None and tracked.proven and tracked.session.state is not _ENDED

    def open(self, flow: Flow, session_id: str) -> TrackedSession:
        """The session of an id that the server gives out; another one where an ended session had the same id."""
        tracked = self.by_id(flow, session_id, proven=True)
        if tracked.session.state is _ENDED and not flow.session_id:
            self._remove(tracked)
            tracked = self.by_id(flow, session_id, proven=True)
        return tracked

    def join(self, tracked: TrackedSession, flow: Flow) -> None:
        """Make an exchange, with the calls it has, part of a session."""
        exchange, session = flow.exchange, tracked.session
        flow.tracked, exchange.session = tracked, session.key
        self.table.touch(session.key)
        if exchange.ended is None:
            tracked.flows += 1
            tracked.resuming += flow.resumes
        session.requests += 1
        if good_signer(exchange.verdict) is not None:
            session.signed += 1
            flow.signed = True
        if exchange.started < session.started:
            session.started = exchange.started
        if session.era is _UNKNOWN:
            session.era = exchange.era
        self._describe(session, flow)
        for call in (*exchange.calls, *flow.hosted) if flow.hosted else exchange.calls:
            call.session = session.key
            self.add_call(tracked, call)

    def over(self, flow: Flow, time: float) -> None:
        """Take note that an exchange has ended, or will not be heard of again."""
        tracked = flow.tracked
        if tracked is None:
            return
        tracked.flows -= 1
        if flow.resumes:
            tracked.resuming -= 1
            tracked.resumed = time

    def leave(self, flow: Flow) -> Session | None:
        """Take an exchange out of its session; returns the session if nothing is left of it."""
        tracked, exchange = flow.tracked, flow.exchange
        if tracked is None:
            return None
        session = tracked.session
        flow.tracked, exchange.session = None, ""
        if exchange.ended is None:
            tracked.flows -= 1
            tracked.resuming -= flow.resumes
        session.requests -= 1
        session.signed -= flow.signed
        flow.signed = False
        for call in (*exchange.calls, *flow.hosted):
            call.session = ""
            discard(session.calls, call)
            session.call_count -= 1
        if session.requests:
            return None
        self._remove(tracked)
        return session

    def count_signed(self, flow: Flow) -> None:
        """Bring the session's count of signed requests up to the request's verdict."""
        signed = good_signer(flow.exchange.verdict) is not None
        if flow.tracked is not None:
            flow.tracked.session.signed += signed - flow.signed
            flow.signed = signed

    def add_call(self, tracked: TrackedSession, call: Call) -> None:
        """Add a call to its session's list."""
        session = tracked.session
        session.call_count += 1
        calls = session.calls
        if calls and calls[-1].index > call.index:
            insort(calls, call, key=_by_index)
        else:
            calls.append(call)
        if len(calls) > MAX_CALLS:
            del calls[0]

    def end(self, tracked: TrackedSession, time: float, *, lost: bool) -> None:
        """The session is over: deleted, or `lost`, when the server does not know its id."""
        session = tracked.session
        if session.state is not SessionState.ENDED:
            session.state, session.ended_at, tracked.lost = SessionState.ENDED, time, lost
            self.table.finish(session.key)

    def revive(self, tracked: TrackedSession) -> None:
        """The session goes on after all."""
        tracked.session.state, tracked.session.ended_at, tracked.lost = SessionState.OPEN, None, False
        self.table.revive(tracked.session.key)

    def seen(self, tracked: TrackedSession, time: float) -> None:
        """There is traffic in the session."""
        session = tracked.session
        session.last_seen = time
        if session.state is _IDLE:
            session.state = SessionState.OPEN

    def probe(self, flow: Flow) -> Flow | None:
        """The failed `server/discover` that led to this `initialize`, if that is all its session holds."""
        exchange = flow.exchange
        tracked = self._probes.pop((exchange.upstream, flow.address, flow.agent), None)
        probe = tracked.probe if tracked else None
        if tracked is None or probe is None or tracked.session.requests != 1 or probe.tracked is not tracked:
            return None
        calls = probe.exchange.calls
        failed = all(call.state not in (CallState.RUNNING, CallState.DONE) for call in calls)
        soon = 0 <= exchange.started - probe.exchange.started <= PROBE_S
        alike = not probe.client or not flow.client or probe.client == flow.client
        signers = good_signer(probe.exchange.verdict), good_signer(exchange.verdict)
        return probe if failed and soon and alike and signers[0] == signers[1] else None

    def idle(self, now: float) -> None:
        """Let silent sessions become idle, and derived ones end."""
        for tracked in self.table.items.values():
            session = tracked.session
            if session.state is SessionState.ENDED:
                continue
            silence = now - session.last_seen
            if session.state is SessionState.OPEN and silence > IDLE_S:
                session.state = SessionState.IDLE
            if tracked.owner and silence > GAP_S and tracked.flows <= 0:
                self.end(tracked, session.last_seen, lost=False)

    def _derived(self, flow: Flow, verdict: Verdict) -> TrackedSession:
        exchange = flow.exchange
        owner = naming.derive(flow, verdict, self._client(flow))
        tracked = self._newest.get(owner)
        if tracked is not None:
            last = tracked.session.last_seen
            ended = tracked.session.state is _ENDED
            if not ended and (tracked.flows > 0 or exchange.started - last <= GAP_S):
                return tracked
            self.end(tracked, last, lost=False)
        before, base = tracked, naming.label(owner)
        tracked = self._make(self._free_key(base), owner[1], flow, proven=True)
        tracked.owner = owner
        if before is not None:
            tracked.session.listed_tools |= before.session.listed_tools
        keep(self._newest, owner, tracked, self._limits.names)
        if len(exchange.calls) == 1 and exchange.calls[0].method == "server/discover":
            tracked.probe = flow
            keep(self._probes, (exchange.upstream, flow.address, flow.agent), tracked, MAX_PROBES)
        return tracked

    def _client(self, flow: Flow) -> str:
        """What the sender calls itself; where this request does not say, what it last did."""
        place = (flow.exchange.upstream, flow.address, flow.agent)
        known = self._clients.get(place, "")
        if flow.client and flow.client != known:
            keep(self._clients, place, flow.client, self._limits.names)
        return flow.client or known

    def _free_key(self, base: str) -> str:
        count = self._counters.get(base, 0) + 1
        while (key := base if count == 1 else f"{base}#{count}") in self.table.items:
            count += 1
        keep(self._counters, base, count, self._limits.names)
        return key

    def _make(self, key: str, kind: SessionKind, flow: Flow, *, proven: bool) -> TrackedSession:
        exchange = flow.exchange
        started = exchange.started
        session = Session(key, kind, exchange.source, exchange.upstream, exchange.era, started, started)
        tracked = TrackedSession(session, proven)
        gone = self.table.put(key, tracked)
        if gone is not None:
            self._forget(gone)
        self.all[key] = session
        return tracked

    def _describe(self, session: Session, flow: Flow) -> None:
        if flow.address not in session.peers and len(session.peers) < MAX_PEERS:
            session.peers.append(flow.address)
        if flow.agent and not session.user_agent:
            session.user_agent = flow.agent
        if flow.client and not session.client_name:
            session.client_name = flow.client
        if flow.version and not session.protocol:
            session.protocol = flow.version
        new, old = flow.principal, session.principal
        if new is not None and new is not old and (old is None or _same_subject(new, old)):
            session.principal = new

    def _remove(self, tracked: TrackedSession) -> None:
        if self.get(tracked.session.key) is tracked:
            self.table.remove(tracked.session.key)
            self._forget(tracked)

    def _forget(self, tracked: TrackedSession) -> None:
        self.all.pop(tracked.session.key, None)
        if tracked.owner is not None and self._newest.get(tracked.owner) is tracked:
            del self._newest[tracked.owner]


def discard(calls: list[Call], call: Call) -> None:
    """Take a call out of a list that is in the order of entries; nothing happens where it is not there."""
    place = bisect_left(calls, call.index, key=_by_index)
    while place < len(calls) and calls[place].index == call.index:
        if calls[place] is call:
            del calls[place]
            return
        place += 1


def _by_index(call: Call) -> int:
    return call.index


def _same_subject(one: Principal, other: Principal) -> bool:
    """Whether a token was merely refreshed; an opaque token has no subject and says nothing about the next."""
    return bool(one.subject) and (one.issuer, one.subject) == (other.issuer, other.subject)
