"""From the sources to the state: judge, fold, observe, apply; nothing that arrives ends it."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import partial

from msgspec import Struct, structs

from mcpwatch.feed.source import Source
from mcpwatch.identity.judge import Judge
from mcpwatch.identity.keys import KeyBook
from mcpwatch.identity.proofs import ProofJudge
from mcpwatch.model.entries import AlertActed, Entry, Message, Request
from mcpwatch.model.feed import FeedState
from mcpwatch.model.identity import ServerProof, Verdict
from mcpwatch.model.traffic import Observation
from mcpwatch.tasks import cancel
from mcpwatch.traffic.fold import Traffic
from mcpwatch.watch.alerting import Alerting
from mcpwatch.watch.listener import Listener
from mcpwatch.watch.one_log import OneLog
from mcpwatch.watch.rejudging import awaited, given_up, grouped, worth
from mcpwatch.watch.row import Row
from mcpwatch.watch.server_proofs import ServerProofs
from mcpwatch.watch.services import place, serve
from mcpwatch.watch.slices import in_slices
from mcpwatch.watch.state import Raised, State
from mcpwatch.watch.waiting import Place, Waiting

logger = logging.getLogger(__name__)

TICK_S = 1.0


class Lane(Struct):
    """One source with the traffic that came from it."""

    source: Source
    traffic: Traffic
    next: int = 0
    """The index of the next entry, unless some are passed over."""


class Pipeline:
    """Reads every lane to its end and writes the state; the only writer there is.

    Batches of entries and requests that are judged again take turns: while one is at work, in slices, the other
    waits, so that requests are judged in their order.
    `services` run beside it, such as the one that fetches keys and then calls `settled`.
    """

    def __init__(
        self,
        state: State,
        lanes: Iterable[Lane],
        keys: KeyBook,
        judge: Judge,
        alerting: Alerting,
        *,
        services: Sequence[Callable[[], Awaitable[None]]] = (),
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.state = state
        self.lanes = {lane.source.name: lane for lane in lanes}
        self.waiting = Waiting()
        self._logs = OneLog(state.feeds)
        self._keys = keys
        self._judge = judge
        self._server_proofs = ServerProofs(state, ProofJudge(keys), self.waiting, self._logs)
        self._alerting = alerting
        self._services = services
        self._clock = clock
        self._listener: Listener | None = None
        self._writing = asyncio.Lock()
        self._settled: dict[str, None] = {}

    async def run(self, listener: Listener | None = None, *, keys_s: float = 0.0) -> None:
        """Take in all sources until each has ended; wait at most `keys_s` for keys that are still asked for then."""
        self._listener = listener
        helpers = [asyncio.create_task(serve(service)) for service in (self._tick_always, *self._services)]
        try:
            await asyncio.gather(*(self._read(lane) for lane in self.lanes.values()))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(keys_s):
                    await self.waiting.emptied(self._writing)
            self._count_rule_failures()
        finally:
            await cancel(*helpers)

    async def close(self) -> None:
        """Close all sources."""
        for lane in self.lanes.values():
            with contextlib.suppress(OSError):
                await lane.source.close()

    def take(self, lane: Lane, entry: Entry) -> Row:
        """Take in one entry."""
        try:
            seen, raised = self._observe(lane, entry)
        except Exception as error:
            seen, raised = self._failure(entry, error), []
        row = self.state.apply(entry, seen, raised)
        if self._listener is not None:
            try:
                self._listener.entry(row, raised)
            except Exception as error:
                self._failed(entry, error)
        self._give_up()
        return row

    async def settled(self, identities: Iterable[str]) -> None:
        """Judge again what waited for the keys of these identities, found or not."""
        self._settled.update(dict.fromkeys(identities))
        async with self._writing:
            settled, self._settled = self._settled, {}
            await in_slices(self._judge_place, self.waiting.take(settled))

    async def repinned(self, identities: Collection[str]) -> None:
        """Judge again what names identities whose pinned keys, or names, changed.

        In a session that has an id, all its requests are, in their order: whom the session is bound to may change
        with them.
        """
        async with self._writing:
            groups = grouped((*self.state.pinned, *self.state.rows), identities)
            await in_slices(self._judge_or_count, self._unbound(groups))

    def tick(self) -> None:
        """Let time pass: sessions fall idle, acknowledgements run out."""
        now = self._clock()
        self.state.advance(now)
        for name, lane in self.lanes.items():
            self.state.touch_calls(lane.traffic.tick(self.state.gateway_now(name)))
            self._set_feed(lane)
        if self._alerting.tick(now):
            self.state.alerts_changed()
        self._count_rule_failures()

    def _count_rule_failures(self) -> None:
        self.state.counts.rule_failures = self._alerting.rule_failures

    async def _read(self, lane: Lane) -> None:
        try:
            async with contextlib.aclosing(lane.source.batches()) as batches:
                async for batch in batches:
                    self.state.advance(self._clock())
                    self._set_feed(lane)
                    async with self._writing:
                        await in_slices(partial(self.take, lane), batch)
            self._set_feed(lane)
        except Exception as error:
            reason = f"mcpwatch failed to read it: {type(error).__name__} in {place(error)}"
            logger.error("feed %r: %s", lane.source.name, reason)
            self.state.set_feed(structs.replace(lane.source.status, state=FeedState.ENDED, detail=reason))

    async def _tick_always(self) -> None:
        while True:
            self.tick()
            await asyncio.sleep(TICK_S)

    def _observe(self, lane: Lane, entry: Entry) -> tuple[Observation, list[Raised]]:
        record, verdict = entry.record, None
        said = record.data if record is not None else None
        if record is not None and isinstance(said, Request):
            verdict = self._verdict(entry, said, record.time.timestamp())
        if entry.index > lane.next:
            self.state.touch_calls(lane.traffic.overlook())
        lane.next = entry.index + 1
        seen = lane.traffic.apply(entry, verdict)
        if isinstance(said, Message):
            seen = self._server_proofs.answer(seen, said.body, entry.received)
        elif isinstance(said, AlertActed):
            seen = self._alerting.act(said, entry, seen)
            self.state.alerts_changed()
        return seen, self._alerting.observe(seen)

    def _verdict(self, entry: Entry, request: Request, time: float) -> Verdict:
        verdict = self._judge.judge(entry.index, request, time, self._logs.of(entry.source), entry.received)
        if verdict.waiting:
            self.waiting.add(awaited(verdict, self._keys, time), (entry.source, entry.index))
        return verdict

    def _unbound(self, groups: Mapping[tuple[str, str | int], list[Row]]) -> Iterator[Row]:
        """The rows of these groups; the session of each is bound to nobody as the first of its rows comes."""
        for (source, session), rows in groups.items():
            if isinstance(session, str):
                self.lanes[source].traffic.unbind(session, rows[0].index)
            yield from rows

    def _judge_place(self, place: Place) -> None:
        source, index = place
        row = self.state.row(index, source)
        if row is None:
            self.state.counts.unjudged += 1
        else:
            self._judge_or_count(row)

    def _give_up(self) -> None:
        """Say of what had to make room for others that wait for keys, that it waits no more."""
        for source, index in self.waiting.given_up():
            row = self.state.row(index, source)
            told = None if row is None else row.verdict or row.seen.proof
            if told is not None and not told.waiting:
                continue
            self.state.counts.unjudged += 1
            if row is None:
                continue
            try:
                if isinstance(told, Verdict):
                    self._put(self.lanes[source], row, given_up(told, self.waiting.limit))
                elif told is not None:
                    self._put_proof(row, given_up(told, self.waiting.limit))
            except Exception as error:
                self._failed(row.entry, error)

    def _judge_or_count(self, row: Row) -> None:
        try:
            self._judge_again(self.lanes[row.source], row)
        except Exception as error:
            self._failed(row.entry, error)
        self._give_up()

    def _judge_again(self, lane: Lane, row: Row) -> None:
        record = row.entry.record
        if record is not None and isinstance(record.data, Message):
            proof = self._server_proofs.again(row, record.data.body)
            if proof is not None:
                self._put_proof(row, proof)
        if record is not None and isinstance(record.data, Request):
            self._put(lane, row, self._verdict(row.entry, record.data, row.time))

    def _put(self, lane: Lane, row: Row, verdict: Verdict) -> None:
        """Give a request another verdict, and with it those of its session whose worth changes."""
        asked = lane.traffic.rejudge(row.index, verdict, row.seen)
        if asked is None and row.seen.rebound is None:
            # The traffic has let go of the exchange; nothing is left there that the verdict could change.
            asked = structs.replace(row.seen, verdict=verdict, rejudged=True)
        for seen in ([asked] if asked else []) + list(lane.traffic.revised()):
            self._revise(seen)

    def _revise(self, seen: Observation) -> None:
        """Take in a request once more, under another verdict; its rules look at it where more than a name changed."""
        held = self.state.row(seen.index, seen.source)
        before = held.verdict if held is not None else None
        if seen.verdict is not None and seen.verdict == before:
            return
        is_worth_as_much = worth(seen.verdict) == worth(before)
        since = held.entry.received if held is not None else None
        raised = [] if is_worth_as_much else self._alerting.observe(seen, since)
        row = self.state.rejudge(seen)
        self.state.raise_alerts(raised, self._clock())
        if held is not None and not is_worth_as_much and self._alerting.settle(held, raised):
            self.state.alerts_changed()
        if self._listener is not None and row is not None:
            self._listener.verdict(row, raised)

    def _put_proof(self, row: Row, proof: ServerProof) -> None:
        """Give an answer another proof, as `_revise` gives a request another verdict."""
        before, seen = row.seen.proof, structs.replace(row.seen, proof=proof, rejudged=True)
        if seen.exchange is not None:
            seen.exchange.proof = proof
        raised = [] if worth(proof) == worth(before) else self._alerting.observe(seen, row.entry.received)
        self.state.prove(seen.index, seen.source, proof)
        self.state.raise_alerts(raised, self._clock())
        if self._listener is not None:
            self._listener.verdict(row, raised)

    def _set_feed(self, lane: Lane) -> None:
        after = lane.source.status
        before = self.state.feeds.get(after.name)
        if after is before:
            return
        self.state.set_feed(after)
        raised, mended = self._alerting.observe_feed(before, after)
        if raised:
            self.state.raise_alerts(raised, self._clock())
        if mended:
            self.state.alerts_changed()
        if self._listener is not None:
            self._listener.feed(before, after)
            if raised:
                self._listener.alerts(raised)

    def _failure(self, entry: Entry, error: Exception) -> Observation:
        """An entry that a room could not take in, as a malformed one."""
        reason = self._failed(entry, error)
        time = entry.record.time.timestamp() if entry.record is not None else entry.received
        return Observation(
            entry.index, entry.source, time, "malformed", note=f"mcpwatch could not take it in: {reason}"
        )

    def _failed(self, entry: Entry, error: Exception) -> str:
        """Count and log a failure of ours; the error's own text may hold anything and stays out."""
        self.state.counts.failures += 1
        reason = f"{type(error).__name__} in {place(error)}"
        logger.error("entry %d of %r: %s", entry.index, entry.source, reason)
        return reason
