"""Proofs for whoever asks: that the log only grew, and that an entry is in it (SPEC.md, section 9)."""

import asyncio
import logging
from collections.abc import Callable

from aiohttp import web
from msgspec import Struct

from mcpwatch.feed.decimals import decimal
from mcpwatch.feed.merkle import Frontier
from mcpwatch.feed.proof_answers import ConsistencyAnswer, InclusionAnswer
from mcpwatch.feed.proofs import (
    frontier_at,
    prove_consistency,
    prove_inclusion,
    verify_consistency,
    verify_inclusion,
)
from mcpwatch.gateway.feed_answers import Rejected, as_json
from mcpwatch.gateway.log import Log

logger = logging.getLogger(__name__)


class Proofs:
    """Answers for the sizes up to the newest checkpoint's; the tree is read on another thread."""

    def __init__(self, log: Log) -> None:
        self._log = log

    async def consistency(self, request: web.Request) -> web.StreamResponse:
        """That the tree of `second` entries begins with the tree of `first`."""
        first, second = _number(request, "first"), self._size(request, "second")
        if not 1 <= first <= second:
            raise Rejected(400, "first does not lie between 1 and second", "Ask for an earlier size.")
        return await self._made(lambda: self._consistency(first, second))

    async def inclusion(self, request: web.Request) -> web.StreamResponse:
        """That entry `index` is in the tree of `size` entries."""
        index, size = _number(request, "index"), self._size(request, "size")
        if index >= size:
            raise Rejected(400, "index does not lie below size", "Ask for a size that covers the entry.")
        return await self._made(lambda: self._inclusion(index, size))

    def _size(self, request: web.Request, name: str) -> int:
        size, newest = _number(request, name), self._log.note.size
        if size < 1:
            raise Rejected(400, f"{name} is less than 1", "Ask for the size of a checkpoint.")
        if size > newest:
            raise Rejected(409, f"the log has signed for {newest} entries", "This log is shorter than what you have.")
        return size

    async def _made(self, make: Callable[[], Struct]) -> web.StreamResponse:
        try:
            return as_json(200, await asyncio.to_thread(make))
        except ValueError as error:
            logger.error("the journal does not prove what was signed: %s", error)
            raise Rejected(503, "the journal's tree is damaged", "The gateway's log says more.") from None

    def _consistency(self, first: int, second: int) -> Struct:
        node = self._log.store.node
        frontier, hashes = frontier_at(first, node), prove_consistency(first, second, node)
        verify_consistency(first, second, Frontier.load(first, frontier).root(), self._root(second), hashes)
        return ConsistencyAnswer(first, second, tuple(frontier), tuple(hashes))

    def _inclusion(self, index: int, size: int) -> Struct:
        node = self._log.store.node
        leaf, hashes = node(0, index), prove_inclusion(index, size, node)
        verify_inclusion(leaf, index, size, hashes, self._root(size))
        return InclusionAnswer(index, size, leaf, tuple(hashes))

    def _root(self, size: int) -> bytes:
        return Frontier.load(size, frontier_at(size, self._log.store.node)).root()


def _number(request: web.Request, name: str) -> int:
    """The one value of a query's parameter; raises Rejected."""
    given = request.query.getall(name, [])
    number = decimal(given[0]) if len(given) == 1 else None
    if number is None:
        raise Rejected(400, f"{name} is not a number", f"Give {name} once, in decimal digits.")
    return number
