"""AIP vouches: one identity's signed word for another.

A vouch signs `VOUCHER|TARGET|SCOPE|STATEMENT` and nothing else. When it was made and when it runs out are the
registry's word, and so is which key replaced a voucher's first one.
"""

import re
from collections.abc import Sequence

from msgspec import Struct

from mcpwatch.identity import ed25519, verifier
from mcpwatch.identity.resolution import ResolvedKey
from mcpwatch.model.trust import Step

MAX_STATEMENT = 2_000
_SLACK_S = 1.0
"""Registries round a vouch's time down to the second, and not that of a key."""
_AHEAD_S = 60.0
_NAME = re.compile(r"did:[a-z0-9]+:[^|\s]{1,500}")
_SCOPE = re.compile(r"[A-Z][A-Z0-9_]{0,63}")


class Vouch(Struct, frozen=True):
    """What a certificate says. Times are seconds since the epoch."""

    id: str
    voucher: str
    target: str
    scope: str
    statement: str
    created: float | None
    expires: float | None
    signature: bytes


class Checked(Struct, frozen=True):
    """A vouch and what became of it."""

    vouch: Vouch
    fault: str = ""
    """Why its signature proves nothing; empty where it holds."""
    key: bytes = b""
    """The key that made it."""

    @property
    def step(self) -> Step:
        """This vouch by itself."""
        vouch = self.vouch
        return Step(
            vouch.voucher,
            vouch.target,
            (vouch.scope,),
            vouch.statement,
            self.fault,
            verifier.fingerprint(self.key) if self.key else "",
            bool(self.key) and not is_own_key(vouch.voucher, self.key),
            vouch.created,
            vouch.expires,
            vouch.id,
        )


def signed_text(vouch: Vouch) -> bytes:
    """The octets that a voucher signs."""
    return f"{vouch.voucher}|{vouch.target}|{vouch.scope}|{vouch.statement}".encode("utf-8", "surrogatepass")


def verify_vouch(vouch: Vouch, keys: Sequence[ResolvedKey]) -> Checked:
    """Check a vouch with all keys known of its voucher; only one that was the voucher's when it was made counts."""
    fault = _shape_fault(vouch)
    if fault:
        return Checked(vouch, fault)
    if not keys:
        return Checked(vouch, "no key of the voucher is known")
    text = signed_text(vouch)
    made_by = [key for key in keys if verifier.verify(key.key, text, vouch.signature)]
    if not made_by:
        return Checked(vouch, "the signature does not verify with any key of the voucher")
    for key in made_by:
        if _was_valid(vouch, key):
            return Checked(vouch, key=key.key)
    return Checked(vouch, "it is signed with a key that was not the voucher's at that time")


def is_own_key(id: str, key: bytes) -> bool:
    """Whether an identity is made of this very key, so that nobody's word is needed for it."""
    return id in (ed25519.did_aip(key), ed25519.did_key(key))


def time_fault(vouch: Vouch, now: float) -> str:
    """Why a vouch is not in force at `now`; empty where it is."""
    if vouch.expires is not None and vouch.expires <= now:
        return "it has run out"
    return "it is dated ahead" if vouch.created is not None and vouch.created > now + _AHEAD_S else ""


def _shape_fault(vouch: Vouch) -> str:
    """Why the signed text would not be one reading only, or the vouch says nothing; empty where it is well formed."""
    if not _NAME.fullmatch(vouch.voucher) or not _NAME.fullmatch(vouch.target):
        return "it does not name two identities"
    if vouch.voucher == vouch.target:
        return "it vouches for itself"
    if not _SCOPE.fullmatch(vouch.scope):
        return "its scope is none"
    if len(vouch.statement) > MAX_STATEMENT:
        return f"its statement is longer than {MAX_STATEMENT} characters"
    return "nothing says when it was made" if vouch.created is None else ""


def _was_valid(vouch: Vouch, key: ResolvedKey) -> bool:
    """Whether a key was the voucher's when the vouch was made; one that its DID is made of was so from the start."""
    made = vouch.created
    if made is None or (key.valid_until is not None and made > key.valid_until):
        return False
    return key.valid_from is None or made > key.valid_from - _SLACK_S or is_own_key(vouch.voucher, key.key)
