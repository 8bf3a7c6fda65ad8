"""The alerts: findings gathered by what they are about, and what people did about them."""

import hashlib
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from functools import lru_cache

from msgspec.structs import replace

from mcpwatch.bounded import keep
from mcpwatch.detect.act_checks import ActError, check_act, check_silence, fault_of
from mcpwatch.detect.evidence import Kinds
from mcpwatch.detect.gather import gather, opened
from mcpwatch.detect.life import Life
from mcpwatch.detect.order import is_before, is_same
from mcpwatch.detect.outstanding import Outstanding
from mcpwatch.detect.rules import CATALOGUE
from mcpwatch.detect.silences import MAX_SILENCES, Silences, covers
from mcpwatch.model.alerts import Act, Alert, AlertEvent, AlertState, EventKind, Finding, RuleInfo, Silence
from mcpwatch.model.feed import FeedStatus
from mcpwatch.text import count

MAX_ALERTS = 10_000

_MAX_CROWD = 10_000
_MAX_WAITING = 10_000
"""Alerts that are not there, and for which acts are kept."""
_MAX_ACTS = 64
"""Acts kept for one of those."""
_MAX_IDS = 20_000
"""Ids of which the newest act is known."""
_OF_SILENCES = frozenset({EventKind.SILENCED, EventKind.UNSILENCED})


