"""Did somebody else take the session over?"""

from abc import abstractmethod
from collections.abc import Iterable
from typing import Generic, TypeVar

from mcpwatch.detect.baseline import Baseline, Known
from mcpwatch.detect.phrases import cut, host, quote, subject_of
from mcpwatch.detect.rule import Rule
from mcpwatch.model.alerts import Finding, RuleInfo, Severity
from mcpwatch.model.entries import Principal
from mcpwatch.model.traffic import Observation

T = TypeVar("T")
_SESSIONS = 10_000


class BaselineRule(Rule, Generic[T]):
    """Base of the rules that hold each request of a session against the one it began with."""

    kinds = ("request", "message")

    def __init__(self) -> None:
        self.baseline: Baseline[T] = Baseline(self.read, _SESSIONS)

    @abstractmethod
    def read(self, seen: Observation) -> T:
        """What of a request must not change."""

    @abstractmethod
    def changed(self, known: Known[T]) -> str:
        """What changed, as a sentence; empty where nothing did."""

    def observe(self, seen: Observation) -> Iterable[Finding]:
        known = self.baseline.compare(seen)
        reason = self.changed(known) if known is not None else ""
        if known is not None and reason:
            yield self.finding(seen, subject_of(seen), reason, known.since, seen.index)


class Shared(BaselineRule[tuple[str, str]]):
    info = RuleInfo(
        id="session/shared",
        title="Session shared",
        severity=Severity.HIGH,
        meaning="Another address or another program uses the id of a running session. A stolen id looks like this.",
        action="Check whether the client moved. If not, end the session and look for the leak.",
        references=("MCP security best practices: session hijacking",),
    )

    def read(self, seen: Observation) -> tuple[str, str]:
        """Address and user agent."""
        if seen.request is None:
            return "", ""
        agents = [value for name, value in seen.request.headers if name == "user-agent"]
        return host(seen.request.peer), agents[0] if agents else ""

    def changed(self, known: Known[tuple[str, str]]) -> str:
        (address, agent), (other_address, other_agent) = known.first, known.value
        differences = []
        if address != other_address:
            differences.append(f"from {cut(address)}, now from {cut(other_address)}")
        if agent != other_agent:
            differences.append(f"with {_agent(agent)}, now with {_agent(other_agent)}")
        return f"The session came {' and '.join(differences)}." if differences else ""


class TokenSubjectChanged(BaselineRule[tuple[Principal | None]]):
    """A refreshed token of the same subject is the normal thing; of opaque tokens only the scheme can be compared."""

    info = RuleInfo(
        id="session/token-subject-changed",
        title="Token changed in session",
        severity=Severity.HIGH,
        meaning="The token in a running session is of somebody else, or is gone, and the session goes on.",
        action="Find out whether the server still checks the token after the first request. End the session.",
    )

    def read(self, seen: Observation) -> tuple[Principal | None]:
        return (seen.request.principal if seen.request else None,)

    def changed(self, known: Known[tuple[Principal | None]]) -> str:
        (owner,), (other,) = known.first, known.value
        if other and (owner is None or (_identified(other) and not _identified(owner))):
            self.baseline.learn(known)
        elif owner and not _same_owner(owner, other):
            return f"The session came with {_owner(owner)}, now with {_owner(other)}."
        return ""


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
