"""The registry's answers, member by member as the real one's were captured."""

from datetime import UTC, datetime

from msgspec import Struct

from mcpwatch.demo.registry.records import KeyPeriod, Records, Registration, Vouch

PLATFORM = "mcp"
_OURS = "this is the mcpwatch demo's own registry"


class PastKey(Struct):
    public_key: str
    valid_from: str
    valid_until: str | None
    is_current: bool


class Platform(Struct):
    platform: str
    username: str
    proof_post_id: str | None
    verified: bool
    registered_at: str


class Verified(Struct):
    """`GET /verify?did=`; `verified` means registered and no more."""

    verified: bool
    did: str | None
    public_key: str | None
    key_rotated: bool
    key_history: list[PastKey] | None
    platforms: list[Platform] | None
    message: str


class Trust(Struct):
    """`GET /trust/{did}`."""

    did: str
    registered: bool
    vouched_by: list[str]
    scopes: list[str]
    vouch_count: int


class VouchInfo(Struct):
    """A vouch as the graph tells it, without its signature."""

    vouch_id: str
    voucher_did: str
    target_did: str
    scope: str
    statement: str
    created_at: str
    expires_at: str | None


class TrustGraph(Struct):
    """`GET /trust-graph?did=`."""

    did: str
    vouched_by: list[VouchInfo]
    vouches_for: list[VouchInfo]


class Certificate(Struct):
    """`GET /vouch/certificate/{vouch_id}`: the voucher's present key beside the original signature."""

    version: str
    vouch_id: str
    voucher_did: str
    voucher_public_key: str
    target_did: str
    scope: str
    statement: str
    created_at: str
    expires_at: str | None
    signature: str
    certificate_issued_at: str


class Health(Struct):
    """`GET /health`."""

    status: str
    service: str
    version: str
    system_identity: str


def verified(held: Registration | None, did: str) -> Verified:
    if held is None:
        return Verified(False, None, None, False, None, None, f"DID {did} is not registered; {_OURS}")
    rotated = len(held.keys) > 1
    registered = _naive(held.keys[0].valid_from)
    return Verified(
        verified=True,
        did=held.did,
        public_key=held.current.public_key,
        key_rotated=rotated,
        key_history=[_past(period) for period in reversed(held.keys)] if rotated else None,
        platforms=[Platform(PLATFORM, held.username, None, False, registered)],
        message=f"DID is registered; {_OURS}",
    )


def trust(records: Records, did: str, now: datetime) -> Trust:
    vouches = records.vouches_for(did, now)
    vouchers = list(dict.fromkeys(vouch.voucher_did for vouch in vouches))
    scopes = sorted({vouch.scope for vouch in vouches})
    return Trust(did, records.get(did) is not None, vouchers, scopes, len(vouches))


def trust_graph(records: Records, did: str, now: datetime) -> TrustGraph:
    given, received = records.vouches_by(did, now), records.vouches_for(did, now)
    return TrustGraph(did, [_told(vouch) for vouch in received], [_told(vouch) for vouch in given])


def certificate(vouch: Vouch, voucher: Registration, now: datetime) -> Certificate:
    return Certificate(
        version="1.0",
        vouch_id=vouch.vouch_id,
        voucher_did=vouch.voucher_did,
        voucher_public_key=voucher.current.public_key,
        target_did=vouch.target_did,
        scope=vouch.scope,
        statement=vouch.statement,
        created_at=_naive(vouch.created_at),
        expires_at=vouch.expires_at.isoformat() if vouch.expires_at else None,
        signature=vouch.signature,
        certificate_issued_at=now.isoformat(),
    )


def health(records: Records) -> Health:
    return Health("healthy", _OURS, "mcpwatch-demo", records.system)


def _past(period: KeyPeriod) -> PastKey:
    until = period.valid_until
    return PastKey(period.public_key, period.valid_from.isoformat(), until.isoformat() if until else None, not until)


def _told(vouch: Vouch) -> VouchInfo:
    return VouchInfo(
        vouch.vouch_id,
        vouch.voucher_did,
        vouch.target_did,
        vouch.scope,
        vouch.statement,
        _naive(vouch.created_at),
        vouch.expires_at.isoformat() if vouch.expires_at else None,
    )


def _naive(time: datetime) -> str:
    """UTC to the second, without a zone, as the real one writes some of its times."""
    return time.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
