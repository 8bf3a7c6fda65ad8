"""Whose session is it?"""

from collections.abc import Iterable

from msgspec.structs import replace

from mcpwatch.detect.credentials import unread
from mcpwatch.detect.phrases import cut, quote, some, subject_of
from mcpwatch.detect.recent import Recent
from mcpwatch.detect.rule import Rule
from mcpwatch.detect.rules.session_guessing import IdGuessing
from mcpwatch.detect.rules.session_ids import IdCollision, IdLeaked, ReInitialised, WeakId
from mcpwatch.detect.rules.session_tokens import ANSWERED, OutlivesToken, Unbound, UnsignedToken
from mcpwatch.detect.rules.takeover import Shared, TokenSubjectChanged
from mcpwatch.model.alerts import Finding, RuleInfo, Severity
from mcpwatch.model.entries import Json
from mcpwatch.model.identity import SignatureState
from mcpwatch.model.traffic import Call, CallState, Exchange, Observation, SessionKey, SessionKind
from mcpwatch.policy.terms import Signatures

_SESSIONS = 10_000
_OPENING = 2_000


class Anonymous(Rule):
    """Nothing where the policy wants no signatures of the server's callers: it is meant for everybody.

    Low where the client brings a cookie, an API key or the like, which the log does not show.
    """

    info = RuleInfo(
        id="session/anonymous",
        title="Anonymous session",
        severity=Severity.MEDIUM,
        meaning="A server opened a session for a client that showed neither a signature nor a token.",
        action="If the server is meant for everybody, let the policy want no signatures there. "
        "If not, let it ask for a token.",
        references=("OWASP MCP07",),
    )
    kinds = ("request", "message")
    methods = frozenset({"initialize"})

    def __init__(self) -> None:
        self._opening: Recent[str, tuple[str, tuple[str, ...]]] = Recent(_OPENING)
        """Handshakes -> what the client says it is, and what it brings that nobody can read."""

    def observe(self, seen: Observation) -> Iterable[Finding]:
        if seen.request is not None and seen.request.principal is None:
            for call in seen.opened:
                if call.method == "initialize" and call.verdict.signature is SignatureState.ABSENT:
                    self._opening.put(call.id, (_claim(seen), unread(seen.request)))
        return self._answered(seen) if seen.updated else ()

    def _answered(self, seen: Observation) -> Iterable[Finding]:
        for call in seen.updated:
            if call.method == "initialize" and call.ended is not None:
                opened = self._opening.pop(call.id)
                is_open = self.policy.terms(call.upstream).signatures is Signatures.OFF
                if opened and not is_open and call.state is CallState.DONE and 200 <= (call.status or 200) < 300:
                    yield self._tell(seen, call, *opened)

    def _tell(self, seen: Observation, call: Call, client: str, doubts: tuple[str, ...]) -> Finding:
        reason = f"{cut(call.upstream)} opened a session for {client} without a signature or a token."
        if doubts:
            reason += f" It came with {some(doubts)}, which may say who called and cannot be checked here."
        found = self.finding(seen, f"{client} at {call.upstream}", reason, call.index, seen.index, call=call)
        return replace(found, severity=Severity.LOW) if doubts else found


class UsedAfterDelete(Rule):
    """Counts from the entry that answers the DELETE: what was under way when it came is no use after the end."""

    info = RuleInfo(
        id="session/used-after-delete",
        title="Used after its end",
        severity=Severity.HIGH,
        meaning="The client ended its session, and the server still answers to the id.",
        action="Report it to the server's maintainers. Who has the id can go on using the session.",
    )
    kinds = ("response", "message")

    def __init__(self) -> None:
        self._ended: Recent[SessionKey, int] = Recent(_SESSIONS)

    def observe(self, seen: Observation) -> Iterable[Finding]:
        exchange = seen.exchange
        if exchange is None or not (self._ended or exchange.method == "DELETE"):
            return ()
        return self._after(seen, exchange)

    def _after(self, seen: Observation, exchange: Exchange) -> Iterable[Finding]:
        session = seen.session
        if session is None or session.kind is not SessionKind.LEGACY:
            return
        place = (seen.source, session.key)
        done = [call for call in seen.updated if call.state in ANSWERED]
        if any(call.method == "initialize" for call in done):
            self._ended.pop(place)
            return
        good = seen.kind == "response" and 200 <= (exchange.status or 0) < 300
        if exchange.method == "DELETE":
            if good and place not in self._ended:
                self._ended.put(place, seen.index)
            return
        ended = self._ended.get(place)
        if ended is None:
            return
        for call in done:
            if call.index > ended:
                reason = f"The session was ended at entry {ended}, and {cut(call.method)} was answered after that."
                yield self.finding(seen, subject_of(seen), reason, ended, call.index, seen.index, call=call)
        if good and exchange.index > ended and not exchange.calls:
            reason = f"The session was ended at entry {ended}, and {exchange.method} got {exchange.status} after that."
            yield self.finding(seen, subject_of(seen), reason, ended, exchange.index, seen.index)


def _claim(seen: Observation) -> str:
    """What the client says it is."""
    for message in seen.messages:
        params: Json = message.params
        info = params.get("clientInfo") if message.method == "initialize" and isinstance(params, dict) else None
        if isinstance(info, dict) and isinstance(info.get("name"), str):
            version = info.get("version")
            return quote(f"{info['name']} {version}" if isinstance(version, str) else info["name"])
    return "a client without a name"


SESSION: tuple[type[Rule], ...] = (
    Anonymous,
    Unbound,
    Shared,
    TokenSubjectChanged,
    WeakId,
    IdCollision,
    IdGuessing,
    IdLeaked,
    ReInitialised,
    UsedAfterDelete,
    OutlivesToken,
    UnsignedToken,
)
