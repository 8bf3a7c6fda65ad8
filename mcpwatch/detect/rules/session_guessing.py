"""Does somebody try session ids?"""

import re
from collections.abc import Iterable

from mcpwatch.detect.phrases import cut, host, upstream_of
from mcpwatch.detect.recent import Recent
from mcpwatch.detect.rule import Rule
from mcpwatch.model.alerts import Finding, RuleInfo, Setting, Severity
from mcpwatch.model.traffic import CallState, Exchange, Observation, SessionKind

_PEERS = 2_000
_WAITING = 2_000
_REMEMBERED = 256
"""Ids of one peer."""
_UNKNOWN = frozenset({400, 404})
"""Statuses that servers refuse an id with; the first is not in the specification and common."""
_UNSURE = frozenset({401, 403})
"""These refuse tokens as well, so that the answer has to speak of the session."""
_SESSION = re.compile(r"\bsession\b", re.IGNORECASE)
_REFUSED = frozenset({CallState.DENIED, CallState.RPC_ERROR})


class IdGuessing(Rule):
    """An id that was in use before and is refused now is an old one, which many clients have after a restart."""

    info = RuleInfo(
        id="session/id-guessing",
        title="Guessing session ids",
        severity=Severity.HIGH,
        meaning="One address had many session ids refused within a short time that no session ever had.",
        action="Block the address, and see which of its requests were answered: those found a session.",
        references=("MCP security best practices: session hijacking",),
        settings=(
            Setting("ids", 10, "different ids refused that are a search"),
            Setting("within", 60, "seconds within which they come"),
        ),
    )
    kinds = ("response", "message", "end")

    def __init__(self) -> None:
        self._unsure: Recent[tuple[str, int], str] = Recent(_WAITING)
        """Refused requests of which the status does not say why -> their session."""
        self._refused: Recent[tuple[str, str, str], dict[str, tuple[float, int]]] = Recent(_PEERS)
        """Feed, server and address -> session -> when, and the entry that says so."""

    def observe(self, seen: Observation) -> Iterable[Finding]:
        exchange = seen.exchange
        if exchange is None or not (seen.updated or seen.gone):
            return ()
        key = self._guessed(seen, exchange)
        return self._tried(seen, exchange, key) if key else ()

    def _tried(self, seen: Observation, exchange: Exchange, key: str) -> Iterable[Finding]:
        peer = host(exchange.peer)
        place = (seen.source, exchange.upstream, peer)
        refused = self._refused.get(place) or self._refused.put(place, {})
        refused.pop(key, None)
        refused[key] = (seen.time, seen.index)
        if len(refused) > _REMEMBERED:
            del refused[next(iter(refused))]
        within, ids = self.setting("within"), self.setting("ids")
        recent = [index for time, index in refused.values() if seen.time - time <= within]
        if len(recent) >= ids:
            reason = f"{len(recent)} session ids that no session has were refused to {cut(peer)} within {within:g} s."
            yield self.finding(seen, f"{peer} at {upstream_of(seen)}", reason, *recent)

    def _guessed(self, seen: Observation, exchange: Exchange) -> str:
        """The session that the refused request named, where there is none of that name; else empty."""
        if seen.kind == "response":
            gone = next((each.key for each in seen.gone if each.kind is SessionKind.LEGACY), "") if seen.gone else ""
            if gone and exchange.status in _UNSURE:
                self._unsure.put((seen.source, exchange.index), gone)
            return gone if exchange.status in _UNKNOWN else ""
        for call in seen.updated:
            if call.state in _REFUSED and call.exchange == exchange.index and _SESSION.search(call.error_text):
                unsure = self._unsure.pop((seen.source, exchange.index))
                return unsure or _never_opened(seen)
        return ""


def _never_opened(seen: Observation) -> str:
    """The session of a request that was refused inside of a 2xx, where that is all that is known of it."""
    session = seen.session
    if session is None or session.kind is not SessionKind.LEGACY or session.initialized_at is not None:
        return ""
    return session.key if session.call_count == session.errors else ""
