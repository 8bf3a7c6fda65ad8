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
from mcpwatch.traffic.records import Flow, Limits, Owner, Track, good_signer
from mcpwatch.traffic.shelf import Shelf

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
        self.shelf: Shelf[str, Track] = Shelf(limits.sessions)
        self.all: dict[str, Session] = {}
        self._limits = limits
        self._newest: OrderedDict[Owner, Track] = OrderedDict()
        self._clients: OrderedDict[tuple[str, str, str], str] = OrderedDict()
        self._probes: OrderedDict[tuple[str, str, str], Track] = OrderedDict()
        self._counters: OrderedDict[str, int] = OrderedDict()

    def track(self, key: str) -> Track | None:
        """The record of a session that is still held."""
        return self.shelf.items.get(key)

    def find(self, flow: Flow, verdict: Verdict) -> Track:
        """The session a request belongs to, made where there is none."""
        exchange = flow.exchange
        if flow.session_id and exchange.era is not _MODERN:
            return self.by_id(flow, flow.session_id, proven=False)
        return self._derived(flow, verdict)

    def by_id(self, flow: Flow, session_id: str, *, proven: bool) -> Track:
        """The session of that id."""
        exchange = flow.exchange
        key = naming.legacy_key(exchange.upstream, session_id)
        track = self.shelf.items.get(key)
        if track is None:
            track = self._make(key, SessionKind.LEGACY, flow, proven=proven)
        return track

    def is_alive(self, flow: Flow) -> bool:
        """Whether a request carries the id of a session that the server has accepted and that has not ended."""
        if not flow.session_id:
            return False
        track = self.track(naming.legacy_key(flow.exchange.upstream, flow.session_id))
        return track is not None and track.proven and track.session.state is not _ENDED

    def open(self, flow: Flow, session_id: str) -> Track:
        """The session of an id that the server gives out; another one where an ended session had the same id."""
        track = self.by_id(flow, session_id, proven=True)
        if track.session.state is _ENDED and not flow.session_id:
            self._remove(track)
            track = self.by_id(flow, session_id, proven=True)
        return track

    def join(self, track: Track, flow: Flow) -> None:
        """Make an exchange, with the calls it has, part of a session."""
        exchange, session = flow.exchange, track.session
        flow.track, exchange.session = track, session.key
        self.shelf.touch(session.key)
        if exchange.ended is None:
            track.flows += 1
            track.resuming += flow.resumes
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
            self.add_call(track, call)

    def over(self, flow: Flow, time: float) -> None:
        """Take note that an exchange has ended, or will not be heard of again."""
        track = flow.track
        if track is None:
            return
        track.flows -= 1
        if flow.resumes:
            track.resuming -= 1
            track.resumed = time

    def leave(self, flow: Flow) -> Session | None:
        """Take an exchange out of its session; returns the session if nothing is left of it."""
        track, exchange = flow.track, flow.exchange
        if track is None:
            return None
        session = track.session
        flow.track, exchange.session = None, ""
        if exchange.ended is None:
            track.flows -= 1
            track.resuming -= flow.resumes
        session.requests -= 1
        session.signed -= flow.signed
        flow.signed = False
        for call in (*exchange.calls, *flow.hosted):
            call.session = ""
            discard(session.calls, call)
            session.call_count -= 1
        if session.requests:
            return None
        self._remove(track)
        return session

    def count_signed(self, flow: Flow) -> None:
        """Bring the session's count of signed requests up to the request's verdict."""
        signed = good_signer(flow.exchange.verdict) is not None
        if flow.track is not None:
            flow.track.session.signed += signed - flow.signed
            flow.signed = signed

    def add_call(self, track: Track, call: Call) -> None:
        """Add a call to its session's list."""
        session = track.session
        session.call_count += 1
        calls = session.calls
        if calls and calls[-1].index > call.index:
            insort(calls, call, key=_by_index)
        else:
            calls.append(call)
        if len(calls) > MAX_CALLS:
            del calls[0]

    def end(self, track: Track, time: float, *, lost: bool) -> None:
        """The session is over: deleted, or `lost`, when the server does not know its id."""
        session = track.session
        if session.state is not SessionState.ENDED:
            session.state, session.ended_at, track.lost = SessionState.ENDED, time, lost
            self.shelf.finish(session.key)

    def revive(self, track: Track) -> None:
        """The session goes on after all."""
        track.session.state, track.session.ended_at, track.lost = SessionState.OPEN, None, False
        self.shelf.revive(track.session.key)

    def seen(self, track: Track, time: float) -> None:
        """There is traffic in the session."""
        session = track.session
        session.last_seen = time
        if session.state is _IDLE:
            session.state = SessionState.OPEN

    def probe(self, flow: Flow) -> Flow | None:
        """The failed `server/discover` that led to this `initialize`, if that is all its session holds."""
        exchange = flow.exchange
        track = self._probes.pop((exchange.upstream, flow.address, flow.agent), None)
        probe = track.probe if track else None
        if track is None or probe is None or track.session.requests != 1 or probe.track is not track:
            return None
        calls = probe.exchange.calls
        failed = all(call.state not in (CallState.RUNNING, CallState.DONE) for call in calls)
        soon = 0 <= exchange.started - probe.exchange.started <= PROBE_S
        alike = not probe.client or not flow.client or probe.client == flow.client
        signers = good_signer(probe.exchange.verdict), good_signer(exchange.verdict)
        return probe if failed and soon and alike and signers[0] == signers[1] else None

    def idle(self, now: float) -> None:
        """Let silent sessions become idle, and derived ones end."""
        for track in self.shelf.items.values():
            session = track.session
            if session.state is SessionState.ENDED:
                continue
            silence = now - session.last_seen
            if session.state is SessionState.OPEN and silence > IDLE_S:
                session.state = SessionState.IDLE
            if track.owner and silence > GAP_S and track.flows <= 0:
                self.end(track, session.last_seen, lost=False)

    def _derived(self, flow: Flow, verdict: Verdict) -> Track:
        exchange = flow.exchange
        owner = naming.derive(flow, verdict, self._client(flow))
        track = self._newest.get(owner)
        if track is not None:
            last = track.session.last_seen
            ended = track.session.state is _ENDED
            if not ended and (track.flows > 0 or exchange.started - last <= GAP_S):
                return track
            self.end(track, last, lost=False)
        before, base = track, naming.label(owner)
        track = self._make(self._free_key(base), owner[1], flow, proven=True)
        track.owner = owner
        if before is not None:
            track.session.listed_tools |= before.session.listed_tools
        keep(self._newest, owner, track, self._limits.names)
        if len(exchange.calls) == 1 and exchange.calls[0].method == "server/discover":
            track.probe = flow
            keep(self._probes, (exchange.upstream, flow.address, flow.agent), track, MAX_PROBES)
        return track

    def _client(self, flow: Flow) -> str:
        """What the sender calls itself; where this request does not say, what it last did."""
        place = (flow.exchange.upstream, flow.address, flow.agent)
        known = self._clients.get(place, "")
        if flow.client and flow.client != known:
            keep(self._clients, place, flow.client, self._limits.names)
        return flow.client or known

    def _free_key(self, base: str) -> str:
        count = self._counters.get(base, 0) + 1
        while (key := base if count == 1 else f"{base}#{count}") in self.shelf.items:
            count += 1
        keep(self._counters, base, count, self._limits.names)
        return key

    def _make(self, key: str, kind: SessionKind, flow: Flow, *, proven: bool) -> Track:
        exchange = flow.exchange
        started = exchange.started
        session = Session(key, kind, exchange.source, exchange.upstream, exchange.era, started, started)
        track = Track(session, proven)
        gone = self.shelf.put(key, track)
        if gone is not None:
            self._forget(gone)
        self.all[key] = session
        return track

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

    def _remove(self, track: Track) -> None:
        if self.track(track.session.key) is track:
            self.shelf.remove(track.session.key)
            self._forget(track)

    def _forget(self, track: Track) -> None:
        self.all.pop(track.session.key, None)
        if track.owner is not None and self._newest.get(track.owner) is track:
            del self._newest[track.owner]


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
