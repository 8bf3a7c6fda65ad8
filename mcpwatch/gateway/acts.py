"""Acts on alerts: taken into the log when they are well-formed, signed, and made knowing the one before."""

import asyncio
import time
from collections import OrderedDict
from datetime import UTC, datetime

import msgspec
from msgspec import Struct

from mcpwatch.bounded import keep
from mcpwatch.feed.envelope import decode
from mcpwatch.gateway.feed_answers import Rejected
from mcpwatch.gateway.journal import Unwritable
from mcpwatch.gateway.log import Log
from mcpwatch.identity.signed_acts import DID, act_fault
from mcpwatch.model.entries import AlertActed

MAX_BODY = 16_384
"""Octets."""
PER_MINUTE = 120
MAX_IDS = 20_000
"""Ids of which the newest act is remembered."""
DISK_SECONDS = 5.0
"""How long an act waits for the disk."""
_MINUTE = 60.0

_decoder = msgspec.json.Decoder(AlertActed)


class Newest(Struct, frozen=True):
    """The newest act on one id."""

    index: int
    act: AlertActed


class Acts:
    """Writes acts into a log; each id's newest one is remembered from the journal on."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._newest: OrderedDict[str, Newest] = OrderedDict()
        self._minute = 0.0
        self._left = PER_MINUTE
        for index, leaf in log.store.acts():
            record = decode(leaf)
            if isinstance(record.data, AlertActed):
                self._remember(index, record.data)

    async def take(self, id: str, body: bytes) -> int:
        """Write the act in `body` and return its index, once it is on the disk and signed for. Raises Rejected."""
        self._count()
        act = _read(body)
        if act.alert != id:
            raise Rejected(400, "the act is about another alert than its address", "Post it to its own alert.")
        fault = act_fault(act, self._log.key.origin, time.time())
        if fault:
            raise Rejected(400, fault, "Sign it anew, for this log and with the time of now.")
        if act.last_index is not None and act.last_index >= self._log.size:
            raise Rejected(400, "it names an entry that has not come", "Say the newest entry that you were shown.")
        self._compare(act)
        try:
            index = self._log.append(act)
        except Unwritable:
            raise Rejected(503, "the journal cannot be written just now", "Try again.", 1) from None
        self._remember(index, act)
        try:
            async with asyncio.timeout(DISK_SECONDS):
                await self._log.sign_now()
        except TimeoutError:
            raise Rejected(503, "the disk does not keep up", "It may yet come; look before trying again.", 1) from None
        return index

    def _count(self) -> None:
        now = time.monotonic()
        if now - self._minute >= _MINUTE:
            self._minute, self._left = now, PER_MINUTE
        if self._left <= 0:
            wait = max(int(self._minute + _MINUTE - now), 1)
            raise Rejected(429, f"more than {PER_MINUTE} acts in a minute", f"Wait {wait} s.", wait)
        self._left -= 1

    def _compare(self, act: AlertActed) -> None:
        """Refuse what was decided without knowing the newest act on the same id."""
        newest = self._newest.get(act.alert)
        # Who came after an entry was removed cannot name it.
        if newest is None or newest.index == act.previous or newest.index < self._log.store.oldest:
            return
        done = newest.act
        when = datetime.fromtimestamp(done.time, UTC).isoformat().replace("+00:00", "Z")
        reason = f"{done.author} {DID[done.kind]} at {when} (entry {newest.index}): {done.note}"
        raise Rejected(409, reason, "Look at its history, then say it again if it still holds.")

    def _remember(self, index: int, act: AlertActed) -> None:
        keep(self._newest, act.alert, Newest(index, act), MAX_IDS)


def _read(body: bytes) -> AlertActed:
    try:
        act = _decoder.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise Rejected(400, f"not an act: {str(error)[:200]}", "SPEC.md, section 8, says what one is.") from None
    except RecursionError:
        raise Rejected(400, "nested too deeply", "SPEC.md, section 8, says what an act is.") from None
    if msgspec.json.encode(act) != body:
        raise Rejected(400, "not in canonical form", "SPEC.md, section 2.1, says what that is.")
    return act
