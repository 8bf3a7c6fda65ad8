"""What a check found and whether it passes; every format is written from this alone.

A field may be added; none is renamed or taken away.
"""

from collections.abc import Collection, Sequence
from importlib.metadata import version

from msgspec import Struct, structs

from mcpwatch.errors import ConnectError, IntegrityError, McpwatchError, RefusedError
from mcpwatch.feed.upto import UpTo
from mcpwatch.model.alerts import Alert, AlertState, Severity
from mcpwatch.model.feed import FeedState
from mcpwatch.text import count
from mcpwatch.watch.json_lines import AlertLine, alert_line
from mcpwatch.watch.senders import senders
from mcpwatch.watch.state import State
from mcpwatch.watch.subjects import with_names
from mcpwatch.watch.times import rfc3339


class CheckedFeed(Struct, frozen=True):
    """A feed as far as it was read."""

    source: str
    address: str
    origin: str
    """The log's own name."""
    state: str
    detail: str
    entries: int
    """Read by this check."""
    size: int | None
    """What was to be read: all entries below this; null where the feed never said."""
    verified_size: int
    """Entries below this are proven by a checkpoint that was verified here."""
    checkpoint_time: str
    """When that checkpoint was signed, by the gateway's clock; empty where none holds or it does not say."""
    gaps: tuple[tuple[int, int], ...]
    """First and last index of each gap, both included."""
    is_proven: bool
    """A checkpoint that holds covers all that was to be read."""
    fault: str
    """Why it is not proven; empty where it is."""


class CheckedAlert(AlertLine, frozen=True, tag="alert", kw_only=True):
    """An alert with all that a line of `tail --json` says of it."""

    fails: bool
    """Whether it makes the check fail."""
    about: str
    """The subject, with the operator's names for signers before their ids."""
    because: str
    """The reason, with the same names."""
    senders: tuple[str, ...]
    """Addresses from which the requests came that prove nobody, newest first; at most 8."""


class Report(Struct, frozen=True, tag="check", kw_only=True):
    """One check."""

    passed: bool
    exit_code: int
    reasons: tuple[str, ...]
    """Why it did not pass."""
    fail_on: str
    """The lowest severity that fails; `never` for none."""
    filter: str
    feeds: tuple[CheckedFeed, ...]
    alerts: tuple[CheckedAlert, ...]
    """Worst first."""
    waiting: int
    """Requests whose keys had not come when it ended: they are not judged to the end."""
    version: str
    """Of mcpwatch."""


class Terms(Struct, frozen=True):
    """What makes a check fail, besides a feed that is not proven."""

    fail_on: Severity | None = Severity.HIGH
    """The lowest severity; None for none."""
    with_resting: bool = False
    """Whether alerts count that somebody acknowledged, silenced or resolved."""
    filter: str = ""


class _Unproven(Struct, frozen=True):
    """A row: what keeps a feed in one of these states from being proven."""

    error: type[McpwatchError]
    says: str
    states: frozenset[FeedState]


_UNPROVEN: tuple[_Unproven, ...] = (
    _Unproven(IntegrityError, "the log does not hold", frozenset({FeedState.BROKEN, FeedState.ROLLBACK})),
    _Unproven(IntegrityError, "the feed has no log, so nothing proves it", frozenset({FeedState.UNPROVEN})),
    _Unproven(RefusedError, "the gateway refuses", frozenset({FeedState.REFUSED})),
    _Unproven(ConnectError, "the connection is lost", frozenset({FeedState.CONNECTING, FeedState.DISCONNECTED})),
)


def examine(state: State, feeds: Sequence[UpTo], terms: Terms, shown: Collection[str], waiting: int) -> Report:
    """The report on feeds that were read to their end; `shown` are the ids of the alerts that the filter lets by."""
    alerts = sorted(
        (checked(alert, state, terms) for alert in state.alerts.values() if alert.id in shown),
        key=lambda alert: (-Severity[alert.severity.upper()], alert.last_time, alert.id),
    )
    told = [_feed(feed, state) for feed in feeds]
    faults = [(_code(feed), f"{feed.name or feed.address}: {_fault(feed)}") for feed in feeds if not feed.is_proven]
    faults += [(McpwatchError.exit_code, reason) for reason in _reasons(alerts, state, terms)]
    return Report(
        passed=not faults,
        exit_code=max((code for code, _ in faults), default=0),
        reasons=tuple(reason for _, reason in faults),
        fail_on=terms.fail_on.name.lower() if terms.fail_on else NEVER,
        filter=terms.filter,
        feeds=tuple(told),
        alerts=tuple(alerts),
        waiting=waiting,
        version=version("mcpwatch-tui"),
    )


_SENDERS = 8
NEVER = "never"
"""The `--fail-on` that no alert reaches."""


def checked(alert: Alert, state: State, terms: Terms = Terms()) -> CheckedAlert:  # noqa: B008
    """An alert as it stands now, and whether it fails by these terms."""
    grave = terms.fail_on is not None and alert.severity >= terms.fail_on
    return CheckedAlert(
        **structs.asdict(alert_line(alert)),
        fails=grave and (terms.with_resting or alert.state is AlertState.FIRING),
        about=with_names(alert.subject, alert, state),
        because=with_names(alert.reason, alert, state),
        senders=tuple(senders(alert, state))[:_SENDERS],
    )


def _reasons(alerts: Sequence[CheckedAlert], state: State, terms: Terms) -> list[str]:
    """Why feeds that are proven do not pass; what mcpwatch itself could not do fails too."""
    reasons: list[str] = []
    failing = sum(alert.fails for alert in alerts)
    if failing and terms.fail_on:
        reasons.append(f"{count(failing, 'alert')} of severity {terms.fail_on.name.lower()} or above")
    if state.counts.rule_failures:
        reasons.append(f"a rule of mcpwatch failed on {count(state.counts.rule_failures, 'entry')}")
    if state.counts.failures:
        reasons.append(f"mcpwatch could not take in {count(state.counts.failures, 'entry')}")
    return reasons


def _feed(feed: UpTo, state: State) -> CheckedFeed:
    status = feed.status
    checkpoint = status.checkpoint
    return CheckedFeed(
        source=status.name,
        address=status.address,
        origin=status.origin,
        state=status.state.value,
        detail=status.detail,
        entries=state.counts.sources[status.name],
        size=feed.size,
        verified_size=status.verified_size,
        checkpoint_time=rfc3339(checkpoint.time) if checkpoint is not None and checkpoint.time is not None else "",
        gaps=tuple((gap.first, gap.last) for gap in status.gaps),
        is_proven=feed.is_proven,
        fault="" if feed.is_proven else _fault(feed),
    )


def _code(feed: UpTo) -> int:
    state = feed.status.state
    return next((row.error for row in _UNPROVEN if state in row.states), IntegrityError).exit_code


def _fault(feed: UpTo) -> str:
    """Why a feed is not proven, as words after its name."""
    status = feed.status
    says = next((row.says for row in _UNPROVEN if status.state in row.states), "")
    if not says and status.gaps:
        says = f"entries {status.gaps[0].first} to {status.gaps[0].last} are missing"
    if not says:
        says = "no checkpoint holds" if status.checkpoint is None else "no checkpoint covers all of its entries"
    return f"{says}: {status.detail}" if status.detail else says
