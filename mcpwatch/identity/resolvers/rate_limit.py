"""How often one host is asked: a token bucket, and silence for as long as the host wants it."""

from collections import OrderedDict

from mcpwatch.bounded import keep

TRUSTED_BURST, TRUSTED_RATE = 60, 1.0
"""At most 120 in any minute, which is what the public AIP registry takes from one address."""
BURST, RATE = 10, 0.2
"""For hosts that requests name: they did not ask for our visits, and whoever writes a request chooses them."""
ALL_BURST, ALL_RATE = 100, 10.0
"""For all such hosts together: a flood of made-up names must not make us a flood of questions."""
MAX_HOSTS = 4096


class _Host:
    __slots__ = ("burst", "free_at", "quiet_until", "rate", "stamp", "tokens")

    def __init__(self, burst: float, rate: float, now: float) -> None:
        self.burst, self.rate = burst, rate
        self.tokens, self.stamp = burst, now
        self.free_at = now
        self.quiet_until = float("-inf")

    def wait(self, now: float) -> float:
        """0 when there is a token, which is left; otherwise seconds until this turn, a later one for each who asks."""
        self.tokens = min(self.burst, self.tokens + (now - self.stamp) * self.rate)
        self.stamp = now
        if self.tokens >= 1:
            return 0.0
        self.free_at = max(self.free_at, now - self.tokens / self.rate) + 1 / self.rate
        return self.free_at - now


class RateLimit:
    """One bucket a host, bounded; times are seconds of one clock that only goes forward."""

    def __init__(self, limit: int = MAX_HOSTS) -> None:
        self._limit = limit
        self._trusted: OrderedDict[str, _Host] = OrderedDict()
        self._named: OrderedDict[str, _Host] = OrderedDict()
        self._all: _Host | None = None

    def quiet(self, host: str, now: float, trusted: bool) -> float:
        """Seconds for which the host wants to be left alone; 0 when it may be asked."""
        known = (self._trusted if trusted else self._named).get(host)
        return max(known.quiet_until - now, 0.0) if known is not None else 0.0

    def silence(self, host: str, now: float, trusted: bool, seconds: float) -> None:
        """Leave the host alone for so long."""
        self._of(host, now, trusted).quiet_until = now + seconds

    def take(self, host: str, now: float, trusted: bool) -> float:
        """0 when the host may be asked once; otherwise seconds until it may be, a later turn for each who is told."""
        if trusted:
            return self._taken(now, self._of(host, now, trusted))
        self._all = self._all or _Host(ALL_BURST, ALL_RATE, now)
        # A host that is not asked is not remembered: made-up names push no other host's silence out.
        return self._all.wait(now) or self._taken(now, self._of(host, now, trusted), self._all)

    @staticmethod
    def _taken(now: float, host: _Host, *others: _Host) -> float:
        wait = host.wait(now)
        if not wait:
            for bucket in (host, *others):
                bucket.tokens -= 1
        return wait

    def _of(self, host: str, now: float, trusted: bool) -> _Host:
        table = self._trusted if trusted else self._named
        one = table.get(host)
        if one is None:
            one = _Host(TRUSTED_BURST, TRUSTED_RATE, now) if trusted else _Host(BURST, RATE, now)
            keep(table, host, one, self._limit)
        return one
