"""Exchanges: every HTTP request with its answer, while it lasts and for some time after."""

from collections.abc import Iterator

from mcpwatch.model.traffic import Exchange
from mcpwatch.traffic.eviction import EvictingTable
from mcpwatch.traffic.records import Flow


class Exchanges:
    """The exchanges of one feed, by the index of the request's entry."""

    def __init__(self, limit: int) -> None:
        self.table: EvictingTable[int, Flow] = EvictingTable(limit)
        self.all: dict[int, Exchange] = {}

    def add(self, flow: Flow) -> Flow | None:
        """Take in a new exchange; returns the one that had to go for it, if any."""
        index = flow.exchange.index
        gone = self.table.put(index, flow)
        if gone is not None:
            self.all.pop(gone.exchange.index, None)
        self.all[index] = flow.exchange
        return gone

    def get(self, index: int) -> Flow | None:
        """The exchange whose request has that index, if it is still held."""
        return self.table.items.get(index)

    def finish(self, flow: Flow) -> None:
        """Say that an exchange is over."""
        self.table.finish(flow.exchange.index)

    def open(self) -> Iterator[Flow]:
        """The exchanges that have not ended."""
        return (flow for flow in list(self.table.items.values()) if flow.exchange.ended is None)