class AlertBook:
    """All alerts, each for one rule and one subject of one log; none is ever removed.

    An acknowledged alert counts on in silence. It fires again when the acknowledgement runs out, at a higher severity
    than was acknowledged, and when evidence of another kind comes; a resolved one with any new evidence. Subjects
    beyond `limit` go into one alert for each rule and feed.
    """

    def __init__(self, catalogue: Mapping[str, RuleInfo] = CATALOGUE, limit: int = MAX_ALERTS) -> None:
        self.alerts: dict[str, Alert] = {}
        """Alert id -> alert, oldest first."""
        self.origins: dict[str, str] = {}
        """A feed's name -> its log's origin, by which all its watchers call its alerts the same."""
        self._catalogue = catalogue
        self._limit = limit
        self._life = Life()
        self._kinds = Kinds()
        self._silences = Silences()
        self._outstanding = Outstanding()
        self._waiting: OrderedDict[str, list[Act]] = OrderedDict()
        self._newest: OrderedDict[str, int] = OrderedDict()
        """Id -> the newest log entry that acts on it, whether that counts or not."""
        self._counted: OrderedDict[str, int] = OrderedDict()
        """Id -> the newest that counts."""
        self._crowds: dict[str, set[str]] = {}
        """Id of an alert that stands for many -> the ids those would have."""

    @property
    def silences(self) -> Mapping[str, Silence]:
        """The silences in force, by id."""
        return self._silences.all

    def add(self, finding: Finding, time: float, *, live: bool = False, held: float | None = None) -> Alert:
        """Put a finding where it belongs; `time` is the entry's, seconds since the epoch.

        One that is `live` comes from no entry and is news whenever it comes; of others nothing is news that whoever
        acted had been shown. `held` is since when the entry was here, where it is judged again: who acted after that
        had been shown it without what is found now.
        """
        id = fingerprint(finding.rule, self.origin(finding.source), finding.subject)
        alert = self.alerts.get(id)
        if alert is None:
            if len(self.alerts) - len(self._crowds) >= self._limit:
                return self._add_to_crowd(id, finding, time)
            alert = self._open(id, finding, time)
        self._grow(alert, finding, time, live=live, held=held)
        return alert

    def origin(self, source: str) -> str:
        """The log of a feed; the feed's own name where it has none."""
        return self.origins.get(source) or source

    def previous(self, id: str) -> int | None:
        """The newest log entry that acts on an alert or a silence."""
        return self._newest.get(id)

    def began(self, silence: str) -> AlertEvent | None:
        """The act that a silence in force began with."""
        return self._silences.act(silence)

    def check(self, act: Act, known: AlertEvent | None) -> None:
        """Whether somebody may act so who was shown `known` as the newest act there.

        Raises ActError, and StaleAct where more has happened than they were shown.
        """
        if act.event.kind in _OF_SILENCES:
            check_silence(act, self.began(act.id), known)
            if act.event.kind is EventKind.SILENCED and not self._silences.takes(act.id):
                raise ActError(f"There are {MAX_SILENCES:,} silences already", "End one, or widen one with a glob.")
        elif act.id not in self.alerts:
            raise ActError(f"There is no alert {act.id}")
        else:
            check_act(self.alerts[act.id], act, known)

    def take(self, acts: Iterable[Act]) -> None:
        """Take in what people did, here or elsewhere, now or before a restart; in the order of their log.

        An act on an alert that is not there waits for it. What somebody else did since stands, and what has a fault
        changes nothing.
        """
        for act in acts:
            act = self._in_order(act)
            if act.event.kind in _OF_SILENCES:
                self._silence(act)
            elif act.id in self.alerts:
                self._act(self.alerts[act.id], act.event)
            else:
                waiting = self._waiting.get(act.id, [])
                keep(self._waiting, act.id, [*waiting[1 - _MAX_ACTS :], act], _MAX_WAITING)

    def settle(self, id: str, index: int, time: float) -> bool:
        """Take note that an entry that was judged again shows no more what the alert is about.

        An alert whose entries all do is resolved by itself; returns whether it is.
        """
        alert = self.alerts.get(id)
        if alert is None or not self._outstanding.settle(id, index):
            return False
        return self._over(alert, "its entries were judged again, and none shows it any more", time)

    def mend(self, rule: str, feed: FeedStatus, why: str, time: float) -> bool:
        """Take note that what a rule found wrong with a feed is over; returns whether an alert is resolved by that."""
        subject = feed.name or feed.address
        # Whose log it is may not have been known when it was found.
        ids = dict.fromkeys(fingerprint(rule, origin, subject) for origin in (self.origin(feed.name), feed.name))
        over = [self._over(self.alerts[id], why, time) for id in ids if id in self.alerts]
        return any(over)

    def tick(self, now: float) -> list[Alert]:
        """The alerts that changed because time passed: acknowledgements and silences run out by `now`."""
        over = self._life.expire(now)
        # An alert that none covers is told apart faster than it is matched.
        silenced = [alert for alert in self.alerts.values() if alert.silence is not None]
        for silence in self._silences.over(now):
            self._silences.end(silence.id)
            event = AlertEvent(EventKind.EXPIRED, "", "the silence ran out", silence.until, -1)
            over += self._cover(silence, event, silenced)
        return over

    def _over(self, alert: Alert, why: str, time: float) -> bool:
        if alert.state is AlertState.RESOLVED:
            return False
        event = AlertEvent(EventKind.RESOLVED, "", why, time, alert.last_index, alert.severity)
        self._life.write(alert, event)
        self._life.resolve(alert, -1)
        return True

    def _open(self, id: str, finding: Finding, time: float) -> Alert:
        alert = self.alerts[id] = opened(id, self._catalogue.get(finding.rule), finding, time)
        for act in self._waiting.pop(id, []):
            self._act(alert, act.event)
        silence = self._silences.covering(alert, self.origin(alert.source))
        began = self.began(silence.id) if silence is not None else None
        if began is not None:
            self._life.write(alert, began)
            alert.silence = silence
            self._life.settle(alert)
        return alert

    def _grow(
        self, alert: Alert, finding: Finding, time: float, *, live: bool = False, held: float | None = None
    ) -> None:
        gather(alert, finding, time)
        is_shown_now, act = self._outstanding.add(alert.id, finding), alert.last_act
        is_late = is_shown_now and held is not None and act is not None and act.time >= held
        shown = finding.newest
        newest = None if live or is_late or shown < 0 else shown
        self._life.found(alert, finding.severity, newest, self._kinds.add(alert.id, finding), time)

    def _add_to_crowd(self, member: str, finding: Finding, time: float) -> Alert:
        id = fingerprint(finding.rule, self.origin(finding.source))
        crowd = self._crowds.setdefault(id, set())
        # A silence of the first subject must not cover the rest.
        alert = self.alerts.get(id) or self._open(id, replace(finding, subject="further subjects"), time)
        self._grow(alert, finding, time)
        if member in crowd:
            return alert
        if len(crowd) < _MAX_CROWD:
            crowd.add(member)
            alert.subject = count(len(crowd), "further subject")
        else:
            alert.subject = f"more than {len(crowd):,} further subjects"
        rests = alert.acknowledgement
        if rests is not None and finding.newest > rests.last_index:
            self._life.fire(alert, EventKind.FIRED_AGAIN, "it stands for one subject more", time)
        return alert

    def _in_order(self, act: Act) -> Act:
        """An act of a log as it counts: not where its author did not know of the act before."""
        event = act.event
        if event.index is None:
            return act
        if event.index > self._newest.get(act.id, -1):
            keep(self._newest, act.id, event.index, _MAX_IDS)
        before = self._counted.get(act.id, -1)
        if event.fault or event.index <= before:
            return act
        if before >= 0 and (act.previous is None or act.previous < before):
            fault = f"its author did not know of the act at entry {before}"
            return replace(act, event=replace(event, fault=fault))
        keep(self._counted, act.id, event.index, _MAX_IDS)
        return act

    def _act(self, alert: Alert, event: AlertEvent) -> None:
        self._life.act(alert, event, self._kinds.since(alert.id, event.last_index))

    def _silence(self, act: Act) -> None:
        event, silence, last = act.event, act.silence, self._silences.last(act.id)
        if event.fault:
            for alert in self._covered(silence) if silence is not None else ():
                self._life.note(alert, event)
            return
        if last is not None and (is_same(event, last) or is_before(event, last)):
            return
        self._silences.acted(act.id, event)
        if event.kind is EventKind.UNSILENCED:
            ended = self._silences.end(act.id)
            if ended is not None:
                self._cover(ended, event)
        elif silence is not None and fault_of(silence) is None and self._silences.begin(act):
            self._cover(silence, event)

    def _cover(self, silence: Silence, event: AlertEvent, among: Iterable[Alert] | None = None) -> list[Alert]:
        """Let a silence's beginning or end show in the alerts that it covers; returns those."""
        covered = self._covered(silence, among)
        for alert in covered:
            self._life.write(alert, event)
            alert.silence = self._silences.covering(alert, self.origin(alert.source))
            self._life.settle(alert)
        return covered

    def _covered(self, silence: Silence, among: Iterable[Alert] | None = None) -> list[Alert]:
        """The alerts that a silence covers or did."""
        return [
            alert
            for alert in (self.alerts.values() if among is None else among)
            if covers(silence, alert.rule, alert.subject, self.origin(alert.source))
            or (alert.silence is not None and alert.silence.id == silence.id)
        ]


@lru_cache(_MAX_IDS)
def fingerprint(*parts: str) -> str:
    """An alert's id: 12 hex digits of SHA-256 over rule, log and subject, joined by `|`."""
    return hashlib.sha256("|".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:12]
