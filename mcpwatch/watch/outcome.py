"""What became of an entry's call or exchange, in a few words and in seconds."""

from typing import Final

from mcpwatch.model.traffic import Call, CallState, Exchange, Observation, RpcMessage
from mcpwatch.watch.times import seconds

NOT_CAPTURED: Final = "not captured"
"""The log carries no more of it than size and digest, or masks too much of it to be read."""

DOUBTFUL: Final = "end not seen"
"""It ran when entries were passed over, and may have ended among them."""


def answers(seen: Observation) -> bool:
    """Whether the entry carries an answer to a JSON-RPC request."""
    return any(not message.method and not message.fault for message in seen.messages)


def duration(seen: Observation, call: Call | None, now: float) -> float | None:
    """Seconds the call or exchange took, or has taken by `now` (gateway's clock); None where that says nothing.

    A request tells of its call while it runs; an answer and an end tell what they ended.
    """
    exchange = seen.exchange
    if seen.kind == "request" and call:
        return max((now if call.ended is None else call.ended) - call.started, 0.0)
    if seen.kind == "message" and call and call.ended is not None and answers(seen):
        return max(call.ended - call.started, 0.0)
    if seen.kind in ("request", "end") and exchange and exchange.ended is not None:
        return max(exchange.ended - exchange.started, 0.0)
    return None


def outcome(seen: Observation, call: Call | None, now: float) -> str:
    """`running 3.2s`, `ok`, `-32601`, `HTTP 401`, `not captured`, ...; empty where nothing is to say."""
    if seen.kind == "message":
        return " ".join(dict.fromkeys(filter(None, map(_of_message, seen.messages[:4]))))
    if seen.kind == "request" and call:
        return of_call(call, now)
    exchange = seen.exchange
    if exchange is None:
        return "" if seen.kind in ("gateway", "alert") else seen.kind
    if seen.kind == "response":
        return _of_status(exchange)
    if seen.kind == "end":
        return exchange.outcome
    if exchange.ended is None:
        return "open" if exchange.status is None or exchange.stream else _of_status(exchange)
    if exchange.outcome not in ("", "complete"):
        return exchange.outcome
    hidden = any(not message.captured for message in seen.messages)
    return NOT_CAPTURED if hidden and (exchange.status or 0) < 400 else _of_status(exchange)


def of_call(call: Call, now: float) -> str:
    """What became of a call, or how it stands at `now` (gateway's clock)."""
    match call.state:
        case CallState.RUNNING if call.is_doubtful:
            return DOUBTFUL
        case CallState.RUNNING:
            return f"running {seconds(max(now - call.started, 0.0))}{_progress(call.progress, call.progress_total)}"
        case CallState.DONE:
            return "ok" if call.captured else NOT_CAPTURED
        case CallState.RPC_ERROR if call.error_code is not None:
            return str(call.error_code)
        case CallState.HTTP_ERROR if call.status is not None:
            return f"HTTP {call.status}"
    return call.state.value


def _of_message(message: RpcMessage) -> str:
    if message.fault:
        return "not JSON-RPC" if message.captured else NOT_CAPTURED
    if message.method:
        params = message.params if isinstance(message.params, dict) else {}
        return _progress(params.get("progress"), params.get("total")).strip()
    if message.error is not None:
        code = message.error.get("code") if isinstance(message.error, dict) else None
        return str(code) if isinstance(code, int) else "error"
    result = message.result if isinstance(message.result, dict) else {}
    if result.get("isError") is True:
        return CallState.TOOL_ERROR.value
    return CallState.INPUT_REQUIRED.value if result.get("resultType") == "input_required" else "ok"


def _of_status(exchange: Exchange) -> str:
    return f"HTTP {exchange.status}" if exchange.status is not None else ""


def _progress(done: object, total: object) -> str:
    part, whole = _number(done), _number(total)
    if part is None:
        return ""
    if whole is not None and whole > 0:
        return f" {min(max(part / whole, 0.0), 1.0):.0%}"
    return f" {part:g}"


def _number(value: object) -> float | None:
    try:
        return float(value) if isinstance(value, int | float) else None
    except OverflowError:
        return None
