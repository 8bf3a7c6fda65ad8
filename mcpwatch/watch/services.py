"""What runs beside the pipeline, and how failures are told: never by their own text, which may hold anything."""

import logging
from collections.abc import Awaitable, Callable

logger = logging.getLogger(__name__)


async def serve(service: Callable[[], Awaitable[None]]) -> None:
    """Run a service until cancelled; one that fails leaves the rest running."""
    try:
        await service()
    except Exception as error:
        logger.error("a service of the pipeline ended: %s in %s", type(error).__name__, place(error))


def place(error: Exception) -> str:
    """Where an exception was raised: module and line."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_globals.get('__name__')}:{trace.tb_lineno}" if trace is not None else "?"
