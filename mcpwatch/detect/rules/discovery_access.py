"""Does a call succeed that is not the caller's to make?"""

from collections.abc import Iterable
from typing import NamedTuple

from msgspec.structs import replace

from mcpwatch.detect.callers import caller_behind, is_unchecked, is_unsettled
from mcpwatch.detect.credentials import unread
from mcpwatch.detect.phrases import quote, subject_of, together
from mcpwatch.detect.privileges import Privileges, is_guess, names_role
from mcpwatch.detect.recent import Recent
from mcpwatch.detect.refusals import BROKEN_OFF, came_through
from mcpwatch.detect.rule import ANY_CALL, Rule
from mcpwatch.model.alerts import Finding, RuleInfo, Severity
from mcpwatch.model.traffic import Call, Exchange, Observation, SessionKey
from mcpwatch.policy.policy import Role
from mcpwatch.traffic.claims import fields, text

_SESSIONS = 10_000
_OPEN = 2_000
_ROLE = 40


class Asked(NamedTuple):
    """A call of a tool that is for few."""

    exchange: Exchange
    roles: tuple[Role, ...]
    """Whom the policy has it for; empty where the policy does not say."""
    why: str
    """What says that it is for few."""
    unread: tuple[str, ...]


class AdminToolByGuest(Rule):
    """Without a policy only guests are known for what they are: whoever proves a name may be an administrator.

    Medium where the call broke off before any answer, as it does for a caller who does not wait for one.
    """

    info = RuleInfo(
        id="discovery/admin-tool-by-guest",
        title="Admin tool used",
        severity=Severity.CRITICAL,
        meaning="A tool that is for few did what a caller asked who is not one of them.",
        action="Stop the session. Let the server check the role of each caller at each call, not of each session once.",
        references=("OWASP MCP02", "OWASP MCP07", "SAFE-T1308"),
    )
    kinds = ("request", "message", "end")
    methods = ANY_CALL

    def __init__(self) -> None:
        self._privileges = Privileges()
        self._asked: Recent[str, Asked] = Recent(_OPEN)
        self._claims: Recent[SessionKey, str] = Recent(_SESSIONS)
        """The role that the server gave a session, as it says."""

    def observe(self, seen: Observation) -> Iterable[Finding]:
        if seen.kind != "request":
            return self._answered(seen) if seen.updated else ()
        if self._privileges or self.policy.tools or self.policy.upstreams:
            for call in seen.opened:
                if call.method == "tools/call":
                    self._keep(seen, call)
        return ()

    def _answered(self, seen: Observation) -> list[Finding]:
        found: list[Finding] = []
        if seen.tools:
            self._privileges.learn(seen)
        for call in seen.updated:
            if call.method == "initialize":
                self._hear(seen)
            elif self._asked and call.ended is not None:
                asked = self._asked.pop(call.id)
                if asked is not None and not is_unsettled(asked.exchange):
                    if came_through(seen, call):
                        found += self._weigh(seen, call, asked)
                    elif call.state in BROKEN_OFF:
                        found += self._weigh(seen, call, asked, is_done=False)
        return found

    def _keep(self, seen: Observation, call: Call) -> None:
        roles = self.policy.terms(call.upstream, call.target).roles
        if roles:
            why = f"the policy has it for {together([f'a {each}' for each in roles])}"
        else:
            why = self._privileges.why(seen.source, call.upstream, call.target)
        if seen.exchange is not None and seen.request is not None and names_role(why):
            self._asked.put(call.id, Asked(seen.exchange, roles, why, unread(seen.request)))

    def _hear(self, seen: Observation) -> None:
        """Note the role that an answer to `initialize` gives the session, which some servers tell."""
        for message in seen.messages:
            said = text(fields(fields(message.result).get("session")).get("role"), _ROLE)
            if said and seen.session is not None:
                self._claims.put((seen.source, seen.session.key), said)

    def _weigh(self, seen: Observation, call: Call, asked: Asked, *, is_done: bool = True) -> Iterable[Finding]:
        mine = self.policy.role(caller_behind(asked.exchange))
        if mine in (asked.roles or (Role.ADMIN,)):
            return
        if mine is Role.USER and not asked.roles and Role.ADMIN not in self.policy.roles:
            return
        guess = ", which is a guess from words" if is_guess(asked.why) else ""
        did = f"did what a {mine} asked" if is_done else f"was asked by a {mine}, and nobody knows whether it did that"
        reason = f"{quote(call.target)} {did}; {asked.why}{guess}."
        claim = self._claims.get((seen.source, seen.session.key)) if seen.session is not None else None
        if claim:
            reason += f" The server opened the session as {quote(claim)}."
        doubts = list(asked.unread) + ["a signature"] * is_unchecked(asked.exchange)
        doubt = mine is Role.GUEST and bool(doubts)
        if doubt:
            reason += f" It came with {together(doubts)}, which may say who called and cannot be checked here."
        subject = f"{subject_of(seen)} ({call.target})"
        found = self.finding(seen, subject, reason, call.index, seen.index, call=call)
        yield replace(found, severity=Severity.MEDIUM) if doubt or not is_done else found
