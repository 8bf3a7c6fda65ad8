"""From where the requests came that show an alert and prove nobody."""

from mcpwatch.model.alerts import Alert
from mcpwatch.model.identity import PROVEN
from mcpwatch.policy.policy import is_of_feed
from mcpwatch.watch.state import State


def senders(alert: Alert, state: State) -> dict[str, int]:
    """Address -> the newest entry that came from there, newest first; none where no entry has one.

    The entry of an alert about the log itself tells when it was, and nobody sent it for that.
    """
    if is_of_feed(alert.rule):
        return {}
    peers: dict[str, int] = {}
    for row in reversed(state.rows_of_alert(alert)):
        verdict, exchange = row.request_verdict, row.seen.exchange
        if exchange is not None and exchange.peer and (verdict is None or verdict.word not in PROVEN):
            peers.setdefault(exchange.peer, exchange.index)
    return peers
