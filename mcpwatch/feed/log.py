"""A log as it is read: every entry in its place, every checkpoint held against the entries (SPEC.md, section 6)."""

from collections.abc import Callable, Sequence
from types import MappingProxyType

from mcpwatch.feed.continuity import Continuity, Discontinued, Proofs, edge_of, hold_read, right_edge
from mcpwatch.feed.edge import Edge
from mcpwatch.feed.merkle import HASH_SIZE, Frontier, leaf_hash
from mcpwatch.feed.note import NoteVerifier
from mcpwatch.feed.placed import entry_at, entry_index
from mcpwatch.feed.sse import Frame
from mcpwatch.feed.standing import Standing
from mcpwatch.feed.vkey import BadNote
from mcpwatch.feed.waiting import Fork, WaitingCheckpoints
from mcpwatch.model.entries import Entry, GatewayStopped
from mcpwatch.model.feed import Checkpoint, FeedState, FeedStatus, Gap
from mcpwatch.model.health import Health

NO_PROOFS: Proofs = MappingProxyType({})


class LogReader:
    """Reads one log, over as many connections as it takes; pure, with the watcher's clock passed in.

    Entries come out at once and are proven when `status.verified_size` passes them. After a break they still
    come out, so that a spoiled log blinds nobody, but nothing is proven any more. An entry before the expected
    one is never applied again: with the hash it had it counts as repeated, with another the log is broken, and
    one too old to compare (`edge.REMEMBERED`) counts as repeated too, since nothing of it is used.
    """

    def __init__(
        self, name: str = "", address: str = "", verifier: NoteVerifier | None = None, *, from_start: bool = True
    ) -> None:
        self.evidence: tuple[bytes, ...] = ()
        """The notes that contradict the log or each other, once it is broken."""
        self.claimed = 0
        """The largest size that the log was seen to sign."""
        self._name = name
        self._is_late = not from_start
        self._standing = Standing(name, address)
        self._verifier: NoteVerifier | None = None
        self._origin = ""
        self._edge = Edge()
        self._continuity = Continuity()
        self._next = 0
        self._waiting = WaitingCheckpoints()
        self._received = self._repeated = self._malformed = 0
        self._last_entry_at: float | None = None
        self._counted = True
        self._handlers: dict[str, Callable[[Frame, float], list[Entry]]] = {
            "entry": self._take_entry,
            "checkpoint": self._take_checkpoint,
        }
        if verifier is not None:
            self.meet(verifier)

    @property
    def status(self) -> FeedStatus:
        """How the log stands; the same object until something changes."""
        if not self._counted:
            self._standing.set(
                next_index=self._next,
                received=self._received,
                repeated=self._repeated,
                malformed=self._malformed,
                last_entry_at=self._last_entry_at,
            )
            self._counted = True
        return self._standing.status

    @property
    def proofs(self) -> int:
        """How many checkpoints were verified."""
        return self._standing.proofs

    def meet(self, verifier: NoteVerifier, capture: str = "", scopes: tuple[str, ...] = ()) -> None:
        """Learn whose log it is, and what it lets us do; without this a feed stays UNPROVEN."""
        self._verifier = verifier
        self._origin = verifier.origin
        self._standing.provable = True
        self._standing.set(origin=self._origin, key=str(verifier.key), capture=capture, scopes=scopes)

    def recall(self, checkpoint: Checkpoint | None, remedy: str = "") -> None:
        """Learn what the log was seen to sign in an earlier run, before it is joined: it must go on from there.

        `remedy` is what an operator does who knows why it does not.
        """
        self._continuity.recall(checkpoint, remedy)
        if checkpoint is not None:
            self.claimed = max(self.claimed, checkpoint.size)

    @property
    def pinnable(self) -> Checkpoint | None:
        """The newest verified checkpoint, where the log was held against all that it was seen to sign before."""
        is_settled = not self._standing.broken and not self._continuity.held
        return self._standing.status.checkpoint if is_settled else None

    def asks(self, checkpoint: Checkpoint, oldest: int) -> tuple[int, ...]:
        """The sizes for which the log has to prove that `checkpoint` goes on from them, before it is joined there."""
        if self._standing.broken or checkpoint.size < self.claimed:
            return ()
        onward = checkpoint.size if self._is_late else min(max(oldest, self._next), checkpoint.size)
        return self._continuity.asks(self._edge.proven, self._next, onward, checkpoint, self._seen)

    def begin(self, edge: Frontier, reason: str) -> None:
        """Begin past entries that are not to be had, at a right edge that the checkpoints after it prove or break."""
        self._is_late = False
        if edge.size:
            self._go_on(edge, reason, asked=True)

    def join(
        self, checkpoint: Checkpoint, frontier: Sequence[bytes], oldest: int, now: float, proofs: Proofs = NO_PROOFS
    ) -> None:
        """Take in what the log says of itself before a connection: its newest checkpoint, its right edge, the oldest
        entry it still has, and the proofs it gave for what `asks` said.

        The first time decides where to begin; afterwards the log must go on from where it was. Where entries that are
        due are no longer kept, reading goes on at the oldest, or without a proof for that at the checkpoint, and the
        gap is declared.
        """
        if self._standing.broken:
            return
        if checkpoint.size < self.claimed:
            self._roll_back(checkpoint, self.claimed, "signed before", now)
            if checkpoint.size < self._next:
                reason = "shown as they were before the log was taken back, not as it has them now"
                self._standing.pass_over(Gap(checkpoint.size, self._next - 1, reason))
            return
        self._standing.announce(checkpoint)
        is_late, self._is_late = self._is_late, False
        try:
            if is_late:
                self._leap(checkpoint, frontier, f"joined at {checkpoint.size}", asked=True)
            elif min(oldest, checkpoint.size) > self._next:
                self._resume(checkpoint, frontier, oldest, proofs)
            self._continuity.settle(checkpoint, proofs)
        except Discontinued as discontinued:
            self.sever(str(discontinued), now, discontinued.note, checkpoint.note)
            return
        self._standing.doubt = self._continuity.doubt(self._next)
        self._weigh(checkpoint, now)

    def hear(self, health: Health) -> None:
        """The gateway said how it does."""
        self._standing.set(health=health)

    def connected(self, now: float) -> None:
        """The stream is open."""
        self._standing.connect(now)

    def disconnected(self, reason: str, now: float, retry_at: float | None = None) -> None:
        """The stream or the attempt at it failed; it is tried again at `retry_at`."""
        self._standing.disconnect(reason, now, retry_at)

    def refused(self, reason: str, now: float) -> None:
        """The feed will not have us, and is not tried again."""
        self._standing.finish(FeedState.REFUSED, reason, now)

    def ended(self, reason: str, now: float) -> None:
        """Nothing more will be read."""
        self._standing.finish(FeedState.ENDED, reason, now)

    def sever(self, reason: str, now: float, *notes: bytes, state: FeedState = FeedState.BROKEN) -> None:
        """The log is BROKEN, or in ROLLBACK, for good; `notes` are kept with what it had signed before."""
        if not self._standing.broken:
            signed = [*self._seen, *self._continuity.held]
            self.evidence = tuple(dict.fromkeys(note for note in (*(each.note for each in signed), *notes) if note))
            self._waiting.clear()
        self._standing.sever(state, reason, now)

    def tick(self, now: float) -> None:
        """Let time pass: STALE after 15 s without a fresh checkpoint."""
        self._standing.tick(now)

    def take(self, frame: Frame, now: float) -> list[Entry]:
        """What an event brings: one entry or none; events of other names mean nothing."""
        handler = self._handlers.get(frame.event)
        return handler(frame, now) if handler else []

    def _take_entry(self, frame: Frame, now: float) -> list[Entry]:
        index = entry_index(frame.id)
        if index is None:
            self.sever("an entry came without its index", now)
            return []
        hashed = leaf_hash(frame.data)
        self._counted = False
        if index < self._next:
            self._repeat(index, hashed, now)
            return []
        if index > self._next and not self._skip(index, now):
            return []
        self._next = index + 1
        self._received += 1
        self._last_entry_at = now
        entry = self._entry(index, frame.data, now)
        if not self._standing.broken:
            self._edge.append(hashed)
            if self._continuity.is_due(self._next):
                self._hold_past(now)
            for each in self._waiting.due(self._next):
                self._weigh(each, now)
        return [entry]

    def _hold_past(self, now: float) -> None:
        """Hold the entries against what the log signed before, where it is their turn."""
        try:
            for each in self._continuity.passing(self._next, self._edge.root()):
                self._weigh(each, now)
        except Discontinued as discontinued:
            self.sever(str(discontinued), now, discontinued.note)

    def _entry(self, index: int, leaf: bytes, now: float) -> Entry:
        entry = entry_at(index, leaf, origin=self._origin, received=now, source=self._name)
        self._malformed += bool(entry.fault)
        said = entry.record.data if entry.record is not None else None
        self._standing.stopped = (index + 1, said.reason) if isinstance(said, GatewayStopped) else None
        return entry

    def _repeat(self, index: int, hashed: bytes, now: float) -> None:
        if self._edge.remembers(index, hashed) is False:
            self.sever(f"entry {index} came again with another content", now)
        else:
            self._repeated += 1

    def _skip(self, index: int, now: float) -> bool:
        """An entry came too early; whether to go on from there."""
        gap = Gap(self._next, index - 1, "never came")
        if not self._standing.provable and self._standing.overlook(gap):
            # Nobody will ask for the root of this edge; it counts, so that an entry which comes again is known.
            self._edge.leap(Frontier.load(index, [bytes(HASH_SIZE)] * index.bit_count()))
            return True
        self.sever(f"entry {index} came where {self._next} was due", now)
        return self._standing.overlook(gap)

    def _take_checkpoint(self, frame: Frame, now: float) -> list[Entry]:
        if self._verifier is None:
            return []
        note = frame.data + b"\n"
        try:
            checkpoint = self._verifier.open(note)
        except BadNote as bad:
            self.sever(f"a checkpoint does not hold: {bad.reason}", now, note)
        else:
            self._weigh(checkpoint, now)
        return []

    def _weigh(self, checkpoint: Checkpoint, now: float) -> None:
        """Hold a checkpoint of this log against the entries, or keep it until they have come."""
        if self._standing.broken:
            return
        size, verified = checkpoint.size, self._standing.status.verified_size
        self.claimed = max(self.claimed, size)
        if size < verified:
            self._roll_back(checkpoint, verified, "verified", now)
        elif size > self._next:
            try:
                self._waiting.add(checkpoint)
            except Fork as fork:
                self.sever(str(fork), now, *fork.notes)
        elif (frontier := self._edge.at(size)) is not None:
            if frontier.root() != checkpoint.root:
                self.sever(f"the log's root at {size} is not that of the entries it sent", now, checkpoint.note)
                return
            self._edge.prove(frontier)
            self._standing.prove(checkpoint, now)

    def _roll_back(self, checkpoint: Checkpoint, before: int, how: str, now: float) -> None:
        reason = f"the log now says it has {checkpoint.size} entries; {before} were {how}"
        self.sever(reason + self._continuity.remedy, now, checkpoint.note, state=FeedState.ROLLBACK)

    @property
    def _seen(self) -> list[Checkpoint]:
        """What the log signed, as far as that is known: verified, and ahead of the entries."""
        verified = self._standing.status.checkpoint
        return [*([verified] if verified else []), *self._waiting]

    def _resume(self, checkpoint: Checkpoint, frontier: Sequence[bytes], oldest: int, proofs: Proofs) -> None:
        """Go on where the log still has its entries; raises Discontinued."""
        hold_read(self._edge, checkpoint, proofs.get(self._next))
        reason = f"the gateway keeps entries from {oldest} on"
        if oldest >= checkpoint.size:
            self._leap(checkpoint, frontier, reason)
        elif (answer := proofs.get(oldest)) is None:
            self._leap(checkpoint, frontier, f"{reason}, and gives no proof to join there")
        else:
            self._go_on(right_edge(answer, oldest, checkpoint), reason)

    def _leap(self, checkpoint: Checkpoint, frontier: Sequence[bytes], reason: str, *, asked: bool = False) -> None:
        """Go on at a checkpoint, from a right edge that hashes to its root; raises Discontinued."""
        edge = edge_of(checkpoint, frontier)
        if checkpoint.size > self._next:
            self._go_on(edge, reason, asked=asked)

    def _go_on(self, edge: Frontier, reason: str, *, asked: bool = False) -> None:
        """Go on from a right edge whose entries were not read; those that were, but stay unproven, join the gap."""
        self._standing.pass_over(Gap(self._edge.proven, edge.size - 1, reason), asked=asked)
        for each in self._seen:
            if each.size <= edge.size:
                self._continuity.hold(each)
        self._next = edge.size
        self._edge.leap(edge)
        self._waiting.forget(edge.size)
        self._counted = False
