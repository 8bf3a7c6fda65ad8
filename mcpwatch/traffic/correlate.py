"""Which call a message belongs to.

JSON-RPC ids start at 1 in every client, some clients use 1 for everything, the two directions count apart, and
the answer to a POST may come on a later GET. So the exchange's own calls come first, then the open calls of the
same session and direction; an id alone never decides.
"""

from collections.abc import Iterable

from mcpwatch.model.traffic import Call, Direction, RpcMessage
from mcpwatch.traffic.claims import SUBSCRIPTION, fields, meta, token
from mcpwatch.traffic.pending import Key, respelled
from mcpwatch.traffic.records import Flow

_TO_SERVER = Direction.TO_SERVER
OTHER = {Direction.TO_SERVER: Direction.TO_CLIENT, Direction.TO_CLIENT: Direction.TO_SERVER}
LISTEN = "subscriptions/listen"


def answered_by(flow: Flow, message: RpcMessage) -> Call | None:
    """The call that an answer answers; it may have ended already."""
    id, direction = message.id, OTHER[message.direction]
    own = flow.exchange.calls if direction is _TO_SERVER else ()
    if id is None:
        return _only_open(own)
    named = [call for call in own if call.rpc_id == id] or _respelled(own, id)
    for call in named:
        if call.ended is None:
            return call
    if flow.tracked is not None and (calls := flow.tracked.pending.find(direction, id)):
        # An answer that strays from its own stream belongs to a call whose stream is gone, if there is one.
        return next((call for call in calls if call.id in flow.tracked.detached), calls[0])
    return named[0] if named else None


def noted_by(flow: Flow, message: RpcMessage) -> Call | None:
    """The open call that a notification, or anything else before the answer, tells of."""
    params = fields(message.params)
    own = flow.exchange.calls if message.direction is Direction.TO_CLIENT else ()
    direction = OTHER[message.direction]
    if message.method == "notifications/progress":
        progress = token(params.get("progressToken"))
        if progress is not None and flow.tracked is not None:
            calls = flow.tracked.tokens.find(direction, progress)
            if calls:
                return _of_exchange(calls, flow.exchange.index) or calls[-1]
    subscription = token(meta(params).get(SUBSCRIPTION))
    if subscription is not None:
        for call in own:
            if call.rpc_id == subscription and call.ended is None:
                return call
    return _only_open(own)


def cancelled_by(flow: Flow, message: RpcMessage) -> Call | None:
    """The open call that `notifications/cancelled` cancels, the newest of those with that id."""
    id = token(fields(message.params).get("requestId"))
    if id is None:
        return None
    if flow.tracked is not None and (calls := flow.tracked.pending.find(message.direction, id)):
        return calls[-1]
    if message.direction is Direction.TO_CLIENT:
        for call in flow.exchange.calls:
            if call.method == LISTEN and call.rpc_id == id and call.ended is None:
                return call
    return None


def _only_open(calls: Iterable[Call]) -> Call | None:
    running = [call for call in calls if call.ended is None]
    return running[0] if len(running) == 1 else None


def _respelled(calls: Iterable[Call], id: Key) -> list[Call]:
    other = respelled(id)
    return [] if other is None else [call for call in calls if call.rpc_id == other]


def _of_exchange(calls: Iterable[Call], exchange: int) -> Call | None:
    return next((call for call in calls if call.exchange == exchange), None)
