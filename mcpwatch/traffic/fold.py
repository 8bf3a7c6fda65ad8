"""The fold: one entry in, what it turned out to mean out.

Pure: time is the entries' own, keys are judged elsewhere, and nothing that arrives raises.
"""

from collections import OrderedDict, deque
from collections.abc import Sequence

from msgspec.structs import replace

from mcpwatch.bounded import keep
from mcpwatch.model.entries import (
    AlertActed,
    End,
    Entry,
    GatewayStarted,
    GatewayStopped,
    Message,
    Request,
    Response,
)
from mcpwatch.model.identity import Verdict
from mcpwatch.model.tools import DefinitionPins, Tool
from mcpwatch.model.traffic import Call, Exchange, Observation, Session
from mcpwatch.traffic.assignment import SessionAssigner
from mcpwatch.traffic.binding import BoundVerdict, unbind
from mcpwatch.traffic.calls import Calls
from mcpwatch.traffic.chains import Chains
from mcpwatch.traffic.exchanges import Exchanges
from mcpwatch.traffic.messages import Messages
from mcpwatch.traffic.records import Limits
from mcpwatch.traffic.requests import Requests
from mcpwatch.traffic.responses import Responses
from mcpwatch.traffic.sessions import Sessions
from mcpwatch.traffic.tools import Tools


