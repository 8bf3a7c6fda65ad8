"""Whether a signed time is recent."""

from mcpwatch.model.identity import Freshness

_REMEMBERED = 100_000
"""Entries that are remembered to have been dated back."""


def freshness(
    created: float | None, expires: float | None, now: float, window_s: float, future_s: float, what: str = "request"
) -> tuple[Freshness, str]:
    """How a signature made at `created` and ending at `expires` stands at `now`, when `what` came, and why.

    All times are seconds since the epoch; `expires` can only shorten the window (RFC 9421 section 2.3).
    """
    if expires is not None and now > expires:
        return Freshness.STALE, f"the signature expired {now - expires:.0f} s before the {what}"
    if created is None:
        return Freshness.UNDECIDABLE, "nothing signed says when"
    if now - window_s <= created <= now + future_s:
        return Freshness.FRESH, ""
    if created > now:
        return Freshness.FUTURE, f"signed {created - now:.0f} s after the {what} came"
    return Freshness.STALE, f"signed {now - created:.0f} s before the {what} came; {window_s:.0f} s are allowed"


class Calendar:
    """The latest entry time of each feed: a gateway that dates entries back could make old signatures look fresh."""

    def __init__(self, window_s: float) -> None:
        self._window_s = window_s
        self._latest: dict[str, tuple[int, float]] = {}
        self._dated_back: dict[tuple[str, int], float] = {}

    def behind(self, source: str, index: int, now: float) -> float:
        """Seconds by which entry `index` is older than one before it; 0.0 within the window. Asked again, the same."""
        latest_index, latest = self._latest.get(source, (-1, now))
        if index <= latest_index:
            return self._dated_back.get((source, index), 0.0)
        if now >= latest:
            self._latest[source] = index, now
        elif latest - now > self._window_s:
            if len(self._dated_back) < _REMEMBERED:
                self._dated_back[source, index] = latest - now
            return latest - now
        return 0.0
