"""The signing schemes that are recognised: one file and one row each."""

from functools import lru_cache

from mcpwatch.identity.reading import BOUND, Scheme
from mcpwatch.identity.request import SignedRequest
from mcpwatch.identity.schemes.aip import Aip
from mcpwatch.identity.schemes.dpop import Dpop
from mcpwatch.identity.schemes.rfc9421 import Rfc9421
from mcpwatch.identity.schemes.signet import Signet
from mcpwatch.identity.schemes.unsupported import Unsupported

SCHEMES: tuple[Scheme, ...] = (Aip(), Rfc9421(), Dpop(), Signet(), Unsupported())
_MARKS = tuple((mark, scheme) for scheme in SCHEMES for mark in scheme.marks)


def present(request: SignedRequest) -> tuple[Scheme, ...]:
    """The schemes that anything in the request may be of, in the order of the table."""
    asked = request.request
    names = tuple(request.fields)
    told = _told_by_fields((*names, *asked.withheld) if asked.withheld else names)
    if asked.principal is not None:
        told = _either(told, _told_by_token(asked.principal.scheme, bool(asked.principal.key_thumbprint)))
    if asked.body is not None and (text := asked.body.text) is not None:
        for mark, scheme in _MARKS:
            if mark in text:
                told = _either(told, (scheme,))
    return told


@lru_cache(maxsize=256)
def _told_by_fields(names: tuple[str, ...]) -> tuple[Scheme, ...]:
    """The schemes that read any of these header fields; agents send the same ones again and again."""
    return tuple(scheme for scheme in SCHEMES if not scheme.fields.isdisjoint(names))


@lru_cache(maxsize=64)
def _told_by_token(word: str, is_bound: bool) -> tuple[Scheme, ...]:
    """The schemes that an access token tells of, by its Authorization scheme and whether it is bound to a key."""
    says = {word, BOUND} if is_bound else {word}
    return tuple(scheme for scheme in SCHEMES if not scheme.tokens.isdisjoint(says))


def _either(some: tuple[Scheme, ...], others: tuple[Scheme, ...]) -> tuple[Scheme, ...]:
    return tuple(scheme for scheme in SCHEMES if scheme in some or scheme in others) if others else some
