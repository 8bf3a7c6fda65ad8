"""Who has been seen signing, over all feeds."""

from collections import Counter
from heapq import nsmallest

from msgspec import Struct, field

from mcpwatch.bounded import add
from mcpwatch.model.entries import Request
from mcpwatch.model.identity import KeyState, Resolution, Signer, Verdict, Word
from mcpwatch.watch.row import Row, is_proof

MAX_IDENTITIES = 10_000
MAX_EACH = 1_000
"""Sessions, servers, tools and names kept for one identity."""


class Identity(Struct):
    """One signer id and all that was signed, or claimed to be signed, under it.

    Only requests that it provably sent add sessions, servers, tools and keys; a forged signature that names this
    id, or a replayed one, shows in `words` alone.
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
    """Requests that it provably sent."""
    words: Counter[Word] = field(default_factory=Counter)
    fingerprints: list[str] = field(default_factory=list)
    """Every key that signed validly, oldest first, at most 16."""
    sessions: set[tuple[str, str]] = field(default_factory=set)
    """(source, session key)."""
    upstreams: set[str] = field(default_factory=set)
    tools: Counter[str] = field(default_factory=Counter)
    claimed_names: set[str] = field(default_factory=set)
    """What the clients that signed with it say of themselves."""
    peers: set[str] = field(default_factory=set)
    """Addresses without port."""


class Identities:
    """All signer ids, bounded: past the limit the one seen longest ago goes, unproven ones first."""

    def __init__(self, limit: int = MAX_IDENTITIES) -> None:
        self.limit = limit
        self.all: dict[str, Identity] = {}

    def observe(self, row: Row) -> None:
        """Take in a request."""
        verdict = row.verdict
        if verdict is None or verdict.signer is None:
            return
        identity = self._of(verdict.signer, row)
        identity.last_source, identity.last_index, identity.last_time = row.source, row.index, row.time
        self._add(identity, verdict, row)

    def rejudge(self, row: Row, before: Verdict | None) -> None:
        """Take in a request once more, whose verdict was `before`."""
        if before is not None and before.signer is not None and (identity := self.all.get(before.signer.id)):
            identity.words[before.word] -= 1
            if is_proof(before):
                identity.proven -= 1
        verdict = row.verdict
        if verdict is not None and verdict.signer is not None:
            self._add(self._of(verdict.signer, row), verdict, row)

    def _of(self, signer: Signer, row: Row) -> Identity:
        identity = self.all.get(signer.id)
        if identity is None:
            if len(self.all) >= self.limit:
                self._drop()
            place = (row.source, row.index, row.time)
            identity = self.all[signer.id] = Identity(
                signer.id, "", "", Resolution.NONE, KeyState.UNKNOWN, *place, *place
            )
        if signer.fingerprint:
            identity.name = signer.name
        return identity

    def _add(self, identity: Identity, verdict: Verdict, row: Row) -> None:
        identity.words[verdict.word] += 1
        signer = verdict.signer
        if signer is None or not is_proof(verdict):
            return
        identity.proven += 1
        identity.resolution, identity.key_state = signer.resolution, signer.key_state
        if signer.fingerprint != identity.fingerprint:
            identity.fingerprint = signer.fingerprint
            if signer.fingerprint not in identity.fingerprints:
                identity.fingerprints = [*identity.fingerprints, signer.fingerprint][-16:]
        add(identity.upstreams, row.upstream, MAX_EACH)
        if row.session:
            if len(identity.sessions) < MAX_EACH:
                identity.sessions.add((row.source, row.session.key))
            add(identity.claimed_names, row.session.client_name, MAX_EACH)
        for call in row.seen.opened:
            if call.target and (call.target in identity.tools or len(identity.tools) < MAX_EACH):
                identity.tools[call.target] += 1
        record = row.entry.record
        if record is not None and isinstance(record.data, Request):
            add(identity.peers, record.data.peer.rpartition(":")[0], MAX_EACH)

    def _drop(self) -> None:
        # A tenth at once: a flood of made-up ids must not cost a search each.
        oldest = nsmallest(self.limit // 10 + 1, self.all.values(), key=lambda one: (one.proven > 0, one.last_time))
        for identity in oldest:
            del self.all[identity.id]
