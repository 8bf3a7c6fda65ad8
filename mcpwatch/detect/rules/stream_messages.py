"""What comes on a stream beside the answer?"""

from collections.abc import Iterable
from typing import Final, TypeVar

from msgspec.structs import replace

from mcpwatch.detect.characters import smuggled, spell
from mcpwatch.detect.phrases import cut, quote, subject_of, together, upstream_of
from mcpwatch.detect.recent import Recent
from mcpwatch.detect.rule import Rule
from mcpwatch.detect.strings import said
from mcpwatch.model.alerts import Finding, RuleInfo, Severity
from mcpwatch.model.entries import MASK
from mcpwatch.model.traffic import Direction, Era, Observation, RpcMessage, SessionKey, SessionKind
from mcpwatch.secret_kinds import masked_in, secrets_in
from mcpwatch.traffic.claims import fields, meta, token
from mcpwatch.traffic.pending import respelled

K = TypeVar("K")

STANDARD: Final = frozenset(
    f"notifications/{name}"
    for name in (
        "cancelled",
        "elicitation/complete",
        "initialized",
        "message",
        "progress",
        "prompts/list_changed",
        "resources/list_changed",
        "resources/updated",
        "roots/list_changed",
        "subscriptions/acknowledged",
        "tasks",
        "tasks/status",
        "tools/list_changed",
    )
)
"""The notifications of all protocol revisions and of the tasks extension."""

_EVENTS = frozenset({"", "message", "endpoint"})
"""Names of events that clients read; `endpoint` is how the transport of 2024-11-05 begins."""
_BEATS = frozenset({"ping", "heartbeat", "keepalive", "keep-alive"})
_NO_JSON = "not JSON"
"""How the fault begins of what is no JSON-RPC at all."""
_MIN_SECRET = 12
_TOKENS = 1_000
_STREAMS = 10_000


class HiddenChannel(Rule):
    """An extension names its notifications after its domain: low. So is what only keeps a connection alive, and so are
    events of the usual name that are no JSON-RPC, of which nobody can tell which they are."""

    info = RuleInfo(
        id="stream/hidden-channel",
        title="Hidden channel",
        severity=Severity.MEDIUM,
        meaning="A server sends events or notifications that MCP does not know. Client libraries drop them, so nobody "
        "sees them unless a client was made to.",
        action="Read what they carry. Ask the server's author what for.",
    )
    kinds = ("message",)

    def observe(self, seen: Observation) -> Iterable[Finding]:
        odd = [message for message in seen.messages if message.event not in _EVENTS or message.method or message.fault]
        return self._unread(seen, odd) if odd else ()

    def _unread(self, seen: Observation, odd: Iterable[RpcMessage]) -> Iterable[Finding]:
        for message in odd:
            if message.event not in _EVENTS:
                what, is_known = f"Events named {quote(message.event)}", bool(message.fault) and message.event in _BEATS
                named = message.event
            elif message.method and message.id is None and message.method not in STANDARD:
                what, is_known = f"Notifications {quote(message.method)}", "." in message.method
                named = message.method
            elif _is_other(seen, message):
                what, is_known, named = "Events that are no JSON-RPC", True, "other events"
            else:
                continue
            about = f", {cut(message.method)} in it," if message.method and named != message.method else ""
            reason = f"{what} come from {upstream_of(seen)}{about} and clients do not read them."
            found = self.finding(seen, f"{named} at {upstream_of(seen)}", reason)
            yield replace(found, severity=Severity.LOW) if is_known else found


def _is_other(seen: Observation, message: RpcMessage) -> bool:
    """Whether it is an event of a stream that carries something else than the protocol."""
    is_event = seen.exchange is not None and seen.exchange.stream and message.event != "endpoint"
    return is_event and message.captured and message.fault.startswith(_NO_JSON)


