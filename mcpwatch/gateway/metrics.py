"""The figures of a gateway in the text format of Prometheus.

Nothing that an agent, a server or a watcher can choose becomes a label.
"""

from collections.abc import Callable, Iterator

from msgspec import Struct
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from mcpwatch.gateway.log import Log
from mcpwatch.gateway.tally import Calls
from mcpwatch.model.health import Health

CONTENT_TYPE = CONTENT_TYPE_LATEST


class _Row(Struct, frozen=True):
    """A figure of the health under its name here."""

    kind: type[GaugeMetricFamily] | type[CounterMetricFamily]
    name: str
    help: str
    value: Callable[[Health], float]


_GAUGE, _COUNTER = GaugeMetricFamily, CounterMetricFamily

ROWS: tuple[_Row, ...] = (
    _Row(_GAUGE, "up", "1 unless the gateway is in trouble.", lambda health: not health.trouble),
    _Row(_GAUGE, "start_time_seconds", "When this run began, since the epoch.", lambda health: health.started),
    _Row(_COUNTER, "log_entries", "Entries of the log, removed ones included.", lambda health: health.size),
    _Row(_GAUGE, "log_oldest_index", "Index of the first entry still kept.", lambda health: health.oldest),
    _Row(_GAUGE, "log_leaf_bytes", "Octets of the entries still kept.", lambda health: health.octets),
    _Row(_GAUGE, "checkpoint_size", "Entries the newest checkpoint covers.", lambda health: health.checkpoint_size),
    _Row(_GAUGE, "checkpoint_age_seconds", "Since the newest one was signed.", lambda health: health.checkpoint_age),
    _Row(_GAUGE, "journal_backlog_bytes", "Octets that wait for the disk.", lambda health: health.backlog),
    _Row(_GAUGE, "journal_backlog_entries", "Entries that wait for the disk.", lambda health: health.waiting),
    _Row(_COUNTER, "journal_lost_entries", "Not taken, as the disk did not keep up.", lambda health: health.lost),
    _Row(_GAUGE, "watchers", "Streams that are open.", lambda health: health.watchers),
    _Row(_GAUGE, "watchers_from_disk", "Those behind what is in memory.", lambda health: health.from_disk),
    _Row(_GAUGE, "watcher_behind_entries", "Of the one that is furthest behind.", lambda health: health.behind),
    _Row(_GAUGE, "exchanges_in_flight", "Exchanges with agents.", lambda health: health.exchanges),
    _Row(_GAUGE, "disk_free_bytes", "Where the journal is.", lambda health: health.disk_free or 0),
)


def exposition(health: Health, log: Log, calls: Calls) -> bytes:
    """All figures."""
    registry = CollectorRegistry()
    registry.register(_Figures(health, log, calls))
    return generate_latest(registry)


class _Figures(Collector):
    def __init__(self, health: Health, log: Log, calls: Calls) -> None:
        self._health = health
        self._log = log
        self._calls = calls

    def collect(self) -> Iterator[Metric]:
        for row in ROWS:
            yield row.kind(f"mcpwatch_{row.name}", row.help, value=float(row.value(self._health)))
        yield CounterMetricFamily("mcpwatch_exchanges", "Exchanges of this run.", value=self._calls.begun)
        refused = CounterMetricFamily(
            "mcpwatch_refused", "Requests the gateway answered itself, by HTTP status.", labels=["status"]
        )
        for status, times in sorted(self._calls.refused.items()):
            refused.add_metric([str(status)], times)
        yield refused
        journal = self._log.journal
        yield CounterMetricFamily("mcpwatch_journal_written_bytes", "Octets of this run.", value=journal.written)
        yield CounterMetricFamily("mcpwatch_journal_failures", "Commits that failed.", value=journal.failures)
        yield HistogramMetricFamily(
            "mcpwatch_journal_commit_seconds",
            "How long commits took.",
            buckets=journal.commits.buckets(),
            sum_value=journal.commits.total,
        )
