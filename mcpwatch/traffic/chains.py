"""Chains: which call led to which, and how we know.

Traced: the W3C Trace Context that the client sends, as a header or in `_meta` (SEP-414). Protocol: an
`input_required` answer repeated with its `requestState`, a task asked for by its id, a subscription, a request
the server makes while it works on a call. Inferred: what begins soon after an answer in the same session; a
guess, and called one. Signed: what proven receipts say, in `receipts`. Data flow: a value that one call gave and the
other takes, in `dataflow`.

A parent is always a call that was opened before, so there are no cycles.
"""

import re
from collections import OrderedDict
from collections.abc import Mapping
from hashlib import blake2b
from typing import Final

from mcpwatch.bounded import keep
from mcpwatch.model.entries import Json
from mcpwatch.model.traffic import Call, CallState, DataFlow, Direction, Edge, EdgeKind
from mcpwatch.traffic.claims import RELATED_TASK, SUBSCRIPTION, Said, fields, token
from mcpwatch.traffic.correlate import LISTEN
from mcpwatch.traffic.dataflow import DataFlows, why
from mcpwatch.traffic.receipts import Receipts
from mcpwatch.traffic.records import Flow, TrackedSession

SOON_S: Final = 30.0
"""The longest pause that still lets us guess that one call led to the next, seconds."""

BY_TIME: Final = frozenset({"tools/call", "resources/read", "prompts/get"})
"""Methods that chain by time."""

_INFERRED = EdgeKind.INFERRED
_GUESS = tuple(f"a guess: it began {tenths / 10:.1f} s after the answer" for tenths in range(int(SOON_S * 10) + 1))
_STRENGTH = {kind: place for place, kind in enumerate(EdgeKind)}
_TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-[0-9a-f]{2}(?:-.*)?")


def join(call: Call, edge: Edge) -> bool:
    """Add an edge to a call, in place of a weaker one to the same parent; False where it adds nothing."""
    if edge.parent == call.id:
        return False
    if not call.parents:
        call.parents = (edge,)
        return True
    for place, known in enumerate(call.parents):
        if known.parent == edge.parent:
            if _STRENGTH[known.kind] <= _STRENGTH[edge.kind]:
                return False
            call.parents = (*call.parents[:place], edge, *call.parents[place + 1 :])
            return True
    call.parents = (*call.parents, edge)
    return True


