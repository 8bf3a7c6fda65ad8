"""What a log says of itself at GET /v1/checkpoint (SPEC.md, section 4)."""

from typing import Annotated

import msgspec
from msgspec import Meta, Struct

MAX_ABOUT = 262_144
"""Octets of the answer that are read."""


class About(Struct, frozen=True):
    """The log's newest checkpoint with what is needed to start there."""

    origin: str
    keys: tuple[str, str]
    """C2SP verifier keys of types 0x01 and 0x04."""
    note: str
    """The signed note of the newest checkpoint."""
    frontier: tuple[bytes, ...]
    """The right edge at that checkpoint, largest subtree first, base64 on the wire."""
    oldest: Annotated[int, Meta(ge=0, le=2**53 - 1)] = 0
    """Index of the first entry still kept."""
    capture: str = ""
    """How much of bodies enters the log: full, masked or digest."""
    scopes: tuple[str, ...] = ()
    """What the token that came with the request may do."""


def parse_about(data: bytes) -> About | None:
    """Read the answer; None when it is something else."""
    try:
        return msgspec.json.decode(data, type=About)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
