"""What a scheme reads off a request, before any key is known."""

from collections.abc import Callable, Iterable, Mapping
from typing import ClassVar, Protocol

from msgspec import Struct

from mcpwatch.identity.request import SignedRequest
from mcpwatch.model.identity import Covered, Receipt, SignatureState


class Attempt(Struct, frozen=True, gc=False):
    """Octets that may have been signed, and what of the request they cover."""

    signed: bytes
    coverage: tuple[Covered, ...]
    note: str = ""
    """What to know about this coverage."""


_NOTHING = Attempt(b"", ())

BOUND = "cnf.jkt"
"""Stands among a scheme's `tokens` for access tokens that are bound to a key (RFC 9449, section 6.1)."""


class Reading(Struct, frozen=True, gc=False):
    """One signature, or the lack of one."""

    scheme: str
    """The variant's name, a key of the scheme's `variants`."""
    key_id: str = ""
    """The identity the signature names, which the key book is asked for."""
    signature: bytes = b""
    attempt: Attempt = _NOTHING
    """What is tried first; with nothing to try, `refusal` says why."""
    retry: Callable[[], Iterable[Attempt]] = tuple
    """Makes further attempts when that one does not verify."""
    created: float | None = None
    """Signed, seconds since the epoch."""
    expires: float | None = None
    nonce: str = ""
    label: str = ""
    """Which of several signatures, in the scheme's own words."""
    fault: str = ""
    """Why the request is not the one that was signed, even if the signature holds."""
    body_by_digest: bool = False
    notes: tuple[str, ...] = ()
    refusal: SignatureState | None = None
    """The signature's state when it can or need not be checked."""
    reason: str = ""
    """Of the refusal."""
    on_mismatch: str = ""
    """Why a signature that does not verify is still not called bad; empty where it is."""
    profile: str = ""
    """The named use of the scheme; empty where there is none."""
    embedded: bytes = b""
    """The key that the request itself carries; it stands for itself where nobody else knows it."""
    thumbprint: str = ""
    """The one key (RFC 7638) of the identity that the signature says it was made with; empty where it does not say."""
    alias: str = ""
    """Another name of the key, which the key book is asked for where it holds no key of the identity."""
    algorithm: str = ""
    """The kind of key that the signature says it was made with, as in the verifier's table; the key decides."""
    receipt: Receipt | None = None


class Scheme(Protocol):
    """A way to sign requests: one file, one row in the table of schemes."""

    name: ClassVar[str]
    title: ClassVar[str]
    variants: ClassVar[Mapping[str, str]]
    """Every name it puts in `Reading.scheme`, and what that is in a few words."""
    fields: ClassVar[frozenset[str]]
    """The header fields that it reads, lower-case; the gateway logs them, or names them as withheld."""
    marks: ClassVar[tuple[str, ...]]
    """What stands in every body that anything of the scheme is in."""
    tokens: ClassVar[frozenset[str]]
    """Schemes of the Authorization field, lower-case, that tell of it; `BOUND` for any token that names a key."""

    def read(self, request: SignedRequest) -> tuple[Reading, ...]:
        """The signatures, or reasons why there are none; nothing where nothing in the request is of the scheme.

        Asked only where one of `fields`, `marks` or `tokens` is there.
        """
