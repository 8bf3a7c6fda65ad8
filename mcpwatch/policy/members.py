"""Who calls, and whom the policy means."""

from collections.abc import Collection
from enum import StrEnum

from msgspec import Struct

from mcpwatch.model.entries import Principal
from mcpwatch.model.identity import Signer

UNSIGNED_TOKEN = "none"  # noqa: S105 (RFC 7518, section 3.6)
"""The `alg`, in lower case, of a token that anybody can write."""


class Role(StrEnum):
    """What somebody may be to a server, from least to most."""

    GUEST = "guest"
    USER = "user"
    ADMIN = "admin"


class Caller(Struct, frozen=True):
    """Who calls, as far as it is proven: a signer whose signature is good, and the token's principal.

    What a token says is for the server to verify; one that is not even signed speaks for nobody.
    """

    signer: Signer | None = None
    principal: Principal | None = None

    @property
    def is_nobody(self) -> bool:
        """Whether neither a signature nor a token says who it is."""
        return self.signer is None and (self.principal is None or is_unsigned(self.principal))

    def __str__(self) -> str:
        """In a sentence; may hold untrusted text."""
        if self.signer is not None:
            return self.signer.name or self.signer.id
        if self.is_nobody or self.principal is None:
            return "a caller whom nothing names"
        return f"the holder of the token of {self.principal.subject}" if self.principal.subject else "a token's holder"


class Members(Struct, frozen=True):
    """A set of callers.

    Signers by id, key fingerprint or the operator's name; principals by subject, or issuer and subject with a space
    between.
    """

    identities: Collection[str] = frozenset()
    principals: Collection[str] = frozenset()

    def has(self, caller: Caller) -> bool:
        """Whether the caller is one of them, by signature or by token."""
        return self.has_signer(caller.signer) or self.has_principal(caller.principal)

    def has_signer(self, signer: Signer | None) -> bool:
        """Whether the signer is listed."""
        identities = self.identities
        return signer is not None and (
            signer.id in identities
            or (bool(signer.fingerprint) and signer.fingerprint in identities)
            or (bool(signer.name) and signer.name in identities)
        )

    def has_principal(self, principal: Principal | None) -> bool:
        """Whether the token's principal is listed."""
        return (
            principal is not None
            and bool(principal.subject)
            and not is_unsigned(principal)
            and (principal.subject in self.principals or f"{principal.issuer} {principal.subject}" in self.principals)
        )


def is_unsigned(principal: Principal) -> bool:
    """Whether anybody can have written the token."""
    return principal.algorithm.strip().casefold() == UNSIGNED_TOKEN
