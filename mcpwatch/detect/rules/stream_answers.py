"""Is the answer whole, the only one, and asked for?"""

from collections.abc import Iterable, Iterator
from itertools import islice

from mcpwatch.detect.phrases import cut, quote, subject_of
from mcpwatch.detect.recent import Recent
from mcpwatch.detect.rule import ANY_CALL, Rule
from mcpwatch.detect.rules.stream_messages import STANDARD
from mcpwatch.detect.strings import said, strings
from mcpwatch.model.alerts import Finding, RuleInfo, Severity
from mcpwatch.model.entries import MASK
from mcpwatch.model.traffic import Call, CallState, Direction, Era, Observation, RpcMessage, SessionKind
from mcpwatch.text import count
from mcpwatch.traffic.correlate import LISTEN
from mcpwatch.traffic.pending import respelled

_TO_CLIENT = Direction.TO_CLIENT
_TO_SERVER = Direction.TO_SERVER
_BREAKS = frozenset({"complete", "upstream-closed"})
"""Ends of an exchange that are the server's doing."""
_OPEN_ENDED = frozenset({CallState.CANCELLED, CallState.TRUNCATED})
"""An answer that comes after these was on its way."""
_EXCHANGES = 2_000
_CALLS = 1_000
_NEWEST = 200
"""Calls of a session that a stray answer is held against."""
_PIECES = 64
_MAX_PIECE = 4_000
_MAX_RESULT = 200_000
_MIN_PIECE = 4
"""Characters; less is in every text or says nothing."""
_OUTPUT = frozenset({"text", "data", "output", "chunk", "content", "delta", "stdout", "stderr"})


class Truncated(Rule):
    """The agent's own hanging up is no fault of the stream, and a subscription ends without an answer."""

    info = RuleInfo(
        id="stream/truncated",
        title="Truncated answer",
        severity=Severity.MEDIUM,
        meaning="The stream ended and the call has no answer. Nobody knows whether it was done.",
        action="Find out at the server what became of the call before anybody repeats it.",
    )
    kinds = ("end",)
    methods = ANY_CALL

    def observe(self, seen: Observation) -> Iterable[Finding]:
        if seen.exchange is None or seen.exchange.outcome not in _BREAKS or not seen.updated:
            return ()
        return self._cut(seen)

    def _cut(self, seen: Observation) -> Iterable[Finding]:
        for call in seen.updated:
            is_cut = call.state is CallState.TRUNCATED and call.last_index == seen.index
            if is_cut and call.direction is _TO_SERVER and call.method != LISTEN:
                name = call.target or call.method
                after = f" after {count(call.messages, 'message')}" if call.messages else ""
                reason = f"The answer to {cut(call.method)} {quote(call.target)} never came; the stream ended{after}."
                subject = f"{name} at {call.upstream}"
                yield self.finding(seen, subject, reason, call.index, seen.index, call=call)


class OutputNotInResult(Rule):
    """Looks at notifications that carry output, which MCP has none of; progress and log lines belong in no result."""

    info = RuleInfo(
        id="stream/output-not-in-result",
        title="Output not in result",
        severity=Severity.LOW,
        meaning="What a call sent while it ran is not in its result. A record of results alone has lost it.",
        action="Read the call's messages as well as its result.",
    )
    kinds = ("message",)
    methods = ANY_CALL

    def __init__(self) -> None:
        self._sent: Recent[tuple[str, str], list[str]] = Recent(_CALLS)

    def observe(self, seen: Observation) -> Iterable[Finding]:
        for message in seen.messages:
            if message.method and message.id is None and message.method not in STANDARD:
                for call in islice(seen.updated, 1):
                    place = (seen.source, call.id)
                    sent = self._sent.get(place) or self._sent.put(place, [])
                    sent.extend(islice(_output(message), _PIECES - len(sent)))
        return self._ended(seen) if self._sent else ()

    def _ended(self, seen: Observation) -> Iterable[Finding]:
        for call in seen.updated:
            pieces = self._sent.pop((seen.source, call.id)) if call.ended is not None else None
            if pieces and call.state is CallState.DONE:
                yield from self._held_against(seen, call, pieces)

    def _held_against(self, seen: Observation, call: Call, pieces: list[str]) -> Iterator[Finding]:
        results = (message.result for message in seen.messages if message.id == call.rpc_id and not message.method)
        result = "".join(each.text for value in results for each in strings(value))[:_MAX_RESULT]
        missing = [piece for piece in pieces if piece not in result and MASK not in piece]
        if missing:
            name = call.target or call.method
            reason = f"{quote(name)} sent {quote(missing[0])} before its answer, and its result does not have it."
            yield self.finding(seen, f"{name} at {call.upstream}", reason, call.index, seen.index, call=call)


