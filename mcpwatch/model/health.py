"""How a gateway does, by its own word (SPEC.md, section 9)."""

from msgspec import Struct


class Health(Struct, frozen=True, kw_only=True):
    """What a gateway says of itself, which nothing proves; octets, entries and seconds, empty where it does not say."""

    trouble: str = ""
    """Why the log is not written as it should be; empty where all is well."""
    origin: str = ""
    started: float = 0.0
    """Seconds since the epoch."""
    size: int = 0
    """Entries that are on the disk, removed ones included."""
    oldest: int = 0
    """Index of the first entry still kept."""
    octets: int = 0
    """Of the leaves still kept."""
    checkpoint_size: int = 0
    """Of the newest checkpoint."""
    checkpoint_age: float = 0.0
    """Seconds since it was signed."""
    backlog: int = 0
    """Octets of leaves that wait for the disk."""
    waiting: int = 0
    """Those leaves."""
    commit: float = 0.0
    """Seconds that the newest commit took."""
    lost: int = 0
    """Entries of this run that could not be taken while the disk did not keep up; the log says so as well."""
    watchers: int = 0
    from_disk: int = 0
    """Watchers that are behind what is in memory."""
    behind: int = 0
    """Entries by which the one is behind that is furthest behind."""
    exchanges: int = 0
    """With agents, at this moment."""
    refused: int = 0
    """Requests of this run that the gateway answered itself."""
    disk_free: int | None = None
    """Octets, where the journal is."""