class LeakInPartialOutput(Rule):
    """What comes before the answer; the answer itself is the business of chain/secret-in-result."""

    info = RuleInfo(
        id="stream/leak-in-partial-output",
        title="Leak in partial output",
        severity=Severity.HIGH,
        meaning="What a call sends while it runs holds a secret, or words that nobody sees. "
        "Who looks at results only does not see it.",
        action="Replace the secret. Make the tool keep it out of its progress and its log.",
        references=("OWASP MCP01", "SAFE-T1503"),
    )
    kinds = ("message",)

    def observe(self, seen: Observation) -> Iterable[Finding]:
        partial = [message for message in seen.messages if message.method and message.id is None]
        return self._leaked(seen, partial) if partial else ()

    def _leaked(self, seen: Observation, partial: Iterable[RpcMessage]) -> Iterable[Finding]:
        for message in partial:
            if message.direction is not Direction.TO_CLIENT:
                continue
            kinds = list(dict.fromkeys(_leaks(message)))
            if kinds:
                call = next(iter(seen.updated), None)
                name = (call.target or call.method) if call else message.method
                reason = (
                    f"What {quote(name)} sent before its answer, in {cut(message.method)}, holds {together(kinds)}."
                )
                yield self.finding(seen, f"partial output of {name} at {upstream_of(seen)}", reason)


class ProgressWithoutToken(Rule):
    """A session joined late may have given tokens before; one without any is wrong at any time."""

    info = RuleInfo(
        id="stream/progress-without-token",
        title="Unasked progress",
        severity=Severity.MEDIUM,
        meaning="A server reports progress with a token that no request of this session gave, or with none. "
        "A client that trusts it shows one call the words of another.",
        action="See which server sends it. If the token is of another session, the server mixes sessions up.",
        references=("MCP security best practices: session hijacking",),
    )
    kinds = ("request", "message")

    def __init__(self) -> None:
        self._of_exchanges: Recent[tuple[str, int], set[str | int]] = Recent(_STREAMS)
        self._of_sessions: Recent[SessionKey, set[str | int]] = Recent(_STREAMS)
        """Apart from those of exchanges, of which so many come that a quiet session would be forgotten for them."""

    def observe(self, seen: Observation) -> Iterable[Finding]:
        if seen.kind != "request":
            progress = [message for message in seen.messages if message.method == "notifications/progress"]
            return self._without(seen, progress) if progress else ()
        for message in seen.messages:
            if message.id is not None and message.params is not None:
                self._note(seen, message)
        return ()

    def _without(self, seen: Observation, progress: Iterable[RpcMessage]) -> Iterable[Finding]:
        for message in progress:
            if message.direction is not Direction.TO_CLIENT:
                continue
            given = token(fields(message.params).get("progressToken"))
            if str(given).startswith(MASK) or (
                given is not None and (self._is_given(seen, given) or not _is_whole(seen))
            ):
                continue
            with_token = (
                "without a token" if given is None else f"with the token {quote(str(given))}, which nobody gave"
            )
            reason = f"{upstream_of(seen)} sends progress {with_token}."
            yield self.finding(seen, subject_of(seen), reason)

    def _note(self, seen: Observation, message: RpcMessage) -> None:
        given = token(meta(fields(message.params)).get("progressToken"))
        if given is not None and seen.exchange is not None:
            _add(self._of_exchanges, (seen.source, seen.exchange.index), given)
            if seen.session is not None:
                _add(self._of_sessions, (seen.source, seen.session.key), given)

    def _is_given(self, seen: Observation, given: str | int) -> bool:
        """Whether the token is of its exchange or of its session."""
        exchange, session = seen.exchange, seen.session
        here = self._of_exchanges.get((seen.source, exchange.index)) if exchange is not None else None
        there = self._of_sessions.get((seen.source, session.key)) if session is not None else None
        known = [tokens for tokens in (here, there) if tokens is not None]
        return any(given in tokens or respelled(given) in tokens or len(tokens) >= _TOKENS for tokens in known)


def _add(table: Recent[K, set[str | int]], place: K, given: str | int) -> None:
    tokens = table.get(place)
    if tokens is None:
        tokens = table.put(place, set())
    if len(tokens) < _TOKENS:
        tokens.add(given)


def _is_whole(seen: Observation) -> bool:
    """Whether all that was asked for on this stream has been seen."""
    if seen.exchange is None:
        return False
    if seen.exchange.era is Era.MODERN or seen.session is None:
        return True
    return seen.session.kind is not SessionKind.LEGACY or seen.session.initialized_at is not None


def _leaks(message: RpcMessage) -> Iterable[str]:
    for _, text in said(message):
        if len(text) >= _MIN_SECRET:
            yield from (f"a secret ({kind})" for kind in secrets_in(text))
            yield from (f"a secret ({kind}), masked by the gateway" for kind in masked_in(text))
        found = smuggled(text)
        if found:
            yield spell(found)
