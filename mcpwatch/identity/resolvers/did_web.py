"""did:web: the host that the DID names is asked for its document (did:web method specification)."""

import re
from collections.abc import Iterator, Mapping

from mcpwatch.identity.keyset import MAX_OCTETS, Candidate, collect, read_jwk
from mcpwatch.identity.multikey import decode_multikey
from mcpwatch.identity.resolution import Resolved, Unavailable
from mcpwatch.identity.resolvers.fetch import Fetcher, is_own_name
from mcpwatch.identity.strict_json import strict_object
from mcpwatch.model.identity import Resolution

PREFIX = "did:web:"
ACCEPT = "application/did+json, application/did+ld+json, application/json"
MAX_METHODS = 100
_LABEL = r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?"
_HOST = re.compile(rf"({_LABEL}(?:\.{_LABEL})*)(?:%3A([1-9][0-9]{{0,4}}))?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
"""What ends a host that is an address (WHATWG URL, section 3.5)."""
_SEGMENT = re.compile(r"[A-Za-z0-9._-]+")

TYPES: dict[str, str] = {
    "Ed25519VerificationKey2020": "publicKeyMultibase",
    "Multikey": "publicKeyMultibase",
    "JsonWebKey": "publicKeyJwk",
    "JsonWebKey2020": "publicKeyJwk",
    "EcdsaSecp256r1VerificationKey2019": "publicKeyJwk",
}
"""Types of verification methods, with the member that holds the key."""
RELATIONS = ("assertionMethod", "authentication")
"""What a method must be meant for; a document that says nothing of either means all of its methods."""


class DidWeb:
    """Asks the hosts. With `allow_private` in the fetcher, localhost is asked over http."""

    def __init__(self, fetcher: Fetcher) -> None:
        self._fetcher = fetcher

    async def resolve(self, did: str) -> Resolved:
        """The keys of `did`. Raises Unavailable."""
        url = document_url(did)
        if url is None:
            return Resolved(
                Resolution.DID_WEB, (), "it is no did:web: a host name, a port as %3A, and plain path parts"
            )
        fetched = await self._fetcher.get(url, accept=ACCEPT, limit=MAX_OCTETS)
        if fetched.status in (404, 410):
            return Resolved(Resolution.DID_WEB, (), "the host has no document for this DID")
        if fetched.status != 200:
            raise Unavailable(f"the host answered with HTTP status {fetched.status}")
        return read_document(did, fetched.body)


def document_url(did: str) -> str | None:
    """Where the document lies; None for what is no did:web, or could be read in two ways."""
    if not did.startswith(PREFIX):
        return None
    host, *path = did[len(PREFIX) :].split(":")
    match = _HOST.fullmatch(host)
    if match is None or _NUMBER.fullmatch(match[1].rpartition(".")[2]) or int(match[2] or 1) > 65_535:
        return None
    if any(not _SEGMENT.fullmatch(part) or part in (".", "..") for part in path):
        return None
    scheme = "http" if is_own_name(match[1]) else "https"
    where = f"{match[1]}:{match[2]}" if match[2] else match[1]
    return f"{scheme}://{where}/{'/'.join(path) or '.well-known'}/did.json"


def read_document(did: str, data: bytes) -> Resolved:
    """The keys in a DID document. Raises Unavailable when it is not this DID's, or no document."""
    document = strict_object(data, MAX_OCTETS)
    if document is None:
        raise Unavailable("the DID document is no JSON object, or has a member twice")
    if document.get("id") != did:
        raise Unavailable("the document is about another DID")
    methods = list(_methods(document))
    if len(methods) > MAX_METHODS:
        raise Unavailable(f"the DID document has more than {MAX_METHODS} verification methods")
    meant = _meant(did, document)
    found = collect(
        _candidate(did, method) for method in methods if meant is None or _name(did, method.get("id")) in meant
    )
    reason = "" if found.keys else _no_key(found.refused)
    return Resolved(Resolution.DID_WEB, found.keys, reason, found.refused)


def _no_key(refused: tuple[tuple[str, str], ...]) -> str:
    if not refused:
        return "the DID document holds no key for signing"
    return f"the DID document holds no key that may be used: {refused[0][1]}"


def _methods(document: Mapping[str, object]) -> Iterator[Mapping[str, object]]:
    """All methods, listed by themselves or inside a relation (DID Core, section 5.3)."""
    for name in ("verificationMethod", *RELATIONS):
        listed = document.get(name)
        for item in listed if isinstance(listed, list) else ():
            if isinstance(item, dict):
                yield item


def _meant(did: str, document: Mapping[str, object]) -> set[str | None] | None:
    """Names of the methods that are meant for signing; None when the document does not say."""
    given = [document[name] for name in RELATIONS if name in document]
    if not given:
        return None
    items = [item for listed in given if isinstance(listed, list) for item in listed]
    return {_name(did, item.get("id") if isinstance(item, dict) else item) for item in items} - {None}


def _name(did: str, id: object) -> str | None:
    """The fragment of a method's id; None when it is not this DID's."""
    if not isinstance(id, str):
        return None
    before, hash, fragment = id.partition("#")
    return fragment if hash and fragment and before in ("", did) else None


def _candidate(did: str, method: Mapping[str, object]) -> Candidate:
    name = _name(did, method.get("id"))
    if name is None:
        return Candidate("", fault="a verification method is of another DID")
    type = method.get("type")
    holder = TYPES.get(type) if isinstance(type, str) else None
    if holder is None:
        return Candidate(name, fault="its type is none that is checked here")
    if holder not in method:
        return Candidate(name, fault="it holds no key in the way of its type")
    held = _READERS[holder](method[holder])
    return Candidate(name, held.key, held.fault)


def _multibase(value: object) -> Candidate:
    key = decode_multikey(value) if isinstance(value, str) else None
    return Candidate("", key) if key is not None else Candidate("", fault="its publicKeyMultibase is no usable key")


def _jwk(value: object) -> Candidate:
    return read_jwk(value) if isinstance(value, dict) else Candidate("", fault="its publicKeyJwk is no JSON object")


_READERS = {"publicKeyMultibase": _multibase, "publicKeyJwk": _jwk}
