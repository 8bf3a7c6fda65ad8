"""HTTP Archive 1.2: each exchange as a request and its answer, for the network panel of a browser's developer tools.

Only what the log holds is told: no cookies, no reason phrases, no HTTP version. Members of our own begin with `_`.
"""

import json
from collections.abc import Iterable

from msgspec import Struct, field

from mcpwatch.export.har_parts import request_of, response_of
from mcpwatch.export.head import Head
from mcpwatch.export.notice import notice
from mcpwatch.export.writer import Covered, Piece
from mcpwatch.model.entries import Json
from mcpwatch.model.identity import Verdict
from mcpwatch.text import show
from mcpwatch.watch.printer import encode
from mcpwatch.watch.row import Row
from mcpwatch.watch.state import State
from mcpwatch.watch.times import rfc3339

MAX_OPEN = 2_000
"""Exchanges that are kept until they end; past that the oldest is written as it stands."""
MAX_ANSWER = 1_048_576
"""Octets of leaves of an answer's messages that are kept of one exchange."""


class Exchanged(Struct):
    """The rows of one exchange."""

    asked: Row
    head: Row | None = None
    messages: list[Row] = field(default_factory=list)
    end: Row | None = None
    passes: bool = False
    """Whether the filter lets one of its entries by."""
    octets: int = 0
    left_out: int = 0
    """Messages past `MAX_ANSWER`."""
    last: int = 0
    """Index of its newest entry."""


class HarWriter:
    """Writes an HTTP archive: an exchange goes in whole when one of its entries passes."""

    def __init__(self) -> None:
        self._open: dict[tuple[str, int], Exchanged] = {}
        self._is_first = True

    def row(self, row: Row, state: State, passes: bool) -> Iterable[Piece]:
        """Add an entry to its exchange; the exchange when it is over."""
        exchange = row.seen.exchange
        if exchange is None:
            return
        place = (row.source, exchange.index)
        if row.kind == "request":
            self._open[place] = Exchanged(row)
        held = self._open.get(place)
        if held is None:
            return
        _take(held, row, passes)
        if row.kind == "end":
            yield from _written(self._open.pop(place))
        elif len(self._open) > MAX_OPEN:
            yield from _written(self._open.pop(next(iter(self._open))))

    def rest(self, state: State) -> Iterable[Piece]:
        """The exchanges whose end did not come."""
        for held in self._open.values():
            yield from _written(held)
        self._open.clear()

    def head(self, head: Head) -> str:
        """All up to the first exchange."""
        log = {
            "version": "1.2",
            "creator": {"name": "mcpwatch", "version": head.version},
            "comment": "\n".join(map(show, notice(head))),
            "_export": json.loads(encode(head)),
        }
        return f'{{"log":{encode(log)[:-1]},"entries":['

    def sealed(self, piece: Piece, covered: Covered) -> str:
        """An exchange, with whether its newest entry is proven."""
        before = "\n" if self._is_first else ",\n"
        self._is_first = False
        return f'{before}{piece.text[:-1]},"_proven":{"true" if covered.is_proven else "false"}}}'

    def foot(self, head: Head, state: State) -> str:
        """The end."""
        return "\n]}}\n"


def _take(held: Exchanged, row: Row, passes: bool) -> None:
    held.passes = held.passes or passes
    held.last = row.index
    if row.kind == "response":
        held.head = row
    elif row.kind == "end":
        held.end = row
    elif row.kind == "message":
        held.octets += len(row.entry.leaf)
        if held.octets <= MAX_ANSWER:
            held.messages.append(row)
        else:
            held.left_out += 1


def _written(held: Exchanged) -> Iterable[Piece]:
    if held.passes:
        yield Piece(held.asked.source, held.last, encode(_exchange(held)))


def _exchange(held: Exchanged) -> dict[str, Json]:
    asked = held.asked
    wait = 0.0 if held.head is None else _ms(held.head.time - asked.time)
    over = (held.end or held.head or asked).time
    receive = 0.0 if held.head is None else _ms(over - held.head.time)
    return {
        "startedDateTime": rfc3339(asked.time) or "1970-01-01T00:00:00.000000Z",
        "time": round(wait + receive, 3),
        "request": request_of(asked),
        "response": response_of(held.head, held.messages, held.end, held.left_out),
        "cache": {},
        "timings": {"send": 0, "wait": wait, "receive": receive},
        "comment": show(_comment(held)),
        "_index": asked.index,
        "_last": held.last,
        "_source": asked.source,
        "_server": asked.upstream,
        "_verdict": asked.word,
        "_alerts": list(asked.alerts),
    }


def _comment(held: Exchanged) -> str:
    """The request's index and verdict, with why, and how the exchange ended."""
    asked = held.asked
    said = f"entry {asked.index}: {asked.word or 'no verdict'} {_signer(asked.verdict)}".rstrip()
    ended = held.end.seen.exchange if held.end is not None else None
    outcome = ended.outcome if ended is not None else "no end seen"
    more = f"; {held.left_out} messages left out" if held.left_out else ""
    return f"{said}; {outcome}{more}"


def _signer(verdict: Verdict | None) -> str:
    if verdict is None:
        return ""
    signer = verdict.signer.id if verdict.signer is not None else ""
    return f"{signer} ({'; '.join(verdict.reasons)})" if verdict.reasons else signer


def _ms(seconds: float) -> float:
    return round(max(seconds, 0.0) * 1000, 3)
