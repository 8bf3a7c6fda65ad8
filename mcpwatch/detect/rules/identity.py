"""The identity family: who signed this, and does it hold?"""

from mcpwatch.detect.rule import Rule
from mcpwatch.detect.rules.claims import ClaimedNameMismatch, PrincipalMismatch
from mcpwatch.detect.rules.other_signatures import BadServerProof, BadSignatureBesideGood
from mcpwatch.detect.rules.replay import CrossSessionReplay, Replayed, WeakReplayProtection
from mcpwatch.detect.rules.shared_key import SharedKey
from mcpwatch.detect.rules.signers import KeyRotatedMidSession, WrongKey
from mcpwatch.detect.rules.unsigned import UnsignedCall
from mcpwatch.detect.rules.verdicts import (
    BadSignature,
    BodyNotCovered,
    CannotCheck,
    FromTheFuture,
    Stale,
    SupersededKey,
    UnknownIdentity,
)

IDENTITY: tuple[type[Rule], ...] = (
    UnsignedCall,
    BadSignature,
    BadSignatureBesideGood,
    BadServerProof,
    WrongKey,
    SupersededKey,
    KeyRotatedMidSession,
    SharedKey,
    Replayed,
    CrossSessionReplay,
    WeakReplayProtection,
    Stale,
    FromTheFuture,
    UnknownIdentity,
    ClaimedNameMismatch,
    PrincipalMismatch,
    CannotCheck,
    BodyNotCovered,
)