class Traffic:
    """The traffic of one feed. `source` prefixes call ids where there are several feeds.

    `pins` are definitions of tools that were trusted before; whoever passes them may add to them, and `repin`s.
    """

    def __init__(self, source: str = "", limits: Limits | None = None, pins: DefinitionPins | None = None) -> None:
        limits = limits or Limits()
        self._limits = limits
        self._tools = Tools(limits.tools, limits.digests, {} if pins is None else pins)
        self._chains = Chains(limits.names, limits.values)
        self._exchanges = Exchanges(limits.exchanges)
        self._sessions = Sessions(limits)
        prefix = f"{source}:" if source else ""
        self._calls = Calls(limits.calls, prefix, self._exchanges, self._sessions, self._chains, self._tools)
        self._assigner = SessionAssigner(self._exchanges, self._sessions, self._calls)
        messages = Messages(self._sessions, self._calls, self._tools)
        rooms = (self._exchanges, self._sessions, self._calls, self._assigner, messages)
        self._requests = Requests(*rooms)
        self._responses = Responses(*rooms)
        self._held: OrderedDict[int, Observation] = OrderedDict()
        """Requests that may be judged again, as they were observed."""
        self._alive = 0.0
        """When the gateway is known to have run last, by its own clock."""
        self._revised: deque[Observation] = deque(maxlen=limits.waiting)

    @property
    def exchanges(self) -> dict[int, Exchange]:
        """Open exchanges and the newest finished ones, by the index of the request."""
        return self._exchanges.all

    @property
    def calls(self) -> dict[str, Call]:
        """Calls by id."""
        return self._calls.table.items

    @property
    def sessions(self) -> dict[str, Session]:
        """Sessions by key."""
        return self._sessions.all

    @property
    def tools(self) -> dict[tuple[str, str], Tool]:
        """Tools by upstream and name."""
        return self._tools.all

    def trusted(self) -> Sequence[Tool]:
        """Tools that were trusted on first use since this was asked last."""
        return self._tools.trusted()

    def repin(self, upstream: str, name: str) -> None:
        """Take note that the pins say more of a tool than before."""
        self._tools.repin(upstream, name)

    @property
    def evicted(self) -> dict[str, int]:
        """How many of each had to go to stay within the limits."""
        return {
            "exchanges": self._exchanges.table.evicted,
            "calls": self._calls.table.evicted,
            "sessions": self._sessions.table.evicted,
            "tools": self._tools.evicted,
        }

    def apply(self, entry: Entry, verdict: Verdict | None = None) -> Observation:
        """Take in an entry, in the order of the log; `verdict` is that of a request."""
        record = entry.record
        if record is None:
            return Observation(entry.index, entry.source, entry.received, "malformed", note=entry.fault)
        time = record.time.timestamp()
        alive, self._alive = self._alive, time
        begun: GatewayStarted | None = None
        match record.data:
            case Request() as request:
                return self._hold(self._requests.take(entry, request, time, verdict))
            case Response() as response:
                return self._responses.head(entry, response, time)
            case Message() as message:
                return self._responses.message(entry, message, time)
            case End() as end:
                return self._responses.end(entry, end, time)
            case GatewayStarted() as started:
                names = ", ".join(upstream.name for upstream in started.upstreams)
                note = f"gateway {started.version} started before {names}; capture {_captures(started)}"
                begun = started
            case GatewayStopped() as stopped:
                note, alive = f"gateway stopped: {stopped.reason}", time
            case AlertActed() as acted:
                note = f"alert {acted.alert} {acted.kind} by {acted.author}: {acted.note}"
                return Observation(entry.index, entry.source, time, "alert", note=note)
        ended = self._responses.restart(entry, alive)
        return Observation(entry.index, entry.source, time, "gateway", updated=ended, note=note, started=begun)

    def overlook(self) -> tuple[Call, ...]:
        """Entries were passed over, so open calls may have ended among them; returns those."""
        return tuple(self._calls.doubt())

    def rejudge(self, index: int, verdict: Verdict, seen: Observation | None = None) -> Observation | None:
        """Put another verdict on a request, as if it had been given at first; None when it is no longer held.

        `seen` is the request as it was observed, without which only those are held that waited for a key.
        Where that changes what later requests of the session are worth, `revised` has them.
        """
        flow = self._exchanges.get(index)
        if flow is None or (seen is None and index not in self._held):
            return None
        if seen is not None:
            self._held.setdefault(index, seen)
        outcomes, gone = self._assigner.rejudge(flow, verdict)
        asked: Observation | None = None
        for other, outcome in outcomes:
            seen, is_changed = self._revise(other, outcome)
            if seen is None:
                continue
            if other == index:
                asked = replace(seen, gone=gone)
            elif is_changed:
                self._revised.append(seen)
        return asked

    def unbind(self, session: str, since: int) -> None:
        """Forget whom a session is bound to, if that rests on requests from `since` on; they are to be judged again."""
        tracked = self._sessions.table.items.get(session)
        if tracked is not None:
            unbind(tracked, since)

    def revised(self) -> tuple[Observation, ...]:
        """Requests that `rejudge` gave another verdict along with the one it was asked for; each comes once."""
        revised = tuple(self._revised)
        self._revised.clear()
        return revised

    def tick(self, now: float) -> tuple[Call, ...]:
        """Let time pass where no entry tells of it; `now` is the gateway's time. Returns calls that ended with it."""
        ended: list[Call] = []
        for tracked in list(self._sessions.table.items.values()):
            if tracked.detached:
                ended += self._calls.give_up_overdue(tracked, now)
        self._sessions.idle(now)
        return tuple(ended)

    def _revise(self, index: int, outcome: BoundVerdict) -> tuple[Observation | None, bool]:
        """What a request is worth under its new verdict, if it is still held, and whether that changed."""
        flow, seen = self._exchanges.get(index), self._held.pop(index, None)
        if flow is None:
            return None, False
        is_changed = flow.exchange.verdict != outcome.verdict
        if is_changed:
            self._assigner.judge(flow, outcome.verdict)
        if seen is None:
            return None, False
        session = flow.tracked.session if flow.tracked is not None else None
        seen = replace(seen, session=session, verdict=outcome.verdict, rebound=outcome.rebound, rejudged=True)
        self._hold(seen)
        return seen, is_changed

    def _hold(self, seen: Observation) -> Observation:
        """Keep a request that waits for a key, or that comes after one in the same session."""
        flow = self._exchanges.get(seen.index)
        waits = seen.verdict is not None and seen.verdict.waiting
        if flow is not None and (waits or (flow.tracked is not None and flow.tracked.history)):
            keep(self._held, seen.index, seen, self._limits.waiting)
        return seen


def _captures(started: GatewayStarted) -> str:
    """How much of bodies enters the log, and of the calls of single tools."""
    tools = (f"{one.tool}@{one.server or '*'}: {one.capture}" for one in started.tools)
    return ", ".join((started.capture, *tools))
