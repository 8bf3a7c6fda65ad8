"""Who tries what is not theirs?"""

from collections.abc import Iterable

from mcpwatch.detect.phrases import quote, subject_of, together
from mcpwatch.detect.recent import Recent
from mcpwatch.detect.refusals import was_denied
from mcpwatch.detect.rule import Rule
from mcpwatch.detect.rules.discovery_access import AdminToolByGuest
from mcpwatch.detect.rules.discovery_denied import Bypass, ContextHopping
from mcpwatch.detect.rules.discovery_fetch import LocalFileRead, Ssrf
from mcpwatch.detect.rules.discovery_listing import Enumeration
from mcpwatch.detect.rules.discovery_roles import NoPerRoleFiltering, PrivilegedToolsExposed
from mcpwatch.model.alerts import Finding, RuleInfo, Setting, Severity
from mcpwatch.model.traffic import Observation, SessionKey
from mcpwatch.text import count
from mcpwatch.traffic.tools import MAX_LISTED

_SESSIONS = 10_000
_TOKEN_REFUSED = 401
"""An expired token fails every call in flight: that is no search for what is open."""
_REMEMBERED = 64
"""Targets a session."""
_NAMED = 3

_Denials = dict[str, tuple[float, int, str]]
"""Target -> when, the entry that says so, the call's id."""


class PermissionProbing(Rule):
    """The same tool denied over and over is a stubborn client; different tools are a search."""

    info = RuleInfo(
        id="discovery/permission-probing",
        title="Permission probing",
        severity=Severity.HIGH,
        meaning="In a short time a session was denied several different tools. Somebody looks for what is open.",
        action="See which tools were tried and which answered. Stop the agent until its owner explains.",
        references=("OWASP MCP02",),
        settings=(
            Setting("denials", 3, "how many different things have to be denied"),
            Setting("within", 60, "in how many seconds"),
        ),
    )
    kinds = ("response", "message", "end")

    def __init__(self) -> None:
        self._denied: Recent[SessionKey, _Denials] = Recent(_SESSIONS)

    def observe(self, seen: Observation) -> Iterable[Finding]:
        for call in seen.updated:
            if not was_denied(call) or call.status == _TOKEN_REFUSED:
                continue
            place = (seen.source, call.session or subject_of(seen))
            denied = self._denied.get(place) or self._denied.put(place, {})
            last = denied.pop(call.target, None)
            if last and last[2] == call.id:
                denied[call.target] = last
                continue
            denied[call.target] = (seen.time, seen.index, call.id)
            if len(denied) > _REMEMBERED:
                del denied[next(iter(denied))]
            within = self.setting("within")
            recent = {target: at[1] for target, at in denied.items() if seen.time - at[0] <= within}
            if len(recent) >= self.setting("denials"):
                names = [quote(target) for target in list(recent)[-_NAMED:]]
                targets = count(len(recent), "different target")
                reason = f"Denied {targets} within {within:.0f} s, last {together(names)}."
                yield self.finding(seen, subject_of(seen), reason, *recent.values(), call=call)


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
            return
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
