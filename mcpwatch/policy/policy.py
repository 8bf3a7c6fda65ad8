"""The policy: who may do what at which server, what must be signed, and how each rule is set."""

from collections.abc import Mapping
from fnmatch import fnmatchcase
from functools import cached_property

from msgspec import Struct
from msgspec.structs import replace

from mcpwatch.model.alerts import Finding, Severity
from mcpwatch.policy.members import Caller, Members, Role
from mcpwatch.policy.ruling import (
    ALLOWED,
    REPLAYABLE,
    TOOL_CALL,
    Facts,
    Ruling,
    asks,
    refused_caller,
    refused_signature,
)
from mcpwatch.policy.terms import ANY, Signatures, Terms

__all__ = ["Allowance", "Caller", "Members", "Policy", "Role", "RulePolicy", "Signatures", "Terms"]

_KNOWN = 10_000
"""Answers remembered of each kind."""
_LONG = 256
"""Characters of a tool's name from which on nothing is remembered of it: callers may make up any."""
_FEED = "feed/"


class RulePolicy(Struct, frozen=True):
    """How one rule is set; what is not said stays as the catalogue has it."""

    off: bool = False
    severity: Severity | None = None
    settings: Mapping[str, float] = {}


class Allowance(Struct, frozen=True):
    """Findings that are known and may stay quiet."""

    rule: str
    """A glob over rule ids."""
    reason: str
    subject: str = "*"
    """A glob over the finding's subject."""
    until: float | None = None
    """Seconds since the epoch; None for ever."""
    upstream: str = ""
    """The server it is for; empty for any."""

    def is_for(self, finding: Finding) -> bool:
        """Whether a finding may stay quiet as long as this holds; the feed's own never may."""
        return (
            not is_of_feed(finding.rule)
            and (not self.upstream or self.upstream == finding.upstream)
            and fnmatchcase(finding.rule, self.rule)
            and fnmatchcase(finding.subject, self.subject)
        )


class Policy(Struct, frozen=True, dict=True):
    """All that the operator has said; the empty one observes and allows everything."""

    rules: Mapping[str, RulePolicy] = {}
    """Rule id -> how it is set."""
    allow: tuple[Allowance, ...] = ()
    roles: Mapping[Role, Members] = {}
    """Who has which role; a guest is who has none."""
    upstreams: Mapping[str, Terms] = {}
    """Server name -> its terms, whole."""
    tools: Mapping[tuple[str, str], Terms] = {}
    """Server name and a glob over tool names -> their terms, whole; the first that fits counts."""
    everywhere: Terms = ANY
    """The terms of servers that are not named."""

    @cached_property
    def every(self) -> tuple[Terms, ...]:
        """All terms that there are."""
        return (self.everywhere, *self.upstreams.values(), *self.tools.values())

    @property
    def refuses(self) -> bool:
        """Whether there is anybody whose call is refused, at any server."""
        return any(terms.binds for terms in self.every)

    @cached_property
    def _bound(self) -> dict[str, bool]:
        return {}

    @cached_property
    def _allowances(self) -> dict[tuple[str, str, str], tuple[Allowance, ...]]:
        return {}

    @cached_property
    def _known(self) -> dict[tuple[str, str], Terms]:
        return {}

    def terms(self, upstream: str, tool: str = "") -> Terms:
        """What holds for a call of `tool` at `upstream`."""
        if not tool or not self.tools:
            return self.upstreams.get(upstream, self.everywhere)
        if len(tool) > _LONG:
            return self._find(upstream, tool)
        key = (upstream, tool)
        known = self._known.get(key)
        if known is None:
            if len(self._known) >= _KNOWN:
                self._known.clear()
            known = self._known[key] = self._find(upstream, tool)
        return known

    def binds(self, upstream: str) -> bool:
        """Whether there is a call of the server that is refused to anybody."""
        bound = self._bound.get(upstream)
        if bound is None:
            of_tools = (terms for (name, _), terms in self.tools.items() if name == upstream)
            bound = self._bound[upstream] = any(terms.binds for terms in (self.terms(upstream), *of_tools))
        return bound

    def needs_signer(self, upstream: str) -> bool:
        """Whether nobody may call the server whom no signature proves."""
        return self.terms(upstream).needs_signer

    def role(self, caller: Caller) -> Role:
        """The highest role that lists the caller.

        Who is in none is a guest where the policy lists users, and where nothing proves anything of the caller; else
        a user.
        """
        for role in (Role.ADMIN, Role.USER):
            members = self.roles.get(role)
            if members is not None and members.has(caller):
                return role
        return Role.GUEST if Role.USER in self.roles or caller.is_nobody else Role.USER

    def ruling(self, upstream: str, method: str | None, tool: str, caller: Caller, facts: Facts) -> Ruling:
        """Whether one JSON-RPC message may reach the server.

        `method` is as for `asks`; `tool` is the name in a `tools/call` and means nothing elsewhere. The caller's
        signer counts only where the facts say that the signature is good.
        """
        if not asks(method):
            return ALLOWED
        terms = self.terms(upstream, tool if method == TOOL_CALL else "")
        refused = refused_signature(terms, facts)
        if not refused.allowed or terms.is_open:
            return refused
        proven = caller if facts.is_signed else Caller(None, caller.principal)
        refused = refused_caller(terms, proven, self.role(proven))
        return refused if refused.allowed or not facts.is_replayable else replace(refused, rule=REPLAYABLE)

    def allowance(self, finding: Finding, time: float) -> Allowance | None:
        """The first allowance that covers a finding at `time`, seconds since the epoch; none does the feed's own."""
        if not self.allow:
            return None
        key = (finding.rule, finding.upstream, finding.subject)
        rows = self._allowances.get(key)
        if rows is None:
            if len(self._allowances) >= _KNOWN:
                self._allowances.clear()
            rows = self._allowances[key] = tuple(row for row in self.allow if row.is_for(finding))
        return next((row for row in rows if row.until is None or time < row.until), None)

    def _find(self, upstream: str, tool: str) -> Terms:
        for (name, glob), terms in self.tools.items():
            if name == upstream and fnmatchcase(tool, glob):
                return terms
        return self.upstreams.get(upstream, self.everywhere)


def is_of_feed(rule: str) -> bool:
    """Whether a rule tells how far the log itself can be trusted, so that nobody may silence it."""
    return rule.startswith(_FEED)
