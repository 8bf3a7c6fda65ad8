"""JSON that can be read in one way only, as what is signed must be."""

import json
from collections.abc import Sequence
from typing import NoReturn

from mcpwatch.model.entries import Json

MAX_TEXT = 65_536
"""Characters of an object that are read, unless the caller says otherwise."""


def read_json(text: str) -> tuple[Json, bool]:
    """The value, and whether some member of an object comes twice (RFC 8259, section 4).

    Raises ValueError for what is not JSON, `NaN` and the like among it, or is nested too deeply.
    """
    twice: list[bool] = []

    def members(pairs: Sequence[tuple[str, Json]]) -> dict[str, Json]:
        found = dict(pairs)
        if len(found) != len(pairs):
            twice.append(True)
        return found

    try:
        return json.loads(text, object_pairs_hook=members, parse_constant=_refuse), bool(twice)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def strict_object(text: str | bytes, limit: int = MAX_TEXT) -> dict[str, object] | None:
    """The members of a JSON object.

    None for other JSON, for a member that comes twice, for what is not UTF-8, and for more than `limit` characters.
    """
    if len(text) > limit:
        return None
    try:
        found, twice = read_json(text.decode() if isinstance(text, bytes) else text)
    except ValueError:
        return None
    return found if isinstance(found, dict) and not twice else None


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)
