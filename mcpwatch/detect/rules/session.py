"""Whose session is it?"""

from collections.abc import Iterable

from mcpwatch.detect.baseline import Baseline
from mcpwatch.detect.phrases import cut, host, quote, subject_of
from mcpwatch.detect.recent import Recent
from mcpwatch.detect.rule import Rule
from mcpwatch.model.alerts import Finding, RuleInfo, Severity
from mcpwatch.model.entries import Json, Principal, Request
from mcpwatch.model.identity import SignatureState
from mcpwatch.model.traffic import CallState, Observation, SessionKey, SessionKind

_SESSIONS = 10_000
_OPENING = 2_000
_ANSWERED = frozenset({CallState.DONE, CallState.TOOL_ERROR, CallState.INPUT_REQUIRED})


class Anonymous(Rule):
    info = RuleInfo(
        id="session/anonymous",
        title="Anonymous session",
        severity=Severity.MEDIUM,
        meaning="A server opened a session for a client that showed neither a signature nor a token.",
        action="If the server is meant for everybody, acknowledge this. If not, let it ask for a token.",
        references=("OWASP MCP07",),
    )
    kinds = ("request", "message")

    def __init__(self) -> None:
        self._opening: Recent[str, str] = Recent(_OPENING)

    def observe(self, seen: Observation) -> Iterable[Finding]:
        if seen.request and seen.request.principal is None:
            for call in seen.opened:
                if call.method == "initialize" and call.verdict.signature is SignatureState.ABSENT:
                    self._opening.put(call.id, _claim(seen))
        for call in seen.updated:
            if call.method == "initialize" and call.ended is not None:
                client = self._opening.pop(call.id)
                if client and call.state is CallState.DONE and 200 <= (call.status or 200) < 300:
                    reason = f"{cut(call.upstream)} opened a session for {client} without a signature or a token."
                    subject = f"{client} at {call.upstream}"
                    yield self.finding(seen, subject, reason, call.index, seen.index, call=call)


class Shared(Rule):
    info = RuleInfo(
        id="session/shared",
        title="Session shared",
        severity=Severity.HIGH,
        meaning="Another address or another program uses the id of a running session. A stolen id looks like this.",
        action="Check whether the client moved. If not, end the session and look for the leak.",
        references=("MCP security best practices: session hijacking",),
    )
    kinds = ("request", "message")

    def __init__(self) -> None:
        self._homes = Baseline(_place, _SESSIONS)

    def observe(self, seen: Observation) -> Iterable[Finding]:
        found = self._homes.compare(seen)
        if found is None or found.first == found.value:
            return
        (address, agent), (other_address, other_agent) = found.first, found.value
        differences = []
        if address != other_address:
            differences.append(f"from {cut(address)}, now from {cut(other_address)}")
        if agent != other_agent:
            differences.append(f"with {_agent(agent)}, now with {_agent(other_agent)}")
        reason = f"The session came {' and '.join(differences)}."
        yield self.finding(seen, subject_of(seen), reason, found.since, seen.index)


class TokenSubjectChanged(Rule):
    """A refreshed token of the same subject is the normal thing; of opaque tokens only the scheme can be compared."""

    info = RuleInfo(
        id="session/token-subject-changed",
        title="Token changed in session",
        severity=Severity.HIGH,
        meaning="The token in a running session is of somebody else, or is gone, and the session goes on.",
        action="Find out whether the server still checks the token after the first request. End the session.",
    )
    kinds = ("request", "message")

    def __init__(self) -> None:
        self._owners = Baseline(_principal, _SESSIONS)

    def observe(self, seen: Observation) -> Iterable[Finding]:
        found = self._owners.compare(seen)
        if found is None:
            return
        (owner,), (other,) = found.first, found.value
        if other and (owner is None or (_identified(other) and not _identified(owner))):
            self._owners.learn(found)
        elif owner and not _same_owner(owner, other):
            reason = f"The session came with {_owner(owner)}, now with {_owner(other)}."
            yield self.finding(seen, subject_of(seen), reason, found.since, seen.index)


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
        session, exchange = seen.session, seen.exchange
        if session is None or exchange is None or session.kind is not SessionKind.LEGACY:
            return
        place = (seen.source, session.key)
        done = [call for call in seen.updated if call.state in _ANSWERED]
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


def _place(request: Request) -> tuple[str, str]:
    """Address and user agent."""
    agents = [value for name, value in request.headers if name == "user-agent"]
    return host(request.peer), agents[0] if agents else ""


def _principal(request: Request) -> tuple[Principal | None]:
    return (request.principal,)


def _identified(principal: Principal) -> bool:
    return bool(principal.issuer or principal.subject)


def _same_owner(owner: Principal, other: Principal | None) -> bool:
    if other is None:
        return False
    if _identified(owner):
        return (owner.issuer, owner.subject) == (other.issuer, other.subject)
    return owner.scheme == other.scheme


def _agent(agent: str) -> str:
    return quote(agent) if agent else "no user agent"


def _owner(principal: Principal | None) -> str:
    if principal is None:
        return "no token"
    if not _identified(principal):
        return f"an opaque {cut(principal.scheme)} token"
    issuer = f" of {cut(principal.issuer)}" if principal.issuer else ""
    return f"the token of {quote(principal.subject)}{issuer}"


SESSION: tuple[type[Rule], ...] = (Anonymous, Shared, TokenSubjectChanged, UsedAfterDelete)
