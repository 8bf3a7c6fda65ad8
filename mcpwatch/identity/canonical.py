"""JSON as RFC 8785 (JCS) writes it, for those who sign JSON and not octets."""

from hashlib import sha256

import rfc8785

from mcpwatch.model.entries import Json


class Uncanonical(ValueError):
    """It has no canonical form: a number beyond what doubles hold exactly, or half a surrogate pair."""


def canonical(value: Json) -> bytes:
    """The octets that RFC 8785 gives `value`. Raises Uncanonical."""
    try:
        return rfc8785.dumps(value)
    except (ValueError, RecursionError):
        raise Uncanonical from None


def digest(value: Json) -> str:
    """SHA-256 of the canonical octets as `sha256:` and lower-case hex. Raises Uncanonical."""
    return f"sha256:{sha256(canonical(value)).hexdigest()}"
