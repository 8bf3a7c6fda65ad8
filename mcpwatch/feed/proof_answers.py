"""What a log answers when it is asked for a proof (SPEC.md, section 9)."""

from typing import Annotated, TypeVar

import msgspec
from msgspec import Meta, Struct

from mcpwatch.feed.merkle import HASH_SIZE

MAX_SIZE = 2**53 - 1
"""The largest tree that is spoken of; JSON's readers hold no larger number exactly."""
MAX_HASHES = 64
MAX_ANSWER = 16_384
"""Octets of an answer that are read."""

Hash = Annotated[bytes, Meta(min_length=HASH_SIZE, max_length=HASH_SIZE)]
"""32 octets, base64 on the wire."""
Hashes = Annotated[tuple[Hash, ...], Meta(max_length=MAX_HASHES)]
Answer = TypeVar("Answer", bound=Struct)
Size = Annotated[int, Meta(ge=1, le=MAX_SIZE)]
Index = Annotated[int, Meta(ge=0, lt=MAX_SIZE)]


class ConsistencyAnswer(Struct, frozen=True):
    """That the tree of `second` leaves begins with the tree of `first`: what GET /v1/proof/consistency gives."""

    first: Size
    second: Size
    frontier: Hashes
    """The right edge at `first`, largest subtree first."""
    hashes: Hashes
    """The path of RFC 9162, section 2.1.4.1."""


class InclusionAnswer(Struct, frozen=True):
    """That a leaf stands in the tree of `size` leaves: what GET /v1/proof/inclusion gives."""

    index: Index
    size: Size
    leaf_hash: Hash
    hashes: Hashes
    """The path of RFC 9162, section 2.1.3.1, lowest first."""


def parse_consistency(data: bytes) -> ConsistencyAnswer | None:
    """Read the answer; None when it is something else."""
    return _parse(data, ConsistencyAnswer)


def parse_inclusion(data: bytes) -> InclusionAnswer | None:
    """Read the answer; None when it is something else."""
    return _parse(data, InclusionAnswer)


def _parse(data: bytes, type: type[Answer]) -> Answer | None:
    try:
        return msgspec.json.decode(data, type=type)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
