"""Where an exchange belongs: into which session, and what the session's binding makes of its verdict."""

from mcpwatch.model.identity import Signer, Verdict
from mcpwatch.model.traffic import Era, Session, SessionKind
from mcpwatch.traffic.binding import BoundVerdict, bind, rebind, unbind
from mcpwatch.traffic.calls import Calls
from mcpwatch.traffic.exchanges import Exchanges
from mcpwatch.traffic.records import Flow, TrackedSession
from mcpwatch.traffic.sessions import Sessions


class SessionAssigner:
    """Puts exchanges into sessions, takes them out, and moves them when more becomes known."""

    def __init__(self, exchanges: Exchanges, sessions: Sessions, calls: Calls) -> None:
        self._exchanges = exchanges
        self._sessions = sessions
        self._calls = calls

    def place(self, flow: Flow) -> Signer | None:
        """Put an exchange into the session it belongs to; returns its signer where the request came from another."""
        return self._join(self._sessions.find(flow, flow.exchange.verdict), flow)

    def open(self, flow: Flow, session_id: str, index: int) -> tuple[Session, ...]:
        """Put the exchange of an answered `initialize` into its session; returns a session that was only its probe.

        `session_id` is the hash of the id that the answer or else the request carries; empty on a stateless server.
        """
        sessions = self._sessions
        probe, gone = sessions.probe(flow), None
        if session_id:
            tracked = sessions.open(flow, session_id)
            tracked.proven = True
            sessions.revive(tracked)
        else:
            tracked = sessions.find(flow, flow.exchange.verdict)
        if probe is not None and probe.tracked is not tracked:
            gone = self._leave(probe)
            self._join(tracked, probe)
        self._join(tracked, flow)
        tracked.session.era = Era.LEGACY
        if tracked.session.initialized_at is None:
            tracked.session.initialized_at = index
        return () if gone is None else (gone,)

    def refuse(self, flow: Flow) -> tuple[Session, ...]:
        """Take an exchange out of a session that the server does not know; returns it if nothing is left of it."""
        tracked, index = flow.tracked, flow.exchange.index
        gone = self._leave(flow)
        if tracked is not None and tracked.bound.signer is not None and tracked.bound.since == index:
            unbind(tracked, index)
        return () if gone is None else (gone,)

    def rejudge(self, flow: Flow, verdict: Verdict) -> tuple[list[tuple[int, BoundVerdict]], tuple[Session, ...]]:
        """Give a request another verdict.

        Returns the requests it bears on, by index, with what becomes of them, and sessions that are none any more.
        """
        exchange, tracked = flow.exchange, flow.tracked
        if tracked is not None and tracked.session.kind is SessionKind.LEGACY:
            return rebind(tracked, exchange.index, verdict, flow.opening), ()
        self.judge(flow, verdict)
        if tracked is None:
            return [(exchange.index, BoundVerdict(verdict))], ()
        better = self._sessions.find(flow, verdict)
        if better is tracked:
            bind(tracked, exchange.index, verdict, flow.opening)
            return [(exchange.index, BoundVerdict(verdict))], ()
        gone = self._leave(flow)
        rebound = self._join(better, flow)
        better.session.last_seen = max(better.session.last_seen, tracked.session.last_seen)
        if any(call.method == "tools/list" for call in exchange.calls):
            better.session.listed_tools |= tracked.session.listed_tools
        return [(exchange.index, BoundVerdict(exchange.verdict, rebound))], () if gone is None else (gone,)

    def judge(self, flow: Flow, verdict: Verdict) -> None:
        """Write a verdict on a request and on its calls."""
        flow.exchange.verdict = verdict
        for call in flow.exchange.calls:
            self._calls.judge(call, verdict)
        self._sessions.count_signed(flow)

    def _join(self, tracked: TrackedSession, flow: Flow) -> Signer | None:
        exchange = flow.exchange
        outcome = bind(tracked, exchange.index, exchange.verdict, flow.opening)
        if outcome is not None:
            self.judge(flow, outcome.verdict)
        self._sessions.join(tracked, flow)
        self._calls.settle(flow)
        return outcome.rebound if outcome is not None else None

    def _leave(self, flow: Flow) -> Session | None:
        self._calls.unsettle(flow)
        return self._sessions.leave(flow)
