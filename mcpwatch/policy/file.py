"""The policy's file: one strict tree, whose field docstrings are its manual."""

from datetime import datetime
from enum import StrEnum

from msgspec import Struct, field

from mcpwatch.policy.members import Role
from mcpwatch.policy.terms import Signatures


class Part(StrEnum):
    """What a signature can cover, as the file names it."""

    METHOD = "method"
    TARGET = "target"
    AUTHORITY = "authority"
    BODY = "body"
    SESSION = "session"
    MCP = "mcp"
    TIME = "time"
    NONCE = "nonce"
    ARGUMENTS = "arguments"
    TOKEN = "token"  # noqa: S105 (a word of the file)


class SeverityName(StrEnum):
    """A severity, as the file names it."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


class SignatureKeys(Struct, forbid_unknown_fields=True, frozen=True, omit_defaults=True, kw_only=True):
    """What is asked of signatures."""

    signatures: Signatures | None = None
    """Whether calls have to be signed: off (nobody asks), expected (an unsigned call raises an alert) or required (it
    raises a high one, so does a signature that is not good, and an enforcing gateway refuses both). The handshake,
    pings and notifications need none."""
    covers: tuple[Part, ...] | None = None
    """What a signature has to cover: method, target, authority, body, session, mcp (its method and name), time, nonce,
    arguments (of the tool; the body holds them) and token. Session id and access token count where a request has them.
    DPoP covers no body: where it is to do, leave body out."""
    max_age: float | None = None
    """Seconds that a signature may be old when the request comes; identity.window of config.toml holds besides."""


class CallerKeys(SignatureKeys, forbid_unknown_fields=True, frozen=True, omit_defaults=True, kw_only=True):
    """Who may call; a caller has to pass each list that is there."""

    identities: tuple[str, ...] | None = None
    """Who may call, by a good signature: DIDs, key fingerprints, names given with `mcpwatch keys name`. Left out:
    anybody."""
    principals: tuple[str, ...] | None = None
    """Whose access token may be used: its subject, or issuer and subject with a space between. That the token is good
    is for the server to check; one that is not signed counts for nobody. Left out: anybody's."""
    roles: tuple[Role, ...] | None = None
    """The roles that may call: guest, user, admin. A role holds no other: name each. Left out: any."""


class ToolKeys(CallerKeys, forbid_unknown_fields=True, frozen=True, omit_defaults=True, kw_only=True):
    """The terms of the tools whose names a glob fits: of several globs the first counts, and what is left out is as at
    the server."""


class UpstreamKeys(CallerKeys, forbid_unknown_fields=True, frozen=True, omit_defaults=True, kw_only=True):
    """The terms of one server, by its name at the gateway: what is left out is as at the top."""

    tool: dict[str, ToolKeys] = field(default_factory=dict)


class MemberKeys(Struct, forbid_unknown_fields=True, frozen=True, omit_defaults=True, kw_only=True):
    """Who has a role: who is in either list. Who is in none is a guest if [role.user] is there, and otherwise a user
    where a signature or a token says who it is."""

    identities: tuple[str, ...] = ()
    """DIDs, key fingerprints, names given with `mcpwatch keys name`."""
    principals: tuple[str, ...] = ()
    """Subjects of access tokens, or issuer and subject with a space between."""


class RoleKeys(Struct, forbid_unknown_fields=True, frozen=True, omit_defaults=True, kw_only=True):
    """The roles that can be given; the higher one counts, and nobody is listed as a guest."""

    admin: MemberKeys | None = None
    user: MemberKeys | None = None


class OwnRuleKeys(Struct, forbid_unknown_fields=True, frozen=True, omit_defaults=True, kw_only=True):
    """How one rule is set, besides thresholds of its own; `mcpwatch rules` lists them. The rules on the feed itself can
    be neither switched off nor lowered nor allowed."""

    severity: SeverityName | None = None
    """The severity of its alerts: low, medium, high or critical."""
    off: bool = False
    """Whether it says nothing. What it would have said is counted."""


class AllowKeys(Struct, forbid_unknown_fields=True, frozen=True, omit_defaults=True, kw_only=True):
    """Findings that are known and may stay quiet; they are counted."""

    rule: str
    """A glob over the ids of rules."""
    subject: str = "*"
    """A glob over what the alert is about, as the alert shows it."""
    upstream: str = ""
    """The one server that it is for. Left out: any."""
    reason: str
    """Why. It has to be there."""
    until: datetime | None = None
    """When it ends. Left out: never."""


class PolicyKeys(SignatureKeys, forbid_unknown_fields=True, frozen=True, omit_defaults=True, kw_only=True):
    """The whole file."""

    upstream: dict[str, UpstreamKeys] = field(default_factory=dict)
    role: RoleKeys = field(default_factory=RoleKeys)
    rule: dict[str, dict[str, bool | float | str]] = field(default_factory=dict)
    allow: tuple[AllowKeys, ...] = ()
