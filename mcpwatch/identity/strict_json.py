"""JSON that can be read in one way only, as what is signed must be."""

import json
from collections.abc import Sequence
from typing import NoReturn

MAX_TEXT = 65_536
"""Characters that are read, unless the caller says otherwise."""


def strict_object(text: str | bytes, limit: int = MAX_TEXT) -> dict[str, object] | None:
    """The members of a JSON object.

    None for other JSON, for a member that comes twice (RFC 8259, section 4), for `NaN` and the like, for what is not
    UTF-8, and for more than `limit` characters.
    """
    if len(text) > limit:
        return None
    try:
        if isinstance(text, bytes):
            text = text.decode()
        found: object = json.loads(text, object_pairs_hook=_members, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _members(pairs: Sequence[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member comes twice")
    return members


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)