class UnrequestedResponse(Rule):
    """Says nothing where the requests are not all known: bodies that were not captured, sessions joined late.

    A server that sends events again for a client that reconnected repeats answers, and that is as it should be.
    """

    info = RuleInfo(
        id="stream/unrequested-response",
        title="Unrequested response",
        severity=Severity.HIGH,
        meaning="A server answers what nobody asked, or the same request twice. "
        "A client that goes by the id alone takes it for the answer to another call.",
        action="See what the answer carries, and whether it fits a request of another session.",
        references=("SAFE-T1103",),
    )
    kinds = ("request", "message")

    def __init__(self) -> None:
        self._unsure: Recent[tuple[str, int], bool] = Recent(_EXCHANGES)
        """Exchanges whose requests are not all known, or that repeat earlier events."""

    def observe(self, seen: Observation) -> Iterable[Finding]:
        if seen.kind == "request":
            if any(message.fault for message in seen.messages) or _resumes(seen):
                self._unsure.put((seen.source, seen.index), True)
            return ()
        found: list[Finding] = []
        taken: set[str] = set()
        for message in seen.messages:
            id = message.id
            if message.method or message.fault or id is None or message.direction is not _TO_CLIENT:
                continue
            for call in seen.updated:
                if _is_of(call, id) and call.id not in taken:
                    taken.add(call.id)
                    break
            else:
                reason = self._why(seen, id)
                if reason:
                    found.append(self.finding(seen, subject_of(seen), reason))
        return found

    def _why(self, seen: Observation, id: str | int) -> str:
        exchange, session = seen.exchange, seen.session
        if exchange is None or (seen.source, exchange.index) in self._unsure:
            return ""
        held = session.calls[-_NEWEST:] if session is not None else []
        known = next((call for call in (*reversed(exchange.calls), *reversed(held)) if _is_of(call, id)), None)
        if known is not None and known.state in _OPEN_ENDED:
            return ""
        if known is not None:
            name = known.target or known.method
            return f"{quote(name)}, entry {known.index}, was answered by then, and another answer to it came."
        is_legacy = exchange.era is not Era.MODERN and session is not None and session.kind is SessionKind.LEGACY
        if session is not None and is_legacy and (session.initialized_at is None or session.call_count > _NEWEST):
            return ""
        return f"An answer came under the id {quote(str(id))}, which no request had."


def _resumes(seen: Observation) -> bool:
    headers = seen.request.headers if seen.request is not None and seen.request.method == "GET" else ()
    return any(name == "last-event-id" for name, _ in headers)


def _is_of(call: Call, id: str | int) -> bool:
    return call.direction is _TO_SERVER and (call.rpc_id == id or call.rpc_id == respelled(id))


def _output(message: RpcMessage) -> Iterator[str]:
    """The pieces of output in a notification."""
    for path, text in said(message):
        piece = text.strip()[:_MAX_PIECE]
        if path is not None and path.step in _OUTPUT and piece != path.step and len(piece) >= _MIN_PIECE:
            yield piece
