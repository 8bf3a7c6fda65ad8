"""Whether the other end of a connection takes what it is sent, however slowly."""

import asyncio
import fcntl
import struct
import termios

STEPS = 20
"""How often one looks while one waits."""


async def outlast(transport: asyncio.Transport, left: int, patience: float) -> None:
    """Return once the transport takes more.

    Raises TimeoutError when the other end took nothing for `patience` seconds, `left` being what was unsent that long
    ago, and ConnectionError when it is gone.
    """
    _, limit = transport.get_write_buffer_limits()
    idle = patience
    while (now := unsent(transport)) and transport.get_write_buffer_size() > limit:
        if transport.is_closing():
            raise ConnectionResetError
        idle = 0.0 if now < left else idle
        if idle >= patience:
            raise TimeoutError
        left = now
        await asyncio.sleep(patience / STEPS)
        idle += patience / STEPS


def unsent(transport: asyncio.WriteTransport) -> int:
    """Octets that the other end has not acknowledged, the system's buffer included."""
    waiting = transport.get_write_buffer_size()
    found = transport.get_extra_info("socket")
    try:
        (queued,) = struct.unpack("i", fcntl.ioctl(found.fileno(), termios.TIOCOUTQ, b"\0" * 4))
    except (OSError, AttributeError):
        return waiting
    return waiting + int(queued)
