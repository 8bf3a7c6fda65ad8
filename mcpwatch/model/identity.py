"""Who signed a request: four axes and one word."""

from enum import StrEnum

from msgspec import Struct


class Word(StrEnum):
    """The verdict on the row: the worst of the axes."""

    VERIFIED = "VERIFIED"
    PARTIAL = "PARTIAL"
    UNSIGNED = "UNSIGNED"
    BAD_SIG = "BAD SIG"
    WRONG_KEY = "WRONG KEY"
    REPLAY = "REPLAY"
    STALE = "STALE"
    UNKNOWN_KEY = "UNKNOWN KEY"
    OLD_KEY = "OLD KEY"
    NO_CHECK = "NO CHECK"


PROVEN = frozenset({Word.VERIFIED, Word.PARTIAL})
"""The verdicts that say who sent something."""


class SignatureState(StrEnum):
    VALID = "valid"
    INVALID = "invalid"
    ABSENT = "absent"
    UNSUPPORTED = "unsupported"
    UNRESOLVABLE = "unresolvable"


class Covered(StrEnum):
    """A part of the request that signed bytes can cover."""

    METHOD = "method"
    TARGET = "target"
    AUTHORITY = "authority"
    BODY = "body"
    SESSION = "session id"
    MCP = "MCP method and name"
    TIME = "time"
    NONCE = "nonce"
    ARGUMENTS = "tool arguments"
    """Told apart only where the body as a whole is not covered."""
    TOKEN = "access token"  # noqa: S105 (a word of the screen)


class Freshness(StrEnum):
    FRESH = "fresh"
    STALE = "stale"
    FUTURE = "from the future"
    REPLAYED = "replayed"
    UNDECIDABLE = "undecidable"
    """The cache evicted inside the window, or nothing signed says when."""
    UNCHECKED = "unchecked"
    """There was no valid signature to date."""


class Resolution(StrEnum):
    """How a name became a key."""

    PINNED = "pinned"
    DID_KEY = "did:key"
    DID_WEB = "did:web"
    REGISTRY = "registry"
    DIRECTORY = "directory"
    JWKS = "JWKS"
    EMBEDDED = "embedded"
    """The key came with the request: it proves the same agent as before, and nobody vouches for it."""
    NONE = "not resolved"


class KeyState(StrEnum):
    CURRENT = "current"
    GRACE = "rotated, within grace"
    SUPERSEDED = "superseded"
    GONE = "gone"
    UNKNOWN = "unknown"


class Evidence(StrEnum):
    """How we know: only the first is a proof made by this process."""

    VERIFIED = "verified here"
    ASSERTED = "asserted by the gateway"
    CLAIMED = "claimed by the client"
    ABSENT = "absent"


class Signer(Struct, frozen=True, gc=False):
    """The identity a signature names, and the key that checked it."""

    id: str
    """The DID, or `key:FINGERPRINT` where the key has no other name."""
    fingerprint: str = ""
    """RFC 7638 thumbprint of the Ed25519 key, base64url without padding; empty when no key is known."""
    resolution: Resolution = Resolution.NONE
    key_state: KeyState = KeyState.UNKNOWN
    name: str = ""
    """What the operator calls it."""


class OtherSignature(Struct, frozen=True, gc=False):
    """A signature on the request beside the one that speaks for it."""

    word: Word
    scheme: str
    label: str = ""
    """Which of several, in the scheme's own words."""
    signer: Signer | None = None
    reason: str = ""


class Receipt(Struct, frozen=True, gc=False):
    """What a signed receipt says of the chain it stands in."""

    id: str
    trace_id: str = ""
    parent_id: str = ""
    """Id of the receipt of the call that led to this one."""


class ServerProof(Struct, frozen=True, gc=False):
    """What a server's own signature on an answer proves: who answered, not who asked."""

    word: Word
    scheme: str
    signer: Signer | None = None
    reason: str = ""
    """Why, where it is not VERIFIED."""
    waiting: bool = False


class Verdict(Struct, frozen=True, gc=False):
    """What one request's signature proves, and what it does not."""

    word: Word
    signature: SignatureState
    freshness: Freshness
    evidence: Evidence
    scheme: str = ""
    """The wire scheme's name as in the table of schemes; empty when unsigned."""
    coverage: tuple[Covered, ...] = ()
    body_by_digest: bool = False
    """The body is covered through its digest; the octets shown may be masked or missing."""
    signer: Signer | None = None
    first_seen: int | None = None
    """For a replay: the index at which these signed bytes came first."""
    waiting: bool = False
    """A key is being fetched; the request will be judged again."""
    reasons: tuple[str, ...] = ()
    """Why, in sentences, worst first; may quote untrusted text."""
    first_source: str | None = None
    """The feed that `first_seen` is an entry of; None where it is the request's own."""
    profile: str = ""
    """The named use of the scheme, such as a profile of RFC 9421; empty where there is none."""
    others: tuple[OtherSignature, ...] = ()
    """The request's other signatures; this verdict's is the one that binds."""
    receipt: Receipt | None = None
    """Signed by `signer`, where the signature is valid."""
    signed_at: float | None = None
    """When the signature says that it was made, seconds since the epoch; None where nothing signed says."""


def uncovered(verdict: Verdict, *, has_session: bool = False, has_token: bool = False) -> tuple[Covered, ...]:
    """What of a request its signature does not cover; session id and access token count where it came with them."""
    idle = {Covered.ARGUMENTS} if Covered.BODY in verdict.coverage else set()
    if not has_session:
        idle.add(Covered.SESSION)
    if not has_token:
        idle.add(Covered.TOKEN)
    return tuple(part for part in Covered if part not in verdict.coverage and part not in idle)


class Strength(StrEnum):
    """How a session is bound to its signer."""

    COVERED = "signature covers the session id"
    EACH = "same signer on each request"
    FIRST = "first request only"
    NONE = "nothing binds this session"
