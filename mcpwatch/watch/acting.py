"""Doing what the operator says to an alert: checked, signed, and written where all who watch will see it."""

import time as time_module
from collections.abc import Awaitable, Callable, Mapping
from typing import NamedTuple

from mcpwatch.detect.act_checks import ActError, checked_note
from mcpwatch.detect.book import AlertBook
from mcpwatch.detect.silences import NEVER_SILENT
from mcpwatch.identity.agent_key import AgentKey
from mcpwatch.identity.signed_acts import sign_act
from mcpwatch.model.alerts import AlertEvent, EventKind, Kept, Severity
from mcpwatch.model.entries import Acted, AlertActed, Risk, SilenceTerms
from mcpwatch.model.feed import MAY_ACT
from mcpwatch.watch.act_store import ActStore
from mcpwatch.watch.operators import ANYBODY, Operators
from mcpwatch.watch.read_acts import act_kept_here
from mcpwatch.watch.state import State

Post = Callable[[AlertActed], Awaitable[int]]
"""Writes an act into a log and returns the entry's index; raises McpwatchError."""

_KINDS: Mapping[EventKind, Acted] = {
    EventKind.ACKNOWLEDGED: "acknowledged",
    EventKind.UNACKNOWLEDGED: "unacknowledged",
    EventKind.RESOLVED: "resolved",
    EventKind.SILENCED: "silenced",
    EventKind.UNSILENCED: "unsilenced",
}

_SEVERITIES: Mapping[Severity, Risk] = {
    Severity.LOW: "low",
    Severity.MEDIUM: "medium",
    Severity.HIGH: "high",
    Severity.CRITICAL: "critical",
}

_LISTING = "For your acts to count, {} has to be in [watch] operators of config.toml."


class Wish(NamedTuple):
    """What the operator wants done."""

    kind: EventKind
    id: str
    """The alert's, or the silence's."""
    source: str
    """The feed that it is about."""
    note: str
    known: AlertEvent | None
    """The newest act on it that the operator was shown."""
    last_index: int = -1
    """The newest entry of the alert that the operator was shown."""
    silence: SilenceTerms | None = None


class Acting:
    """Acts in the operator's name; `posts` are the feeds that may take acts, by name, and `clock` tells the epoch."""

    def __init__(
        self,
        book: AlertBook,
        state: State,
        store: ActStore,
        key: Callable[[], AgentKey],
        author: str,
        posts: Mapping[str, Post] | None = None,
        clock: Callable[[], float] = time_module.time,
        operators: Operators = ANYBODY,
        fingerprint: Callable[[], str] = str,
    ) -> None:
        """`fingerprint` is of the key that `key` gives, without making one; empty where there is none so far."""
        self.author = author
        self._book = book
        self._state = state
        self._store = store
        self._key = key
        self._posts = {} if posts is None else posts
        self._clock = clock
        self._operators = operators
        self._look_up = fingerprint
        self._fingerprint = ""

    @property
    def fingerprint(self) -> str:
        """Of the key that acts are signed with; empty before the first one of all."""
        if not self._fingerprint:  # Another watcher of this user may have made the key since.
            self._fingerprint = self._look_up()
        return self._fingerprint

    def place(self, source: str, rule: str = "") -> Kept:
        """Where an act on an alert of this feed and rule is written.

        What this watcher finds wrong with a feed is its own finding, and no business of that feed's log.
        """
        feed = self._state.feeds.get(source)
        may_act = feed is not None and MAY_ACT in feed.scopes and source in self._posts
        return Kept.LOG if may_act and not rule.startswith(NEVER_SILENT) else Kept.HERE

    async def do(self, wish: Wish, rule: str = "") -> Kept:
        """Check, sign and write an act; what goes into a log counts once it comes back from there.

        Raises ActError and StaleAct for what cannot be done, and ConnectError, RefusedError and LocalError where it
        cannot be written.
        """
        acted = self._signed(wish)
        if self._operators.fault(self.fingerprint):
            raise ActError("Your key is not listed, so this would not count", _LISTING.format(self.fingerprint))
        act = act_kept_here(acted)
        place = self.place(wish.source, rule)
        if place is Kept.HERE:
            # What another watcher of this machine wrote a moment ago comes first.
            self._book.take(self._store.others())
        self._book.check(act, wish.known)
        if act.event.fault:
            raise ActError(f"This would not count: {act.event.fault}", "Nothing was changed.")
        if place is Kept.LOG:
            await self._posts[wish.source](acted)
        else:
            self._book.take([self._store.append(acted)])
            self._state.alerts_changed()
        return place

    def _signed(self, wish: Wish) -> AlertActed:
        alert = self._book.alerts.get(wish.id)
        acted = AlertActed(
            alert=wish.id,
            kind=_KINDS[wish.kind],
            author=_storable(self.author),
            note=checked_note(_storable(wish.note)),
            time=int(self._clock()),
            origin=self._book.origin(wish.source),
            key="",
            signature="",
            last_index=wish.last_index if wish.last_index >= 0 else None,
            severity=_SEVERITIES[alert.severity] if alert is not None else None,
            previous=self._book.previous(wish.id),
            silence=wish.silence,
        )
        key = self._key()
        self._fingerprint = key.fingerprint
        return sign_act(key, acted)


def _storable(text: str) -> str:
    """The text without halves of surrogate pairs, which a terminal may deliver and UTF-8 cannot hold."""
    return text.encode("utf-8", "replace").decode()
