"""How the log stands, as this watcher knows it."""

from enum import StrEnum

from msgspec import Struct

from mcpwatch.model.health import Health

MAY_READ = "feed:read"
"""The scope of a token that may read the log."""
MAY_ACT = "alert:ack"
"""The scope of a token that may write acts into the log."""
STALE_AFTER = 15.0
"""Seconds without a fresh checkpoint after which a feed is stale: three heartbeats."""


class FeedState(StrEnum):
    CONNECTING = "CONNECTING"
    LIVE = "LIVE"
    STALE = "STALE"
    """No fresh checkpoint for `STALE_AFTER` seconds."""
    GAP = "GAP"
    """Entries were passed over: retention, or a join in mid-log that the operator did not ask for."""
    BROKEN = "BROKEN"
    """The log contradicts itself or its key; sticky."""
    ROLLBACK = "ROLLBACK"
    """The log is shorter than what was already verified; sticky."""
    UNPROVEN = "UNPROVEN"
    """A feed without a log: nothing proves that it is whole."""
    DISCONNECTED = "DISCONNECTED"
    """Trying again; what was received stays."""
    REFUSED = "REFUSED"
    """The feed will not have us (401, 403, not a feed); not tried again."""
    ENDED = "ENDED"


class Checkpoint(Struct, frozen=True):
    """A signed statement of the log's size and root (C2SP tlog-checkpoint)."""

    origin: str
    size: int
    root: bytes
    """32 octets."""
    note: bytes
    """The signed note as received."""
    time: int | None = None
    """Seconds since the epoch, of the cosignature/v1 line."""


class Gap(Struct, frozen=True):
    """Entries `first` to `last`, both included, that this watcher did not see, or that nothing will prove to it."""

    first: int
    last: int
    reason: str


class FeedStatus(Struct, frozen=True):
    """One feed's standing; replaced whole on each change."""

    name: str
    address: str
    state: FeedState = FeedState.CONNECTING
    detail: str = ""
    """Why, in words; may quote the other end."""
    origin: str = ""
    key: str = ""
    """The log's verifier key, C2SP form."""
    announced: int | None = None
    """The log's size by its own word, when it was last joined; None before that and for a feed without a log."""
    next_index: int = 0
    """The index expected next; everything below was received or lies in a gap."""
    verified_size: int = 0
    """Entries below this are proven by `checkpoint`, but for those in gaps."""
    checkpoint: Checkpoint | None = None
    last_entry_at: float | None = None
    """Watcher's clock."""
    last_checkpoint_at: float | None = None
    overdue: bool = False
    """No fresh checkpoint came for `STALE_AFTER` seconds, whatever the state, and the log does not end in a stop."""
    connected_at: float | None = None
    retry_at: float | None = None
    reconnects: int = 0
    received: int = 0
    """Entries received by this process."""
    repeated: int = 0
    """Entries that came again with the same hash."""
    malformed: int = 0
    gaps: tuple[Gap, ...] = ()
    history: tuple[tuple[float, FeedState, str], ...] = ()
    """The newest 100 state changes: when, which, why."""
    capture: str = ""
    scopes: tuple[str, ...] = ()
    """What the token may do here, by the gateway's word."""
    health: Health | None = None
    """How the gateway does, by its own word; None where it does not say, and while it is not connected."""

    def proves(self, index: int) -> bool:
        """Whether `checkpoint` proves that entry, where the entry was received."""
        return index < self.verified_size and not any(gap.first <= index <= gap.last for gap in self.gaps)
