"""What holds for the calls of one server or tool."""

from enum import StrEnum

from msgspec import Struct

from mcpwatch.model.identity import Covered
from mcpwatch.policy.members import Members, Role


class Signatures(StrEnum):
    """Whether calls have to be signed."""

    OFF = "off"
    EXPECTED = "expected"
    REQUIRED = "required"


class Terms(Struct, frozen=True):
    """What holds for the calls of one server or tool; without more, signatures are expected to cover the body."""

    signatures: Signatures = Signatures.EXPECTED
    covers: tuple[Covered, ...] = (Covered.BODY,)
    """Parts that a signature has to cover; session id and access token where the request has them."""
    max_age: float | None = None
    """Seconds from signing to the request."""
    members: Members | None = None
    """Who may call; None for anybody. A list that is not empty has to hold the caller, both where there are two."""
    roles: tuple[Role, ...] = ()
    """The roles that may call; none for any."""

    @property
    def is_open(self) -> bool:
        """Whether anybody may call."""
        return self.members is None and not self.roles

    @property
    def binds(self) -> bool:
        """Whether there is anybody whose call is refused."""
        return self.signatures is Signatures.REQUIRED or not self.is_open

    @property
    def needs_signer(self) -> bool:
        """Whether nobody may call whom no signature proves."""
        return self.signatures is Signatures.REQUIRED or bool(self.members and self.members.identities)


ANY = Terms()
"""Where the policy says nothing."""
