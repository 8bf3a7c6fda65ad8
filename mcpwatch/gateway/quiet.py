"""A logger for aiohttp's servers, whose errors quote the octets they could not read: credentials, perhaps."""

import logging
import traceback

from aiohttp.http import HttpProcessingError


class _Discreet(logging.Filter):
    """Keeps the kind of an error and where it came up; an agent that speaks no HTTP is not worth a line."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if error is None:
            return True
        if isinstance(error, HttpProcessingError):
            return False
        frames = traceback.extract_tb(error.__traceback__)
        place = f"{frames[-1].filename}:{frames[-1].lineno}" if frames else "nowhere"
        record.msg, record.args = "%s at %s", (type(error).__name__, place)
        record.exc_info = record.exc_text = None
        return True


logger = logging.getLogger(__name__)
logger.addFilter(_Discreet())
