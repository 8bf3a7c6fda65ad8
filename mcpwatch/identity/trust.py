"""The ways that trust takes: from the operator's roots, over vouches that were verified here, to an identity."""

from collections import OrderedDict, deque
from collections.abc import Collection, Iterable, Iterator, Mapping

from msgspec.structs import replace

from mcpwatch.identity.vouches import Checked, time_fault
from mcpwatch.model.trust import Step

MAX_VOUCHES = 10_000
MAX_EACH = 64
"""Vouches for one identity."""
MAX_HOPS = 6
"""Steps between a root and an identity."""
_GONE = "the registry lists it no longer: it was revoked or has run out"


class TrustGraph:
    """Vouches by the identity they are for, bounded: past the limit the identity that was put in longest ago goes."""

    def __init__(self, limit: int = MAX_VOUCHES) -> None:
        self._limit = limit
        self._for: OrderedDict[str, tuple[Checked, ...]] = OrderedDict()
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def put(self, target: str, vouches: Iterable[Checked]) -> None:
        """Take these for all that vouches for `target`. Those that held before and are gone count no longer."""
        found = list(vouches)[:MAX_EACH]
        listed = {checked.vouch.id for checked in found}
        before = self._for.pop(target, ())
        gone = [each for each in before if each.vouch.id not in listed and not each.fault]
        found += [replace(each, fault=_GONE) for each in gone[: MAX_EACH - len(found)]]
        self._for[target] = tuple(found)
        self._count += len(found) - len(before)
        while len(self._for) > 1 and max(self._count, len(self._for)) > self._limit:
            self._count -= len(self._for.popitem(last=False)[1])

    def steps(self, target: str, now: float, ignored: Collection[str] = ()) -> tuple[Step, ...]:
        """Every vouch for `target` with what is wrong with it, but for those of ignored vouchers."""
        return tuple(
            replace(checked.step, fault=checked.fault or time_fault(checked.vouch, now))
            for checked in self._for.get(target, ())
            if checked.vouch.voucher not in ignored
        )

    def path(self, roots: Collection[str], id: str, now: float, ignored: Collection[str] = ()) -> tuple[Step, ...]:
        """The shortest way from a root to `id` over vouches that hold and are in force; empty where there is none.

        Looks at each vouch at most once. What an ignored voucher says, root or not, leads nowhere.
        """
        onward: dict[str, str] = {}
        queue = deque([(id, 0)])
        while queue:
            target, hops = queue.popleft()
            for checked in self._standing(target, now):
                voucher = checked.vouch.voucher
                if voucher in onward or voucher == id or voucher in ignored:
                    continue
                onward[voucher] = target
                if voucher in roots:
                    return self._unrolled(voucher, onward, now)
                if hops + 1 < MAX_HOPS:
                    queue.append((voucher, hops + 1))
        return ()

    def _standing(self, target: str, now: float) -> Iterator[Checked]:
        """The vouches for `target` that hold and are in force."""
        for checked in self._for.get(target, ()):
            if not checked.fault and checked.vouch.target == target and not time_fault(checked.vouch, now):
                yield checked

    def _unrolled(self, root: str, onward: Mapping[str, str], now: float) -> tuple[Step, ...]:
        """The steps from a root to where nothing leads on, each with the scopes of all its vouches."""
        steps: list[Step] = []
        here = root
        while here in onward:
            found = [checked for checked in self._standing(onward[here], now) if checked.vouch.voucher == here]
            scopes = tuple(dict.fromkeys(checked.vouch.scope for checked in found))
            steps.append(replace(found[0].step, scopes=scopes))
            here = onward[here]
        return tuple(steps)
