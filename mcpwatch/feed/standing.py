"""How a feed stands: its connection, the freshness of what it signs, and the breaks that stay."""

from typing import Any

from msgspec.structs import replace

from mcpwatch.model.feed import STALE_AFTER, Checkpoint, FeedState, FeedStatus, Gap

CLOCKS_DIFFER = 60.0
"""Seconds between the gateway's clock and ours that are worth a word."""
MAX_HISTORY = 100
MAX_GAPS = 100
_MAX_REASON = 80
STICKY = frozenset({FeedState.BROKEN, FeedState.ROLLBACK})
_SILENT_FOR_GOOD = STICKY | {FeedState.REFUSED, FeedState.ENDED}


class Standing:
    """Keeps one FeedStatus up to date; all times are the watcher's clock, seconds since the epoch.

    A break is sticky: what happens later changes times and counts, not the state.
    """

    def __init__(self, name: str, address: str) -> None:
        self.status = FeedStatus(name=name, address=address)
        self.provable = False
        """Whether there is a key to hold the feed against."""
        self.proofs = 0
        """Checkpoints verified so far."""
        self.stopped: tuple[int, str] | None = None
        """The log's size when the gateway stopped, and why, where the newest entry says so."""
        self.doubt = ""
        """What of the log's past is not proven, in words."""
        self._alive_at: float | None = None
        """From when on a checkpoint is awaited; None before anything was tried."""
        self._connects = 0
        self._overlooked = False
        self._newest = (0, 0)

    @property
    def broken(self) -> bool:
        """Whether the log has contradicted itself; nothing is proven any more."""
        return self.status.state in STICKY

    @property
    def connected(self) -> bool:
        return self.status.connected_at is not None

    def set(self, **fields: Any) -> None:
        """Change fields of the status that do not touch its state."""
        self.status = replace(self.status, **fields)

    def announce(self, checkpoint: Checkpoint) -> None:
        """What the log signed last, before a connection; older ones that the stream brings are history."""
        self._newest = (checkpoint.time or 0, checkpoint.size - 1)
        self.set(announced=checkpoint.size)

    def connect(self, now: float) -> None:
        """The stream is open."""
        if self._alive_at is None or self._excused:
            self._alive_at = now
        self.set(connected_at=now, retry_at=None, reconnects=self._connects)
        self._connects += 1
        self._change(self._judge(now), "", now)

    def disconnect(self, reason: str, now: float, retry_at: float | None) -> None:
        """The stream, or the attempt to open it, failed; it is tried again at `retry_at`."""
        if self._alive_at is None:
            self._alive_at = now
        self.set(connected_at=None, retry_at=retry_at, health=None)
        if self.stopped is not None and self._excused:
            reason = f"the gateway stopped in good order ({self.stopped[1][:_MAX_REASON]}); {reason}"
        self._change(FeedState.DISCONNECTED, reason, now)

    def finish(self, state: FeedState, reason: str, now: float) -> None:
        """It is not tried again: REFUSED or ENDED. A feed that was live and is refused waits in vain from then on."""
        self.set(connected_at=None, retry_at=None, health=None)
        if state is FeedState.REFUSED and self.proofs and not (self.broken or self._excused):
            self.set(overdue=True)
        self._change(state, reason, now)

    def sever(self, state: FeedState, reason: str, now: float) -> None:
        """A break that stays: BROKEN or ROLLBACK; only the first counts."""
        self._change(state, reason, now)

    def prove(self, checkpoint: Checkpoint, now: float) -> None:
        """A checkpoint was verified against the entries.

        It counts as fresh when the log signed it after any that this connection brought, or at most STALE_AFTER
        ago by our clock: an old one sent again keeps no feed alive, a gateway's clock set back breaks none.
        """
        self.proofs += 1
        stamp = (checkpoint.time or 0, checkpoint.size)
        behind = now - stamp[0]
        self.set(checkpoint=checkpoint, verified_size=checkpoint.size)
        if stamp > self._newest or abs(behind) <= STALE_AFTER:
            self._newest = max(stamp, self._newest)
            self._alive_at = now
            self.set(last_checkpoint_at=now, overdue=False)
            if self.connected:
                self._change(self._judge(now), _clocks(behind), now)

    def overlook(self, gap: Gap, *, asked: bool = False) -> bool:
        """Declare entries that will not be seen; False when there are too many gaps to keep count of."""
        if len(self.status.gaps) >= MAX_GAPS:
            return False
        self._overlooked |= not asked
        self.set(gaps=(*self.status.gaps, gap))
        return True

    def pass_over(self, gap: Gap, *, asked: bool = False) -> None:
        """Declare such entries, however many gaps there are: the last of too many takes in what lies between."""
        if not self.overlook(gap, asked=asked):
            *others, last = self.status.gaps
            reason = f"there are more gaps than are told apart; of the last, {gap.reason}"
            self._overlooked |= not asked
            self.set(gaps=(*others, Gap(last.first, gap.last, reason)))

    def tick(self, now: float) -> None:
        """Let time pass."""
        if self.connected and self._judge(now) is FeedState.STALE:
            self._change(FeedState.STALE, f"no fresh checkpoint for {STALE_AFTER:.0f} s", now)
        if not self.status.overdue and self._is_overdue(now):
            self.set(overdue=True)

    @property
    def _excused(self) -> bool:
        """Whether the log says, and proves, that the gateway stopped, and nothing has answered since."""
        return self.stopped is not None and not self.connected and self.status.verified_size >= self.stopped[0]

    def _is_overdue(self, now: float) -> bool:
        if self.status.state in _SILENT_FOR_GOOD or self._excused or (self.connected and not self.provable):
            return False
        return self._alive_at is not None and now - self._alive_at > STALE_AFTER

    def _judge(self, now: float) -> FeedState:
        """The state of a connected feed by the age of its last fresh checkpoint."""
        status = self.status
        if not self.provable:
            return FeedState.UNPROVEN
        if status.last_checkpoint_at is not None and now - status.last_checkpoint_at <= STALE_AFTER:
            return FeedState.GAP if self._overlooked else FeedState.LIVE
        if status.connected_at is not None and now - status.connected_at <= STALE_AFTER:
            return FeedState.CONNECTING
        return FeedState.STALE

    def _change(self, state: FeedState, detail: str, now: float) -> None:
        if state is FeedState.GAP and not detail:
            last = self.status.gaps[-1]
            detail = f"entries {last.first} to {last.last} were not seen: {last.reason}"
        if self.doubt and state in (FeedState.LIVE, FeedState.GAP):
            detail = f"{detail}; {self.doubt}" if detail else self.doubt
        before = self.status
        if self.broken or (state, detail) == (before.state, before.detail):
            return
        history = before.history
        if state is not before.state:
            history = (*history, (now, state, detail))[-MAX_HISTORY:]
        self.set(state=state, detail=detail, history=history)


def _clocks(behind: float) -> str:
    """A word on a gateway whose clock is not ours; in minutes, so that it does not change with every checkpoint."""
    if abs(behind) <= CLOCKS_DIFFER:
        return ""
    return f"the gateway's clock is {abs(behind) / 60:.0f} min {'behind' if behind > 0 else 'ahead of'} this machine's"
