"""Which of two acts came first."""

from mcpwatch.model.alerts import AlertEvent


def is_before(one: AlertEvent, other: AlertEvent) -> bool:
    """Whether an act came before another: those in one place by their order there, others by their authors' clocks."""
    if one.index is not None and other.index is not None:
        return one.index < other.index
    if one.seq is not None and other.seq is not None:
        return one.seq < other.seq
    return one.time < other.time


def is_same(one: AlertEvent, other: AlertEvent) -> bool:
    """Whether both are the same act, which came twice."""
    if one.index is not None:
        return one.index == other.index
    return one.seq is not None and one.seq == other.seq
