"""JSON whose text is signed: read with an eye for what can be read in two ways, written as RFC 8785 (JCS) has it."""

import json
from collections.abc import Sequence
from hashlib import sha256

import rfc8785

from mcpwatch.model.entries import Json


class Uncanonical(ValueError):
    """It has no canonical form: a number beyond what doubles hold exactly, or half a surrogate pair."""


def read_json(text: str) -> tuple[Json, bool]:
    """The value, and whether some member of an object comes twice (RFC 8259, section 4). Raises ValueError."""
    twice: list[bool] = []

    def members(pairs: Sequence[tuple[str, Json]]) -> dict[str, Json]:
        found = dict(pairs)
        if len(found) != len(pairs):
            twice.append(True)
        return found

    try:
        return json.loads(text, object_pairs_hook=members), bool(twice)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def canonical(value: Json) -> bytes:
    """The octets that RFC 8785 gives `value`. Raises Uncanonical."""
    try:
        return rfc8785.dumps(value)
    except (ValueError, RecursionError):
        raise Uncanonical from None


def digest(value: Json) -> str:
    """SHA-256 of the canonical octets as `sha256:` and lower-case hex. Raises Uncanonical."""
    return f"sha256:{sha256(canonical(value)).hexdigest()}"
