"""Requests being served: each in its task, all of them ended when their listener closes."""

import asyncio
from abc import ABC, abstractmethod

from aiohttp import web

from mcpwatch.gateway.answer import Answer
from mcpwatch.gateway.arrival import Arrival
from mcpwatch.gateway.refusal import Refusal


class Serving(ABC):
    """Handles the requests of one listener; `serve` says how."""

    def __init__(self) -> None:
        self.running: set[asyncio.Task[None]] = set()
        self.stopping = False

    @abstractmethod
    async def serve(self, arrival: Arrival, answer: Answer) -> None:
        """Serve one request; the answer has been written when this returns. Cancelled when the agent leaves."""

    def unreadable(self, peer: str, refusal: Refusal) -> None:
        """Take note that `peer` sent what cannot be read as a request, and gets that answer."""
        return

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Serve one request of aiohttp's."""
        answer = Answer(request)
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 (requests are served in tasks)
        self.running.add(task)
        try:
            await self.serve(Arrival(request), answer)
        finally:
            self.running.discard(task)
        return answer

    async def stop(self, grace: float) -> None:
        """Give exchanges `grace` seconds to end by themselves, then end them."""
        self.stopping = True
        if self.running:
            _, late = await asyncio.wait(self.running, timeout=grace)
            for task in late:
                task.cancel()
            if late:
                await asyncio.wait(late)
