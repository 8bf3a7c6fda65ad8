"""Does who it says it is fit who it is?"""

from collections.abc import Iterable
from typing import Self

from mcpwatch.detect.baseline import opens
from mcpwatch.detect.phrases import named, quote, signer_subject, upstream_of
from mcpwatch.detect.recent import Recent
from mcpwatch.detect.rule import SIGNED, Operator, Rule
from mcpwatch.detect.rules.replay import proves
from mcpwatch.model.alerts import Finding, RuleInfo, Severity
from mcpwatch.model.entries import Json, Principal
from mcpwatch.model.identity import Signer
from mcpwatch.model.traffic import CallState, Observation, RpcMessage, SessionKey, SessionKind
from mcpwatch.traffic.binding import same_signer
from mcpwatch.traffic.claims import CLIENT_INFO, fields, text

_SESSIONS = 10_000
_OPENING = 2_000
_MAX_NAME = 200
_SIGNET = "_signet"


class ClaimedNameMismatch(Rule):
    """Holds names against those that the operator gave: what software calls itself says nothing of who runs it.

    A session keeps the name that its `initialize` claimed. An agent may sign with one key under several ids.
    """

    info = RuleInfo(
        id="identity/claimed-name-mismatch",
        title="Claimed name mismatch",
        severity=Severity.MEDIUM,
        meaning="An agent claims the name of an agent you know, and signs with a key that is not that one's.",
        action="Trust the key and not the name. If the agent has a second key, pin it: mcpwatch keys add DID KEY.",
        references=("OWASP MCP07",),
    )
    kinds = ("request", "message")
    methods = frozenset({"initialize"})
    rejudges = True

    def __init__(self, operator: Operator | None = None) -> None:
        self._called = (operator or Operator()).called
        self._opening: Recent[tuple[str, int], list[str]] = Recent(_OPENING)
        self._sessions: Recent[SessionKey, list[str]] = Recent(_SESSIONS)

    @classmethod
    def build(cls, operator: Operator) -> Self:
        return cls(operator)

    def observe(self, seen: Observation) -> Iterable[Finding]:
        if seen.kind != "request":
            if self._opening:
                self._settle(seen)
            return ()
        is_opening = opens(seen)
        verdict = seen.verdict
        signer = verdict.signer if verdict is not None and proves(verdict) else None
        if signer is None and not is_opening:
            return ()
        claims = _claims(seen.messages)
        if claims and is_opening:
            self._opening.put((seen.source, seen.index), claims)
        if not claims and seen.session is not None and seen.session.kind is SessionKind.LEGACY:
            claims = self._sessions.get((seen.source, seen.session.key)) or []
        return self._held_against(seen, claims, signer) if claims and signer is not None else ()

    def _held_against(self, seen: Observation, claims: Iterable[str], signer: Signer) -> Iterable[Finding]:
        for name in dict.fromkeys(claims):
            owners = self._called(name, seen.time)
            if owners and not any(same_signer(owner, signer) for owner in owners):
                known = f"{named(signer)}, whom you call {signer.name}," if signer.name else named(signer)
                reason = f"{known} says that it is {quote(name)}, which is what you call {named(owners[0])}."
                yield self.finding(seen, f"{signer_subject(signer)} as {name} at {upstream_of(seen)}", reason)

    def _settle(self, seen: Observation) -> None:
        session, exchange = seen.session, seen.exchange
        if session is None or exchange is None or session.kind is not SessionKind.LEGACY:
            return
        if any(call.method == "initialize" and call.state is CallState.DONE for call in seen.updated):
            claims = self._opening.pop((seen.source, exchange.index))
            if claims:
                self._sessions.put((seen.source, session.key), claims)


class PrincipalMismatch(Rule):
    """Only for principals that the configuration names; a signature that proves nothing is no use of an agent."""

    info = RuleInfo(
        id="identity/principal-mismatch",
        title="Principal mismatch",
        severity=Severity.HIGH,
        meaning="The access token is of somebody who may not use this agent.",
        action="Find out how the token came to this agent. If that is right, add the agent to [principals].",
        references=("OWASP MCP07",),
    )
    kinds = ("request",)
    words = SIGNED
    rejudges = True

    def __init__(self, operator: Operator | None = None) -> None:
        self._operator = operator or Operator()
        self._allowed = {name: frozenset(signers) for name, signers in self._operator.principals.items()}

    @classmethod
    def build(cls, operator: Operator) -> Self:
        return cls(operator)

    def observe(self, seen: Observation) -> Iterable[Finding]:
        principal = seen.request.principal if seen.request is not None and self._allowed else None
        verdict = seen.verdict
        signer = verdict.signer if verdict is not None else None
        if principal is None or verdict is None or signer is None or not proves(verdict):
            return ()
        allowed = self._of(principal)
        if allowed is None or signer.id in allowed or signer.name in allowed or self._is_key_of(signer, allowed, seen):
            return ()
        who = f"{principal.subject} of {principal.issuer}" if principal.issuer else principal.subject
        reason = f"A request with the token of {quote(who)} is signed by {named(signer)}, which is not allowed to them."
        return (self.finding(seen, f"{who} by {signer_subject(signer)} at {upstream_of(seen)}", reason),)

    def _is_key_of(self, signer: Signer, allowed: Iterable[str], seen: Observation) -> bool:
        """Whether the key is one of theirs: an agent may sign under another id of its own."""
        find = (self._operator.called, self._operator.keys)
        return any(
            same_signer(owner, signer) for who in allowed for keys_of in find for owner in keys_of(who, seen.time)
        )

    def _of(self, principal: Principal) -> frozenset[str] | None:
        """The signers that a principal may use; None where the configuration does not name it."""
        if not principal.subject:
            return None
        exact = self._allowed.get(f"{principal.issuer} {principal.subject}") if principal.issuer else None
        return exact if exact is not None else self._allowed.get(principal.subject)


def _claims(messages: tuple[RpcMessage, ...]) -> list[str]:
    """The names that messages go by: their `clientInfo`, and the signer's own in a Signet receipt."""
    found: list[str] = []
    for message in messages:
        params = message.params
        if type(params) is not dict:
            continue
        said = params.get("_meta")
        if type(said) is dict:
            found += _name(said.get(CLIENT_INFO))
            if _SIGNET in said:
                found += _name(fields(said[_SIGNET]).get("signer"))
        if message.method == "initialize":
            found += _name(params.get("clientInfo"))
    return found


def _name(info: Json) -> list[str]:
    name = text(info.get("name"), _MAX_NAME).strip() if type(info) is dict else ""
    return [name] if name else []
