"""Sets of public keys as others publish them, JWKS (RFC 7517) above all. A key that does not count has its reason."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec
from msgspec import Struct

from mcpwatch.encoding import decode_base64url
from mcpwatch.identity import verifier
from mcpwatch.identity.resolution import ANOTHERS, ResolvedKey
from mcpwatch.identity.strict_json import strict_object
from mcpwatch.text import count

MAX_OCTETS = 262_144
MAX_SET = 1000
"""Keys of one set that are read."""
_MAX_NAME = 512
_MAX_KIND = 16
_OTHERS = ("did:", "key:")
"""Beginnings of names that a key has from elsewhere than its set."""
_COORDINATE = 32
"""Octets of a coordinate, on both curves."""
_LISTS = ("keys", "signing_keys")
"""The members a set may be in; the second is that of a UCP profile."""
_KINDS = {("OKP", "Ed25519"): "EdDSA", ("EC", "P-256"): "ES256"}
"""Kinds of key that are checked here, with the `alg` beside the curve's own name (RFC 9864) that fits them."""


class KeySet(Struct, frozen=True):
    """The keys that count, in their order, and those that do not: name, or place where there is none, and reason."""

    keys: tuple[ResolvedKey, ...] = ()
    refused: tuple[tuple[str, str], ...] = ()


class BadSet(ValueError):
    """What is no set of keys at all; its text says why."""


class Candidate(Struct, frozen=True):
    """A key as a set names it, or why it is none."""

    name: str
    key: bytes = b""
    fault: str = ""
    place: str = ""
    """Where it stands in its set, which tells it from others without a name."""
    valid_from: float | None = None
    valid_until: float | None = None


def read_jwks(data: bytes) -> KeySet:
    """The signing keys of a JWKS. Raises BadSet when it is none."""
    found = strict_object(data, MAX_OCTETS)
    if found is None:
        raise BadSet("it is no JSON object, or has a member twice")
    listed = next((found[name] for name in _LISTS if name in found), None)
    if not isinstance(listed, list):
        raise BadSet("it has no list of keys")
    if len(listed) > MAX_SET:
        raise BadSet(f"it has more than {MAX_SET} keys")
    return collect(_unlike_others(list(_candidates(listed))))


def collect(candidates: Iterable[Candidate]) -> KeySet:
    """The set of these keys; of two different keys under one name neither counts.

    A key that does not count takes none with it that goes by its own thumbprint.
    """
    keys: dict[str, ResolvedKey] = {}
    refused: dict[str, str] = {}
    disputed: set[str] = set()
    for one in candidates:
        if one.fault:
            refused.setdefault(one.name or one.place, one.fault)
            continue
        name = one.name or verifier.fingerprint(one.key)
        before = keys.get(name)
        if before is not None and before.key != one.key:
            disputed.add(name)
            refused[name] = "two different keys are published under this name"
        keys[name] = ResolvedKey(one.key, one.valid_until, one.valid_from, name)
    good = (key for name, key in keys.items() if name not in refused or name == key.thumbprint)
    return KeySet(tuple(key for key in good if key.name not in disputed), tuple(refused.items()))


def read_jwk(jwk: Mapping[str, object]) -> Candidate:
    """A member of a JWKS, or a key that stands alone."""
    kid = jwk.get("kid", "")
    if not isinstance(kid, str) or len(kid) > _MAX_NAME:
        return Candidate("", fault="its kid is no string of a decent length")
    fault = _jwk_fault(jwk)
    if fault:
        return Candidate(kid, fault=fault)
    key = verifier.key_of_jwk(jwk)
    if key is None:
        return Candidate(kid, fault="it is of small order, or no point of its curve")
    return Candidate(kid, key, valid_from=_seconds(jwk.get("nbf")), valid_until=_seconds(jwk.get("exp")))


def _candidates(listed: list[object]) -> Iterator[Candidate]:
    for number, jwk in enumerate(listed, 1):
        place = f"key number {number}"
        if not isinstance(jwk, dict):
            yield Candidate("", fault="it is no JSON object", place=place)
        elif jwk.get("use", "sig") == "sig":
            kind = jwk.get("kty")
            told = isinstance(kind, str) and kind.isalnum() and len(kind) <= _MAX_KIND
            yield _named(read_jwk(jwk), f"{place}, of type {kind}" if told else place)


def _named(found: Candidate, place: str) -> Candidate:
    """The key as a member of its set. A kid names it there and nowhere else."""
    fault = found.fault
    if not fault and found.name.lower().startswith(_OTHERS):
        fault = "its kid has the form of a DID or of key:THUMBPRINT, which no set gives"
    return msgspec.structs.replace(found, fault=fault, place=place)


def _unlike_others(found: Sequence[Candidate]) -> Iterator[Candidate]:
    """The keys of a set, without those whose kid is the thumbprint of another; any other kid of that shape is good."""
    thumbprints = {verifier.fingerprint(one.key) for one in found if not one.fault}
    for one in found:
        is_anothers = not one.fault and one.name in thumbprints and verifier.is_misnomer(one.name, one.key)
        yield msgspec.structs.replace(one, fault=ANOTHERS) if is_anothers else one


def _jwk_fault(jwk: Mapping[str, object]) -> str:
    """Why a JWK cannot count, as far as its form tells; empty when it may."""
    kind = (jwk.get("kty"), jwk.get("crv"))
    if any(name in jwk for name in ("d", "k", "p", "q")):
        return "it holds a private or secret key"
    if not all(isinstance(part, str) for part in kind) or kind not in _KINDS:
        return "it is of a kind that is not checked here"
    if jwk.get("alg", _KINDS[kind]) not in (_KINDS[kind], kind[1]):
        return "its alg does not fit its kind"
    operations = jwk.get("key_ops", ["verify"])
    if not isinstance(operations, list) or "verify" not in operations:
        return "its key_ops do not let it verify"
    for name in ("x",) if kind[0] == "OKP" else ("x", "y"):
        part = jwk.get(name)
        data = decode_base64url(part) if isinstance(part, str) else None
        if data is None:
            return f"its {name} is not in canonical base64url"
        if len(data) != _COORDINATE:
            return f"its {name} has {count(len(data), 'octet')}, not {_COORDINATE}"
    return ""


def _seconds(value: object) -> float | None:
    """A NumericDate (RFC 7519)."""
    return float(value) if isinstance(value, int | float) and abs(value) < 1e12 else None
