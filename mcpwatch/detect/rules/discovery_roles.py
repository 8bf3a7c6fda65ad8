"""Are tools kept from those whom they are not for?"""

from collections.abc import Iterable, Mapping

from msgspec.structs import replace

from mcpwatch.detect.callers import is_claimed, role
from mcpwatch.detect.credentials import unread
from mcpwatch.detect.phrases import cut, quote, some
from mcpwatch.detect.privileges import names_role
from mcpwatch.detect.recent import Recent
from mcpwatch.detect.refusals import names_caller, was_denied
from mcpwatch.detect.rule import Rule
from mcpwatch.model.alerts import Finding, RuleInfo, Severity
from mcpwatch.model.tools import Tool
from mcpwatch.model.traffic import Call, Observation
from mcpwatch.policy.policy import Policy, Role, Signatures
from mcpwatch.traffic.claims import fields

_SERVERS = 1_000
_OPEN = 2_000
_DENIED = 200
"""Tools remembered of one server."""

_List = tuple[frozenset[tuple[str, str]], int]
"""Names and digests of the tools, and the entry that lists them."""


class PrivilegedToolsExposed(Rule):
    """One alert a server. That a tool destroys makes a low one, and none where the policy does without signatures."""

    info = RuleInfo(
        id="discovery/privileged-tools-exposed",
        title="Guests see admin tools",
        severity=Severity.MEDIUM,
        meaning="A server lists tools that are for few to callers who prove nothing. It tells them what to try.",
        action="Let the server list to each caller what that caller may use. Check that it denies guests the calls.",
        references=("OWASP MCP07", "ATLAS T0084.001", "SAFE-T1602"),
    )
    kinds = ("request", "message", "end")
    methods = frozenset({"tools/list", "tools/call"})

    def __init__(self) -> None:
        self._unsure: Recent[str, bool] = Recent(_OPEN)
        """Calls that came with what may say who calls and cannot be read here."""

    def observe(self, seen: Observation) -> Iterable[Finding]:
        if seen.request is None:
            return self._answered(seen) if seen.updated else ()
        if seen.request.withheld and unread(seen.request):
            for call in seen.opened:
                self._unsure.put(call.id, True)
        return ()

    def _answered(self, seen: Observation) -> list[Finding]:
        found: list[Finding] = []
        for call in seen.updated:
            if call.method == "tools/list":
                shown = self._listed(seen)
            elif was_denied(call) and call.method == "tools/call" and names_caller(call):
                shown = self._denied(seen, call)
            else:
                continue
            if shown and self._unsure.pop(call.id) is None and self._is_guest(seen):
                found.append(self._tell(seen, call, shown))
        return found

    def _tell(self, seen: Observation, call: Call, shown: Mapping[str, str]) -> Finding:
        what = some([f"{quote(name)}: {why}" for name, why in shown.items()])
        reason = f"To a caller who proves nothing {cut(call.upstream)} lists {what}."
        found = self.finding(seen, f"guests at {call.upstream}", reason, call.index, seen.index, call=call)
        return found if any(map(names_role, shown.values())) else replace(found, severity=Severity.LOW)

    def _is_guest(self, seen: Observation) -> bool:
        """Whether nothing says who calls, not even a signature that is not good, which other rules tell of."""
        exchange = seen.exchange
        return exchange is not None and not is_claimed(exchange) and role(seen, self.policy) is Role.GUEST

    def _listed(self, seen: Observation) -> dict[str, str]:
        """Tools of a list that are not for guests, those first of which something says for whom they are, and why."""
        found = {change.tool.name: why for change in seen.tools if (why := _for_few(change.tool, self.policy))}
        return dict(sorted(found.items(), key=lambda each: not names_role(each[1])))

    def _denied(self, seen: Observation, call: Call) -> dict[str, str]:
        """A tool that was listed and is denied all the same."""
        listed = seen.session is not None and call.target in seen.session.listed_tools
        return {call.target: f"denied when called, {quote(call.error_text)}"} if listed else {}


class NoPerRoleFiltering(Rule):
    """Only whole lists count, and only of servers where something tells that the roles differ."""

    info = RuleInfo(
        id="discovery/no-per-role-filtering",
        title="One tool list for all",
        severity=Severity.LOW,
        meaning="A server lists the same tools to callers of different roles, though not all of them are for all.",
        action="Let the server list to each role what it may use, so that agents are not led to try the rest.",
        references=("OWASP MCP02",),
    )
    kinds = ("request", "message", "end")
    methods = frozenset({"tools/list", "tools/call"})

    def __init__(self) -> None:
        self._parts: Recent[str, bool] = Recent(_OPEN)
        """Calls that ask for a later page of a list."""
        self._lists: Recent[tuple[str, str], dict[Role, _List]] = Recent(_SERVERS)
        self._denied: Recent[tuple[str, str], set[str]] = Recent(_SERVERS)

    def observe(self, seen: Observation) -> Iterable[Finding]:
        if seen.kind != "request":
            return self._answered(seen) if seen.updated else ()
        for call in seen.opened:
            if call.method == "tools/list" and any(fields(message.params).get("cursor") for message in seen.messages):
                self._parts.put(call.id, True)
        return ()

    def _answered(self, seen: Observation) -> list[Finding]:
        found: list[Finding] = []
        for call in seen.updated:
            place = (seen.source, call.upstream)
            if was_denied(call) and call.method == "tools/call" and names_caller(call):
                denied = self._denied.get(place) or self._denied.put(place, set())
                if len(denied) < _DENIED:
                    denied.add(call.target)
            elif call.method == "tools/list" and seen.tools and self._parts.pop(call.id) is None and _is_last(seen):
                found += self._compare(seen, call, place)
        return found

    def _compare(self, seen: Observation, call: Call, place: tuple[str, str]) -> Iterable[Finding]:
        mine = role(seen, self.policy)
        tools = frozenset((change.tool.name, change.tool.digest) for change in seen.tools)
        lists = self._lists.get(place) or self._lists.put(place, {})
        lists[mine] = (tools, seen.index)
        same = {other: at for other, (theirs, at) in lists.items() if other is not mine and theirs == tools}
        if not same:
            return
        denied = self._denied.get(place) or ()
        few = [
            change.tool.name
            for change in seen.tools
            if names_role(change.tool.privileged)
            or change.tool.name in denied
            or self.policy.terms(call.upstream, change.tool.name).roles
        ]
        if few:
            roles = some([f"a {each}" for each in sorted({mine, *same})])
            reason = (
                f"{cut(call.upstream)} lists the same to {roles}; not for all: {some([quote(name) for name in few])}."
            )
            yield self.finding(seen, call.upstream, reason, *sorted({*same.values(), seen.index}), call=call)


def _is_last(seen: Observation) -> bool:
    """Whether no page of the list follows."""
    return not any(fields(message.result).get("nextCursor") for message in seen.messages)


def _for_few(tool: Tool, policy: Policy) -> str:
    """What says that a tool is not for guests; empty where nothing does."""
    terms = policy.terms(tool.upstream, tool.name)
    if terms.roles:
        return "" if Role.GUEST in terms.roles else f"the policy has it for {' and '.join(terms.roles)}"
    if not names_role(tool.privileged) and terms.signatures is Signatures.OFF:
        return ""
    return tool.privileged