class Chains:
    """What may lead to a later call, over all sessions of one feed; each table is bounded."""

    def __init__(self, limit: int, values: int) -> None:
        self._limit = limit
        self._traces: OrderedDict[str, str] = OrderedDict()
        """Trace id to the newest call in it."""
        self._spans: OrderedDict[tuple[str, str], str] = OrderedDict()
        """Trace id and parent-id to the newest call that carried them."""
        self._states: OrderedDict[tuple[str, bytes], str] = OrderedDict()
        """Upstream and digest of a requestState to the call whose answer gave it."""
        self._tasks: OrderedDict[tuple[str, str], str] = OrderedDict()
        """Upstream and task id to the call that began the task."""
        self._receipts = Receipts(limit)
        self.flows = DataFlows(values)

    def opened(self, call: Call, said: Said, traceparent: str, tracked: TrackedSession | None) -> None:
        """Find what led to a request of the client, by all that it carries; `traceparent` is the header's."""
        traceparent = said.traceparent or traceparent
        if traceparent:
            self._trace(call, traceparent)
        self._protocol(call, said.params, said.meta, tracked)
        flows = self.flows.asked(call, said.params, tracked.session.principal if tracked is not None else None)
        if flows:
            _flow(call, flows)
        if not call.parents and tracked is not None and call.method in BY_TIME:
            _infer(call, tracked.answered)
        self._receipts.judged(call)

    def judged(self, call: Call) -> None:
        """Take note of another verdict on a call."""
        self._receipts.judged(call)
        flows = self.flows.judged(call)
        if flows != call.flows:
            _flow(call, flows)

    def asked(self, call: Call, flow: Flow) -> None:
        """Join a request of the server to the call it is made for, where there is but one it can be."""
        working = [other for other in flow.exchange.calls if other.ended is None]
        if len(working) == 1:
            join(call, Edge(EdgeKind.PROTOCOL, working[0].id, f"the server asked for {call.method} while it worked"))

    def told(self, call: Call, payload: Json, tracked: TrackedSession | None) -> None:
        """Take in what the server says on a call of the client, in the end or on the way."""
        self.flows.told(call, payload, tracked.session.principal if tracked is not None else None)

    def answered(self, call: Call, result: Mapping[str, Json], tracked: TrackedSession | None) -> None:
        """Remember what the answer gives the client to come back with."""
        if tracked is not None and call.method in BY_TIME:
            tracked.answered = call
        state = result.get("requestState")
        if type(state) is str:
            keep(self._states, (call.upstream, _digest(state)), call.id, self._limit)
        task = result.get("taskId") or fields(result.get("task")).get("taskId")
        if type(task) is str and not call.method.startswith("tasks/"):
            keep(self._tasks, (call.upstream, task), call.id, self._limit)

    def _trace(self, call: Call, traceparent: str) -> None:
        match = _TRACEPARENT.fullmatch(traceparent)
        if match is None:
            return
        trace, span = match.groups()
        if parent := self._spans.get((trace, span)):
            join(call, Edge(EdgeKind.TRACED, parent, f"both carry span {span}"))
        elif parent := self._traces.get(trace):
            join(call, Edge(EdgeKind.TRACED, parent, f"the call before in trace {trace}"))
        keep(self._spans, (trace, span), call.id, self._limit)
        keep(self._traces, trace, call.id, self._limit)

    def _protocol(
        self, call: Call, params: Mapping[str, Json], said: Mapping[str, Json], tracked: TrackedSession | None
    ) -> None:
        state = params.get("requestState")
        if type(state) is str:
            if parent := self._states.get((call.upstream, _digest(state))):
                join(call, Edge(EdgeKind.PROTOCOL, parent, "repeats it with the same requestState"))
        elif "inputResponses" in params and tracked is not None and (asking := tracked.answered) is not None:
            same = (asking.method, asking.target) == (call.method, call.target)
            if same and asking.state is CallState.INPUT_REQUIRED:
                join(call, Edge(EdgeKind.PROTOCOL, asking.id, "brings the input that it asked for"))
        task = params.get("taskId")
        if RELATED_TASK in said:
            task = task or fields(said[RELATED_TASK]).get("taskId")
        if type(task) is str and (parent := self._tasks.get((call.upstream, task))):
            join(call, Edge(EdgeKind.PROTOCOL, parent, "is about the task that it began"))
        if SUBSCRIPTION in said and tracked is not None:
            subscription = token(said[SUBSCRIPTION])
            for listening in (
                tracked.pending.find(Direction.TO_SERVER, subscription) if subscription is not None else ()
            ):
                if listening.method == LISTEN:
                    join(call, Edge(EdgeKind.PROTOCOL, listening.id, "names its subscription"))


def _flow(call: Call, flows: tuple[DataFlow, ...]) -> None:
    """Put the flows into a call, with an edge for each call they come from; a guess is then not called for."""
    call.flows = flows
    call.parents = tuple(edge for edge in call.parents if edge.kind is not _INFERRED)
    for flow in flows:
        join(call, Edge(EdgeKind.DATA_FLOW, flow.parent, why(flow)))


def _infer(call: Call, before: Call | None) -> None:
    if before is None or before.ended is None:
        return
    pause = call.started - before.ended
    if 0 <= pause <= SOON_S:
        join(call, Edge(_INFERRED, before.id, _GUESS[int(pause * 10)]))


def _digest(state: str) -> bytes:
    return blake2b(state.encode("utf-8", "surrogatepass"), digest_size=16).digest()
