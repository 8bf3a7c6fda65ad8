"""Content-Digest (RFC 9530) against the body."""

from collections.abc import Collection

from msgspec import Struct

from mcpwatch.identity.request import BodyView
from mcpwatch.identity.structured import byte_sequences


class DigestCheck(Struct, frozen=True, gc=False):
    """How a Content-Digest field stands to the body."""

    covers: bool = False
    """A digest fit for it was compared; without `fault` it matched."""
    fault: str = ""
    note: str = ""
    """Why nothing could be compared."""


_MATCH = DigestCheck(covers=True)
_MALFORMED = DigestCheck(fault="Content-Digest is malformed")
_OTHER = DigestCheck(covers=True, fault="the signature holds, but the body is not the one that was signed")


def check_digest(field: str, body: BodyView, only: Collection[str] = ()) -> DigestCheck:
    """Compare every digest of a Content-Digest field that can be compared; one that differs is a fault.

    Where not the whole field is signed, `only` names the digests that are.
    """
    digests = byte_sequences(field)
    if digests is None:
        return _MALFORMED
    if only:
        digests = {algorithm: digest for algorithm, digest in digests.items() if algorithm in only}
    compared = False
    for algorithm, digest in digests.items():
        have = body.digest(algorithm)
        if have is None:
            continue
        if have != digest.hex():
            return _OTHER
        compared = True
    if not compared:
        names = ", ".join(digests)
        return DigestCheck(
            note=f"Content-Digest has {names} only, which cannot be compared here: the body is not proven"
        )
    return DigestCheck(covers=True, fault=body.fault) if body.fault else _MATCH
