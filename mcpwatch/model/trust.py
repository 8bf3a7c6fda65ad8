"""Who vouches for an identity: what was verified here, and what a registry merely says."""

from msgspec import Struct


class Step(Struct, frozen=True):
    """One identity's word for another."""

    voucher: str
    target: str
    scopes: tuple[str, ...]
    """Of a path's step, those of every vouch between the two that counts."""
    statement: str = ""
    """The voucher's own words; signed."""
    fault: str = ""
    """Why it does not count; empty where the signature was verified here and it is in force."""
    key: str = ""
    """RFC 7638 thumbprint of the voucher's key that verified it; empty where none did."""
    key_asserted: bool = False
    """That this is the voucher's key rests on the registry's word: it came by a rotation, of which nobody has proof."""
    created: float | None = None
    """Seconds since the epoch; the registry's word, as nothing signed says so."""
    expires: float | None = None
    """The same; None for never."""
    id: str = ""
    """What the registry calls the vouch; its word too."""


class Asserted(Struct, frozen=True):
    """What the registry itself says of an identity; it counts for nothing here."""

    is_registered: bool
    vouches: int
    scopes: tuple[str, ...] = ()


class Standing(Struct, frozen=True):
    """Whether trust leads from the operator's roots to an identity."""

    id: str
    is_root: bool = False
    path: tuple[Step, ...] = ()
    """The shortest way from a root, each step verified here; empty where there is none."""
    vouches: tuple[Step, ...] = ()
    """Those for the identity itself, good or not; the registry's welcome to everybody is not among them."""
    asserted: Asserted | None = None
    asked: float | None = None
    """When the registry last answered, seconds since the epoch; None while it has not."""
    failure: str = ""
    """Why it did not answer since."""
    reason: str = ""
    """Why there is no path, as a sentence without its full stop; empty where there is one."""

    @property
    def scopes(self) -> tuple[str, ...]:
        """What every step of the path is for; empty where they have nothing in common, or there is no path."""
        first = self.path[0].scopes if self.path else ()
        return tuple(scope for scope in first if all(scope in step.scopes for step in self.path))
