"""Whose a request is, by the one verifier, for a gateway that acts on it: keys may have to be fetched first."""

import asyncio
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path

from msgspec.structs import replace

from mcpwatch.gateway.recall import Past, Recalled
from mcpwatch.gateway.shown_request import is_altered, is_hidden
from mcpwatch.identity.judge import FUTURE_S, Judge
from mcpwatch.identity.keys import KeyBook
from mcpwatch.identity.pins import PinFile, pins_path
from mcpwatch.identity.replay import ReplayWindow
from mcpwatch.identity.resolvers import ResolverOptions
from mcpwatch.identity.resolvers.fetch import Fetcher
from mcpwatch.identity.resolvers.service import Resolver
from mcpwatch.identity.schemes import SCHEMES
from mcpwatch.model.entries import Request
from mcpwatch.model.identity import PROVEN, Freshness, Verdict, Word

MAX_WAITING = 100
"""Requests that wait for a key at a time; those above get the verdict there is."""
MAX_PAST = 1_000
"""Requests from before this run that wait for a key."""
MAX_PAST_OCTETS = 64 * 1024 * 1024
"""Of their bodies."""

_UNLOGGED = 1 << 46
"""Above all indexes of entries: what a request is numbered from where the log does not have it."""
_UNCLEAR = frozenset({Word.BAD_SIG, Word.NO_CHECK})
_IN_BODY = frozenset(scheme.name for scheme in SCHEMES if scheme.marks)
"""Schemes whose signatures may stand in the body."""


class Judged:
    """A request with its verdict so far."""

    def __init__(self, request: Request, number: int) -> None:
        self.request = request
        self.number = number
        """Of the request alone, and the entry's index where the log has it."""
        self.received = time.time()
        self.verdict: Verdict

    @property
    def is_good(self) -> bool:
        """Whether the signature proves its signer, and that the request was not sent before: what passes is done."""
        return self.verdict.word in PROVEN and self.verdict.freshness is not Freshness.UNDECIDABLE

    @property
    def signer(self) -> str:
        """Who signed it; empty where nothing proves it."""
        return self.verdict.signer.id if self.is_good and self.verdict.signer is not None else ""


class Verdicts:
    """Judges requests once each, in the order in which they pass."""

    def __init__(self, state: Path, options: ResolverOptions, *, allow_private: bool, window_s: float) -> None:
        """Keys are pinned in the folder `state`. Raises McpwatchError where the pins cannot be used."""
        self._keys = KeyBook()
        self.pins = PinFile(pins_path(state), self._keys)
        self._replays = ReplayWindow(by_index=False)
        self._judge = Judge(self._keys, self._replays, window_s=window_s)
        self._fetcher = Fetcher(allow_private=allow_private)
        self._resolver = Resolver(self._keys, options, self._fetcher, on_resolved=self._resolved)
        self.remembers_s = window_s + FUTURE_S
        """How long a signature can be replayed."""
        self._unlogged = count(_UNLOGGED)
        self._waiting: set[asyncio.Future[None]] = set()
        self._past: deque[Past] = deque()
        self._hidden_until = float("-inf")
        """The newest time, seconds since the epoch, of a request of an earlier run whose body the log does not show."""

    async def run(self) -> None:
        """Fetch keys until cancelled."""
        async with self._fetcher:
            await self._resolver.run()

    def remember(self, recalled: Recalled) -> None:
        """Take note of what was signed before this run; of what waits for a key, once that is there."""
        if recalled.missing_until is not None:
            self._forget_until(recalled.missing_until)
        octets = 0
        for past in recalled.requests:
            if self._waits(past):
                self._past.append(past)
                octets += past.size
            while len(self._past) > MAX_PAST or octets > MAX_PAST_OCTETS:
                # Nobody can tell any more whether this one comes again.
                gone = self._past.popleft()
                octets -= gone.size
                self._forget_until(gone.time)

    def judge(self, request: Request, entry: int | None) -> Judged:
        """The verdict that can be given at once on what is that entry of the log."""
        judged = Judged(request, next(self._unlogged) if entry is None else entry)
        self._weigh(judged)
        return judged

    async def settle(self, judged: Judged, patience_s: float) -> None:
        """Give the verdict once the key is there, or nobody could be asked; after `patience_s` it stays as it is."""
        if len(self._waiting) >= MAX_WAITING:
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(patience_s):
                while judged.verdict.waiting and not self._is_failing(judged):
                    with self._news() as news:
                        await news
                    self._weigh(judged)

    def signer(self, judged: Judged) -> str:
        """Who signed a request, as far as is known by now; empty where nothing proves it."""
        if judged.verdict.waiting:
            self._weigh(judged)
        return judged.signer

    def _weigh(self, judged: Judged) -> None:
        now = judged.received
        verdict = self._judge.judge(judged.number, judged.request, now, received=now)
        if _could_have_come(verdict, self._hidden_until):
            why = "whether it came before cannot be told: the log shows no bodies from before this run"
            verdict = replace(verdict, freshness=Freshness.UNDECIDABLE, word=Word.PARTIAL, reasons=(why,))
        judged.verdict = verdict

    def _is_failing(self, judged: Judged) -> bool:
        signer = judged.verdict.signer
        return signer is not None and self._keys.is_failing(signer.id)

    @contextmanager
    def _news(self) -> Iterator[asyncio.Future[None]]:
        """What is done when a key came, or could not be had."""
        news: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.add(news)
        try:
            yield news
        finally:
            self._waiting.discard(news)

    async def _resolved(self, identities: list[str]) -> None:
        # What came before goes first: of the same octets only one request may pass.
        self._judge_past()
        for news in self._waiting:
            if not news.done():
                news.set_result(None)

    def _judge_past(self) -> None:
        """Keep of the past what still waits for a key, and could still be replayed."""
        since = time.time() - self.remembers_s
        self._past = deque(past for past in self._past if past.time >= since and self._waits(past))

    def _forget_until(self, time: float) -> None:
        self._replays.forgotten_until = max(self._replays.forgotten_until, time)

    def _waits(self, past: Past) -> bool:
        """Judge a request of the past, as far as the log shows it; whether its key has to come first."""
        verdict = self._judge.judge(past.index, past.request, past.time, received=past.time)
        if verdict.waiting:
            return True
        if is_altered(past.request) and _UNCLEAR & {verdict.word, *(other.word for other in verdict.others)}:
            self._forget_until(past.time)
        if past.request.body is not None and is_hidden(past.request.body):
            self._hidden_until = max(self._hidden_until, past.time)
        return False


def _could_have_come(verdict: Verdict, hidden_until: float) -> bool:
    """Whether a signature that stands in the body could be of a request whose body the log does not show."""
    if verdict.scheme not in _IN_BODY or verdict.freshness is not Freshness.FRESH:
        return False
    return verdict.signed_at is None or verdict.signed_at - FUTURE_S <= hidden_until
