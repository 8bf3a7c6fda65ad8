"""What is wrong: findings, alerts and their life."""

from enum import IntEnum, StrEnum

from msgspec import Struct, field


class Severity(IntEnum):
    LOW = 1
    MEDIUM = 2
    HIGH = 3
    CRITICAL = 4


class Setting(Struct, frozen=True):
    """A threshold of a rule that the policy may set."""

    name: str
    default: float
    meaning: str
    """With its unit."""


class RuleInfo(Struct, frozen=True):
    """A row of the rule catalogue."""

    id: str
    """FAMILY/NAME."""
    title: str
    severity: Severity
    meaning: str
    action: str
    """What the operator should do."""
    references: tuple[str, ...] = ()
    settings: tuple[Setting, ...] = ()


class Finding(Struct, frozen=True):
    """One rule fired once."""

    rule: str
    severity: Severity
    subject: str
    """What it is about, the key for deduplication; may hold untrusted text."""
    reason: str
    """Why, in one sentence; may quote untrusted text."""
    evidence: tuple[int, ...]
    """Indexes of the entries that show it."""
    source: str = ""
    session: str = ""
    call: str = ""
    upstream: str = ""
    """The server's name; empty where it is about none."""
    tool: str = ""
    """The tool that is called; empty for anything else; may hold untrusted text."""
    who: str = ""
    """Who is behind it: the proven signer, else what the caller goes by; may hold untrusted text."""
    at: int = -1
    """The newest entry when it was found, where no entry shows it."""

    @property
    def newest(self) -> int:
        """The entry up to which it is true; -1 for none."""
        evidence = self.evidence
        return evidence[0] if len(evidence) == 1 else max(evidence, default=self.at)


class AlertState(StrEnum):
    FIRING = "firing"
    ACKNOWLEDGED = "acknowledged"
    SILENCED = "silenced"
    RESOLVED = "resolved"


class Acknowledgement(Struct, frozen=True):
    """Somebody has seen the alert and says why it may rest."""

    author: str
    note: str
    time: float
    last_index: int
    """The newest entry that the author had been shown."""
    severity: Severity
    """The severity that was acknowledged; a higher one fires again."""
    expires: float


class Silence(Struct, frozen=True):
    """Somebody wants to hear nothing of certain alerts for a while."""

    id: str
    """First 12 hex digits of SHA-256 over what it covers."""
    rule: str
    """A glob over rule ids."""
    subject: str
    """A glob over subjects."""
    author: str
    reason: str
    time: float
    until: float
    """At most seven days after `time`."""
    origin: str = ""
    """The log whose alerts it covers, or the feed's name where that has no log."""
    key: str = ""
    """Fingerprint of the key that its author signed it with."""


class EventKind(StrEnum):
    """What changed an alert's state; the first five are acts of people."""

    ACKNOWLEDGED = "acknowledged"
    UNACKNOWLEDGED = "unacknowledged"
    """It is neither acknowledged nor resolved any more."""
    RESOLVED = "resolved"
    """Somebody says that the cause is gone, or without an author: it is seen to be gone."""
    SILENCED = "silenced"
    UNSILENCED = "unsilenced"
    EXPIRED = "expired"
    """The acknowledgement or the silence ran out."""
    FIRED_AGAIN = "fired again"
    """More than what was acknowledged or resolved came to light."""


class Kept(StrEnum):
    """Where an act is written down."""

    LOG = "in the gateway's log"
    HERE = "on this machine only"


class AlertEvent(Struct, frozen=True):
    """One change in an alert's life."""

    kind: EventKind
    author: str
    """Who, by their own word; empty where time or traffic changed it."""
    note: str
    time: float
    last_index: int
    """The newest entry that the author had been shown."""
    severity: Severity | None = None
    """The alert's at that moment; None where a store did not keep it."""
    kept: Kept | None = None
    """None where nobody acted."""
    index: int | None = None
    """Of the log entry that holds it."""
    seq: int | None = None
    """Its place among the acts that are kept on this machine."""
    key: str = ""
    """Fingerprint of the key that signed it; empty where nothing did."""
    fault: str = ""
    """Why it does not count, though somebody wrote it; empty where it does."""
    operator: str | None = None
    """What the configuration calls the key's holder, empty for no name; None where it does not list the key."""
    until: float | None = None
    """The end of a silence."""


class Act(Struct, frozen=True):
    """What a person did, as this watcher came to know of it."""

    id: str
    """The alert's, or the silence's."""
    event: AlertEvent
    previous: int | None = None
    """Log entry of the newest act on the same id that the author knew of."""
    silence: Silence | None = None
    """The one that begins, where it does."""


class Alert(Struct):
    """All findings of one rule on one subject."""

    id: str
    """First 12 hex digits of SHA-256 over rule, the log's origin and subject."""
    rule: str
    title: str
    severity: Severity
    subject: str
    reason: str
    """Of the newest finding."""
    count: int
    first_index: int
    """-1 where no entry shows it."""
    last_index: int
    first_time: float
    last_time: float
    source: str = ""
    sessions: list[str] = field(default_factory=list)
    """At most 16."""
    calls: list[str] = field(default_factory=list)
    """At most 16."""
    evidence: list[int] = field(default_factory=list)
    """The first 8 and the newest 24 entry indexes, in order."""
    acknowledgement: Acknowledgement | None = None
    """The one in force."""
    silence: Silence | None = None
    """The one in force that ends last."""
    state: AlertState = AlertState.FIRING
    history: list[AlertEvent] = field(default_factory=list)
    """Oldest first; at most the newest 1,000."""
    last_act: AlertEvent | None = None
    """The newest that a person did to this very alert and that counts; who saw another saw a stale screen."""
