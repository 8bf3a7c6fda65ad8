"""The policy: who may do what at which server, what must be signed, and how each rule is set."""

from collections.abc import Mapping
from enum import StrEnum
from fnmatch import fnmatchcase

from msgspec import Struct

from mcpwatch.model.alerts import Finding, Severity
from mcpwatch.model.entries import Principal
from mcpwatch.model.identity import Signer


class Role(StrEnum):
    """What somebody may be to a server, from least to most."""

    GUEST = "guest"
    USER = "user"
    ADMIN = "admin"


class Signatures(StrEnum):
    """What is made of a call without a good signature."""

    OFF = "off"
    EXPECTED = "expected"
    REQUIRED = "required"


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


class Caller(Struct, frozen=True):
    """Who calls, as far as it is proven: a signer whose signature is good, and the token's principal."""

    signer: Signer | None = None
    principal: Principal | None = None


class Members(Struct, frozen=True):
    """A set of callers.

    Signers by id, key fingerprint or the operator's name; principals by subject, or issuer and subject.
    """

    identities: tuple[str, ...] = ()
    principals: tuple[str, ...] = ()

    def has(self, caller: Caller) -> bool:
        """Whether the caller is one of them."""
        signer, principal = caller.signer, caller.principal
        if signer is not None and {signer.id, signer.fingerprint, signer.name or signer.id} & set(self.identities):
            return True
        if principal is None or not principal.subject:
            return False
        return bool({principal.subject, f"{principal.issuer} {principal.subject}"} & set(self.principals))


class Terms(Struct, frozen=True):
    """What holds for the calls of one server or tool."""

    signatures: Signatures = Signatures.EXPECTED
    covers: tuple[str, ...] = ()
    """Parts that a signature has to cover, as `Covered` names them."""
    max_age: float | None = None
    """Seconds."""
    members: Members | None = None
    """Who may call; None for anybody."""
    roles: tuple[Role, ...] = ()
    """The roles that may call; none for any."""


class Policy(Struct, frozen=True):
    """All that the operator has said; the empty one observes and allows everything."""

    rules: Mapping[str, RulePolicy] = {}
    """Rule id -> how it is set."""
    allow: tuple[Allowance, ...] = ()
    roles: Mapping[Role, Members] = {}
    upstreams: Mapping[str, Terms] = {}
    """Server name -> its terms."""
    tools: Mapping[tuple[str, str], Terms] = {}
    """Server name and a glob over tool names -> their terms; the first that fits counts."""

    def terms(self, upstream: str, tool: str = "") -> Terms:
        """What holds for a call of `tool` at `upstream`; of what the tool's own terms leave open, the server's."""
        if tool:
            for (name, glob), terms in self.tools.items():
                if name == upstream and fnmatchcase(tool, glob):
                    return terms
        return self.upstreams.get(upstream, _ANY)

    def role(self, caller: Caller) -> Role:
        """The highest role that lists the caller; without one, a guest is who proves neither signer nor principal."""
        for role in (Role.ADMIN, Role.USER):
            members = self.roles.get(role)
            if members is not None and members.has(caller):
                return role
        return Role.GUEST if caller.signer is None and caller.principal is None else Role.USER

    def allowance(self, finding: Finding, time: float) -> Allowance | None:
        """The first allowance that covers a finding at `time`, seconds since the epoch."""
        for allowance in self.allow:
            if (
                (allowance.until is None or time < allowance.until)
                and fnmatchcase(finding.rule, allowance.rule)
                and fnmatchcase(finding.subject, allowance.subject)
            ):
                return allowance
        return None


_ANY = Terms()
