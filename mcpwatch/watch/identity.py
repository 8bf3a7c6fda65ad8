"""One signer, as far as it was seen."""

from collections import Counter
from enum import StrEnum

from msgspec import Struct, field

from mcpwatch.bounded import add
from mcpwatch.model.identity import KeyState, Resolution, Signer, Word
from mcpwatch.watch.row import Row
from mcpwatch.watch.trend import Trend

MAX_EACH = 1_000
"""Sessions, servers, tools, names and alerts kept for one identity."""
MAX_KEYS = 16
"""Keys that are kept for one identity: the newest."""


class Kind(StrEnum):
    """Which end of the wire signs: agents sign requests, servers sign answers."""

    AGENT = "agent"
    SERVER = "server"


class SeenKey(Struct):
    """A key that signed validly, and when it was seen to; times by the gateway's clock."""

    fingerprint: str
    first_index: int
    first_time: float
    last_time: float


class Identity(Struct):
    """One signer id and all that was signed, or claimed to be signed, under it.

    Only requests (for a server, answers) that it provably sent add sessions, servers, tools and keys; a forged
    signature that names this id, or a replayed one, shows in `words` alone.
    """

    id: str
    fingerprint: str = ""
    """RFC 7638 thumbprint of the newest key; empty when no key was ever known."""
    name: str = ""
    """What the operator calls it."""
    resolution: Resolution = Resolution.NONE
    key_state: KeyState = KeyState.UNKNOWN
    first_source: str = ""
    first_index: int = 0
    first_time: float = 0.0
    last_source: str = ""
    last_index: int = 0
    last_time: float = 0.0
    proven: int = 0
    """Requests that it provably sent; of a server, answers."""
    words: Counter[Word] = field(default_factory=Counter)
    keys: dict[str, SeenKey] = field(default_factory=dict)
    """By fingerprint, every key that signed validly, in the order they were first seen, at most 16."""
    sessions: set[tuple[str, str]] = field(default_factory=set)
    """(source, session key)."""
    upstreams: set[str] = field(default_factory=set)
    tools: Counter[str] = field(default_factory=Counter)
    claimed_names: set[str] = field(default_factory=set)
    """What the clients that signed with it say of themselves."""
    peers: set[str] = field(default_factory=set)
    """Addresses without port."""
    kind: Kind = Kind.AGENT
    trend: Trend = field(default_factory=Trend)
    """When it sent what it provably sent."""
    alerts: dict[str, None] = field(default_factory=dict)
    """Ids of the alerts that an entry in its name is evidence for, oldest first."""

    @property
    def signer(self) -> Signer:
        """The identity as its newest signature named it."""
        return Signer(self.id, self.fingerprint, self.resolution, self.key_state, self.name)

    @property
    def key(self) -> SeenKey | None:
        """The key that signed last."""
        return self.keys.get(self.fingerprint)

    @property
    def is_empty(self) -> bool:
        """Whether nothing that was seen is in its name any more."""
        return not any(self.words.values())

    def seen(self, row: Row) -> None:
        """Take note of an entry in its name, proven or not."""
        self.last_source, self.last_index, self.last_time = row.source, row.index, row.time

    def seen_before(self, row: Row) -> None:
        """Take note of an entry that came earlier and turns out to be in its name."""
        if row.time < self.first_time:
            self.first_source, self.first_index, self.first_time = row.source, row.index, row.time
        if row.time > self.last_time:
            self.seen(row)

    def uncount(self, word: Word, time: float, *, proven: bool) -> None:
        """Take back what an entry of that time in its name was worth, if it was counted and not dropped since."""
        if self.words[word] > 0:
            self.words[word] -= 1
            self.proven = max(self.proven - proven, 0)
            if proven:
                self.trend.take_back(time)

    def disprove(self, signer: Signer) -> None:
        """What proved its key does so no more: it stands as `signer` says, and without any proof it has nothing."""
        self.resolution, self.key_state = signer.resolution, signer.key_state
        if not self.proven:
            self.fingerprint = signer.fingerprint
            self.keys.clear()
            self.trend = Trend()
            self.sessions.clear()
            self.tools.clear()
            self.upstreams.clear()
            self.peers.clear()

    def add_proof(self, signer: Signer, row: Row) -> None:
        """Take in an entry that it provably sent; one that is judged late does not bring back an older key."""
        self.proven += 1
        self.trend.add(row.time)
        newest = self.key
        if newest is None or row.time >= newest.last_time or signer.fingerprint == self.fingerprint:
            self.resolution, self.key_state, self.fingerprint = signer.resolution, signer.key_state, signer.fingerprint
        self._add_key(signer.fingerprint, row)
        add(self.upstreams, row.upstream, MAX_EACH)
        if row.session and len(self.sessions) < MAX_EACH:
            self.sessions.add((row.source, row.session.key))

    def add_alert(self, alert: str) -> None:
        """Take note of an alert that an entry in its name is evidence for."""
        if alert not in self.alerts:
            self.alerts[alert] = None
            if len(self.alerts) > MAX_EACH:
                del self.alerts[next(iter(self.alerts))]

    def _add_key(self, fingerprint: str, row: Row) -> None:
        key = self.keys.get(fingerprint)
        if key is None:
            self.keys[fingerprint] = SeenKey(fingerprint, row.index, row.time, row.time)
            if len(self.keys) > MAX_KEYS:
                del self.keys[next(iter(self.keys))]
            return
        if row.time < key.first_time:
            # Requests that waited for their key are judged when it comes, after ones that did not wait.
            key.first_index, key.first_time = row.index, row.time
        key.last_time = max(key.last_time, row.time)
