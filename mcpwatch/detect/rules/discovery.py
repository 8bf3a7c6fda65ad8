"""Who tries what is not theirs?"""

from collections.abc import Iterable

from mcpwatch.detect.callers import caller
from mcpwatch.detect.phrases import host, quote, subject_of, together, who_of
from mcpwatch.detect.recent import Recent
from mcpwatch.detect.refusals import was_denied
from mcpwatch.detect.rule import ANY_CALL, Rule
from mcpwatch.detect.rules.discovery_access import AdminToolByGuest
from mcpwatch.detect.rules.discovery_denied import Bypass, ContextHopping
from mcpwatch.detect.rules.discovery_fetch import LocalFileRead, Ssrf
from mcpwatch.detect.rules.discovery_listing import Enumeration
from mcpwatch.detect.rules.discovery_roles import NoPerRoleFiltering, PrivilegedToolsExposed
from mcpwatch.model.alerts import Finding, RuleInfo, Setting, Severity
from mcpwatch.model.traffic import Call, Observation, Session, SessionKey
from mcpwatch.text import count
from mcpwatch.traffic.tools import MAX_LISTED

_SESSIONS = 10_000
_CLIENTS = 4_000
_TOKEN_REFUSED = 401
"""An expired token fails every call in flight: that is no search for what is open."""
_REMEMBERED = 64
"""Targets a session."""
_NAMED = 3

_Denials = dict[str, tuple[float, int, str]]
"""Target -> when, the entry that says so, the call's id."""


class PermissionProbing(Rule):
    """The same tool denied over and over is a stubborn client; different tools are a search.

    A caller who opens a session for each try, or takes time, is counted over all of its sessions.
    """

    info = RuleInfo(
        id="discovery/permission-probing",
        title="Permission probing",
        severity=Severity.HIGH,
        meaning="A session or a caller was denied several different things. Somebody looks for what is open.",
        action="See which tools were tried and which answered. Stop the agent until its owner explains.",
        references=("OWASP MCP02",),
        settings=(
            Setting("denials", 3, "how many different things have to be denied"),
            Setting("within", 60, "in how many seconds"),
            Setting("spread", 10, "how many, where a caller spreads them over time and sessions"),
            Setting("period", 3_600, "in how many seconds then"),
        ),
    )
    kinds = ("response", "message", "end")
    methods = ANY_CALL

    def __init__(self) -> None:
        self._denied: Recent[SessionKey, _Denials] = Recent(_SESSIONS)
        self._of_clients: Recent[SessionKey, _Denials] = Recent(_CLIENTS)

    def observe(self, seen: Observation) -> Iterable[Finding]:
        denied = [call for call in seen.updated if was_denied(call) and call.status != _TOKEN_REFUSED]
        return self._denied_now(seen, denied) if denied else ()

    def _denied_now(self, seen: Observation, denied: Iterable[Call]) -> Iterable[Finding]:
        for call in denied:
            here, client = call.session or subject_of(seen), _client(seen)
            near = self._different(self._denied, (seen.source, here), seen, call, self.setting("within"))
            if len(near) >= self.setting("denials"):
                yield self._tell(seen, call, subject_of(seen), near, f"{self.setting('within'):.0f} s")
                continue
            far = self._different(self._of_clients, (seen.source, client), seen, call, self.setting("period"))
            if len(far) >= self.setting("spread"):
                yield self._tell(seen, call, client, far, f"{self.setting('period') / 60:.0f} min")

    def _different(
        self, table: Recent[SessionKey, _Denials], place: SessionKey, seen: Observation, call: Call, within: float
    ) -> dict[str, int]:
        """What was denied there by now, each with its entry; nothing where this denial has been counted already."""
        denied = table.get(place) or table.put(place, {})
        last = denied.pop(call.target, None)
        if last and last[2] == call.id:
            denied[call.target] = last
            return {}
        denied[call.target] = (seen.time, seen.index, call.id)
        if len(denied) > _REMEMBERED:
            del denied[next(iter(denied))]
        return {target: at[1] for target, at in denied.items() if seen.time - at[0] <= within}

    def _tell(self, seen: Observation, call: Call, subject: str, denied: dict[str, int], time: str) -> Finding:
        names = [quote(target) for target in list(denied)[-_NAMED:]]
        reason = f"Denied {count(len(denied), 'different target')} within {time}, last {together(names)}."
        return self.finding(seen, subject, reason, *denied.values(), call=call)


def _client(seen: Observation) -> str:
    """The caller and the server, whatever the session: whom a signature or a token names, else address and program."""
    exchange = seen.exchange
    if exchange is None:
        return seen.source
    behind = caller(seen)
    if behind.is_nobody:
        agent = seen.session.user_agent if seen.session is not None else ""
        who = f"{host(exchange.peer)} with {quote(agent)}" if agent else host(exchange.peer)
    elif behind.principal is not None and behind.signer is None and not behind.principal.subject:
        who = f"{host(exchange.peer)} with token {behind.principal.token_hash[:8]}"
    else:
        who = who_of(seen)
    return f"{who} at {exchange.upstream}"


class UnlistedTool(Rule):
    """Says nothing of a session that never listed, since clients keep lists, or listed more than is remembered."""

    info = RuleInfo(
        id="discovery/unlisted-tool",
        title="Unlisted tool called",
        severity=Severity.MEDIUM,
        meaning="The server never offered this tool to this session, and the agent calls it all the same.",
        action="Find out where the agent has the name from: guessed, injected, or from another session.",
    )
    kinds = ("request",)

    def observe(self, seen: Observation) -> Iterable[Finding]:
        session = seen.session
        if session is None or not 0 < len(session.listed_tools) < MAX_LISTED:
            return ()
        return self._unlisted(seen, session)

    def _unlisted(self, seen: Observation, session: Session) -> Iterable[Finding]:
        for call in seen.opened:
            if call.method == "tools/call" and call.target and call.target not in session.listed_tools:
                listed = len(session.listed_tools)
                reason = f"{quote(call.target)} is not among the {count(listed, 'tool')} listed to the session."
                yield self.finding(seen, subject_of(seen), reason, call=call)


DISCOVERY: tuple[type[Rule], ...] = (
    PrivilegedToolsExposed,
    NoPerRoleFiltering,
    Enumeration,
    PermissionProbing,
    Bypass,
    ContextHopping,
    UnlistedTool,
    AdminToolByGuest,
    LocalFileRead,
    Ssrf,
)
