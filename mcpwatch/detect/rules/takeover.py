"""Did somebody else take the session over?"""

from abc import abstractmethod
from collections.abc import Iterable
from typing import ClassVar, Generic, TypeVar

from msgspec.structs import replace

from mcpwatch.detect.baseline import Baseline, Known
from mcpwatch.detect.callers import caller
from mcpwatch.detect.phrases import cut, host, named, quote, subject_of
from mcpwatch.detect.recent import Recent
from mcpwatch.detect.rule import Rule
from mcpwatch.model.alerts import Finding, RuleInfo, Severity
from mcpwatch.model.entries import Principal
from mcpwatch.model.traffic import EntryKind, Observation
from mcpwatch.traffic.binding import same_signer

T = TypeVar("T")
_SESSIONS = 10_000
_OPEN = 2_000
_REFUSED = frozenset({401, 403})
_ANSWERS = frozenset({"response", "end"})


class BaselineRule(Rule, Generic[T]):
    """Base of the rules that hold each request of a session against the one it began with."""

    kinds: ClassVar[tuple[EntryKind, ...]] = ("request", "message")
    methods: ClassVar[frozenset[str] | None] = frozenset({"initialize"})

    def __init__(self) -> None:
        self.baseline: Baseline[T] = Baseline(self.read, _SESSIONS)

    @abstractmethod
    def read(self, seen: Observation) -> T:
        """What of a request must not change."""

    @abstractmethod
    def changed(self, known: Known[T]) -> str:
        """What changed, as a sentence; empty where nothing did."""


class Shared(BaselineRule[tuple[str, str]]):
    """Low where the signer whom the session is bound to signed the request: a program that moved, and proves it."""

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
        for name, value in seen.request.headers:
            if name == "user-agent":
                return host(seen.request.peer), value
        return host(seen.request.peer), ""

    def changed(self, known: Known[tuple[str, str]]) -> str:
        (address, agent), (other_address, other_agent) = known.first, known.value
        differences = []
        if address != other_address:
            differences.append(f"from {cut(address)}, now from {cut(other_address)}")
        if agent != other_agent:
            differences.append(f"with {_agent(agent)}, now with {_agent(other_agent)}")
        return f"The session came {' and '.join(differences)}." if differences else ""

    def observe(self, seen: Observation) -> Iterable[Finding]:
        known = self.baseline.compare(seen)
        reason = self.changed(known) if known is not None else ""
        return self._taken(seen, known, reason) if known is not None and reason else ()

    def _taken(self, seen: Observation, known: Known[tuple[str, str]], reason: str) -> Iterable[Finding]:
        address, agent = known.value
        owner, signer = known.session.binding.signer, caller(seen).signer
        is_owner = owner is not None and signer is not None and same_signer(owner, signer)
        if is_owner:
            reason += f" {named(owner)}, whose session it is, signed the request."
        found = self.finding(seen, subject_of(seen), reason, known.since, seen.index)
        # Whoever took note of one stranger has not taken note of the next.
        found = replace(found, who=f"{_agent(agent)} at {address}")
        yield replace(found, severity=Severity.LOW) if is_owner else found


class TokenSubjectChanged(BaselineRule[tuple[Principal | None]]):
    """A refreshed token of the same subject is the normal thing; of opaque tokens only the scheme can be compared.

    Of a request without one the answer tells: one that is refused for that is how clients find out that they have to
    log in again.
    """

    info = RuleInfo(
        id="session/token-subject-changed",
        title="Token changed in session",
        severity=Severity.HIGH,
        meaning="The token in a running session is of somebody else, or is gone, and the session goes on.",
        action="Find out whether the server still checks the token after the first request. End the session.",
    )
    kinds: ClassVar[tuple[EntryKind, ...]] = ("request", "response", "message", "end")
    methods: ClassVar[frozenset[str] | None] = None

    def __init__(self) -> None:
        super().__init__()
        self._without: Recent[tuple[str, int], tuple[str, int]] = Recent(_OPEN)
        """Requests without the token -> what is to be said of them, and the entry that shows the token."""

    def observe(self, seen: Observation) -> Iterable[Finding]:
        if seen.kind in _ANSWERS:
            return self._answered(seen) if self._without else ()
        known = self.baseline.compare(seen)
        reason = self.changed(known) if known is not None else ""
        if known is None or not reason:
            return ()
        if known.value[0] is None:
            self._without.put((seen.source, seen.index), (reason, known.since))
            return ()
        return (self.finding(seen, subject_of(seen), reason, known.since, seen.index),)

    def _answered(self, seen: Observation) -> Iterable[Finding]:
        exchange = seen.exchange
        asked = self._without.pop((seen.source, exchange.index)) if exchange is not None else None
        if asked is not None and exchange is not None and exchange.status not in _REFUSED:
            reason, since = asked
            yield self.finding(seen, subject_of(seen), reason, since, exchange.index, seen.index)

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
