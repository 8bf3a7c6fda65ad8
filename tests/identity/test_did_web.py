"""did:web: which host is asked, what of its document counts, and what never does."""

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nacl.signing import SigningKey
from p256 import CAROL
from signed import ALICE, BOB
from streamed import streamed

from mcpwatch.identity.multikey import decode_multikey, encode_multikey
from mcpwatch.identity.resolution import Resolved, ResolvedKey, Unavailable
from mcpwatch.identity.resolvers.did_web import DidWeb, document_url, read_document
from mcpwatch.identity.resolvers.fetch import Fetcher
from mcpwatch.identity.verifier import jwk
from mcpwatch.model.identity import Resolution

DID = "did:web:agent.example"
SMALL = b"\x01" + bytes(31)
TRAILING = {**jwk(ALICE.public), "x": jwk(ALICE.public)["x"][:-1] + "d"}


def multi(key: bytes, name: str = "key-1", **more: object) -> dict[str, object]:
    kind = "Ed25519VerificationKey2020" if len(key) == 32 else "Multikey"
    return {"id": f"{DID}#{name}", "type": kind, "controller": DID, "publicKeyMultibase": encode_multikey(key), **more}


def web_key(member: object, name: str = "key-1", kind: str = "JsonWebKey2020") -> dict[str, object]:
    return {"id": f"{DID}#{name}", "type": kind, "controller": DID, "publicKeyJwk": member}


def document(*methods: object, **more: object) -> dict[str, object]:
    return {"@context": "https://www.w3.org/ns/did/v1", "id": DID, "verificationMethod": list(methods), **more}


def read(document: object) -> Resolved:
    return read_document(DID, json.dumps(document).encode())


async def resolve(handler: Callable[[httpx.Request], httpx.Response], did: str = DID) -> Resolved:
    async with Fetcher(transport=httpx.MockTransport(lambda request: streamed(handler(request)))) as fetcher:
        return await DidWeb(fetcher).resolve(did)


@pytest.mark.parametrize(
    ("did", "url"),
    [
        # The examples of the method's specification.
        ("did:web:w3c-ccg.github.io", "https://w3c-ccg.github.io/.well-known/did.json"),
        ("did:web:w3c-ccg.github.io:user:alice", "https://w3c-ccg.github.io/user/alice/did.json"),
        ("did:web:example.com%3A3000:user:alice", "https://example.com:3000/user/alice/did.json"),
        ("did:web:xn--bcher-kva.example", "https://xn--bcher-kva.example/.well-known/did.json"),
        ("did:web:localhost%3A8000", "http://localhost:8000/.well-known/did.json"),
    ],
)
def test_where_the_document_lies(did: str, url: str) -> None:
    assert document_url(did) == url


@pytest.mark.parametrize(
    "rest",
    [
        *("", ":", "agent.example:", "agent..example", ".example", "agent.example.", "-a.example", "Agent.example"),
        *("127.0.0.1", "agent.1", "2130706433", "0x7f000001", "a.0x7f", "[::1]", "%5B%3A%3A1%5D", "a.0x"),
        *("user@agent.example", "user%40agent.example", "agent.example%2Fpath", "agent.example/path"),
        *("agent.example%3A", "agent.example%3A0", "agent.example%3A99999", "agent.example%3a80", "agent.example%3A8a"),
        *("agent.example:..", "agent.example:.", "agent.example:a:..:b", "agent.example:%2e%2e", "agent.example:a%2Fb"),
        *("agent.example:a?b", "agent.example:a#b", "agent.example:a b", "agent.example\n", "bücher.example"),
    ],
)
async def test_what_could_be_read_in_two_ways_is_not_asked(rest: str) -> None:
    def never(request: httpx.Request) -> httpx.Response:
        raise AssertionError("asked")

    resolved = await resolve(never, f"did:web:{rest}")
    assert (resolved.keys, "no did:web" in resolved.reason) == ((), True)


@given(st.text(alphabet=st.sampled_from("abzAZ019.-_%3A2F:/@?#[]\\ \n\x00é"), max_size=40))
def test_no_name_leads_elsewhere_than_to_its_host(rest: str) -> None:
    url = document_url(f"did:web:{rest}")
    if url is not None:
        parsed = httpx.URL(url)
        assert parsed.host == rest.split(":")[0].split("%3A")[0]
        assert not parsed.userinfo and not parsed.query and not parsed.fragment
        assert parsed.path.endswith("/did.json") and ".." not in parsed.path.split("/")


@pytest.mark.parametrize(
    ("method", "key"),
    [
        (multi(ALICE.public), ALICE.public),
        (multi(ALICE.public, type="Multikey"), ALICE.public),
        (multi(CAROL.public), CAROL.public),
        (web_key(jwk(ALICE.public)), ALICE.public),
        (web_key(jwk(CAROL.public), kind="JsonWebKey"), CAROL.public),
        (multi(ALICE.public, id="#key-1"), ALICE.public),
    ],
)
def test_methods_in_every_spelling(method: dict[str, object], key: bytes) -> None:
    assert read(document(method)) == Resolved(Resolution.DID_WEB, (ResolvedKey(key, name="key-1"),))


def test_only_methods_that_are_meant_for_signing_count() -> None:
    methods = (multi(ALICE.public, "a"), multi(BOB.public, "b"), multi(CAROL.public, "c"))
    found = read(document(*methods, authentication=["#a"], assertionMethod=[f"{DID}#b"], keyAgreement=["#c"]))
    assert [key.name for key in found.keys] == ["a", "b"]
    assert read(document(*methods, authentication=[])).keys == ()
    assert read(document(*methods, authentication=["did:web:other.example#a"])).keys == ()
    inside = read(document(authentication=[multi(BOB.public, "inside")]))
    assert [(key.key, key.name) for key in inside.keys] == [(BOB.public, "inside")]


@pytest.mark.parametrize(
    ("method", "reason"),
    [
        (web_key({**jwk(ALICE.public), "d": "c2VjcmV0"}), "private"),
        (web_key(TRAILING), "not in canonical base64url"),
        (web_key({"kty": "OKP", "crv": "Ed25519", "x": "AQ" + "A" * 41}), "small order"),
        (web_key({"kty": "RSA", "n": "AQAB", "e": "AQAB"}), "a kind that is not checked"),
        (web_key("text"), "no JSON object"),
        (multi(ALICE.public, publicKeyMultibase="z6Mk"), "no usable key"),
        (multi(ALICE.public, publicKeyMultibase=7), "no usable key"),
        (multi(ALICE.public, publicKeyMultibase=encode_multikey(SMALL)), "no usable key"),
        (multi(ALICE.public, type="X25519KeyAgreementKey2020"), "its type"),
        (multi(ALICE.public, type=None), "its type"),
        ({"id": f"{DID}#key-1", "type": "Multikey"}, "no key in the way of its type"),
        (multi(ALICE.public, id="did:web:other.example#key-1"), "of another DID"),
        (multi(ALICE.public, id=f"{DID}2#key-1"), "of another DID"),
        (multi(ALICE.public, id=None), "of another DID"),
    ],
)
def test_a_method_that_does_not_count_leaves_the_others(method: dict[str, object], reason: str) -> None:
    alone, beside = read(document(method)), read(document(method, multi(BOB.public, "key-2")))
    assert (alone.keys, reason in alone.reason) == ((), True)
    assert [key.key for key in beside.keys] == [BOB.public]
    assert [reason in why for _, why in beside.refused] == [True]


def test_two_keys_under_one_name_count_neither() -> None:
    twice = read(document(multi(ALICE.public), multi(BOB.public), multi(CAROL.public, "key-2"), multi(BOB.public)))
    assert [key.key for key in twice.keys] == [CAROL.public]
    assert twice.refused == (("key-1", "two different keys are published under this name"),)
    assert len(read(document(multi(ALICE.public), multi(ALICE.public))).keys) == 1


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (json.dumps(document() | {"id": "did:web:other.example"}), "about another DID"),
        (json.dumps(document() | {"id": f"{DID}:"}), "about another DID"),
        (json.dumps({}), "about another DID"),
        ("[]", "no JSON object"),
        ("", "no JSON object"),
        ('{"id": "did:web:other.example", "id": "did:web:agent.example"}', "a member twice"),
        ("[" * 100_000, "no JSON object"),
        (json.dumps(document(*[multi(ALICE.public)] * 101)), "more than 100"),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_a_document_that_is_none(data: str, reason: str) -> None:
    with pytest.raises(Unavailable, match=reason):
        read_document(DID, data.encode())


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["id", "type", "publicKeyJwk", "publicKeyMultibase", "kty", "crv", "x", "y", "kid", "authentication"]
            ),
            inner | st.sampled_from([f"{DID}#a", "Multikey", "JsonWebKey", "OKP", "Ed25519", "EC", "P-256"]),
            max_size=6,
        )
    ),
    max_leaves=30,
)


@given(st.fixed_dictionaries({"id": st.just(DID)}, optional={"verificationMethod": _json, "authentication": _json}))
def test_no_document_breaks_it_or_makes_a_key(document: dict[str, Any]) -> None:
    assert read(document).keys == ()


@given(st.binary(min_size=32, max_size=32), st.integers(0, 50), st.sampled_from("z1aZ9-_ "))
def test_a_multikey_has_one_spelling(seed: bytes, place: int, other: str) -> None:
    key = bytes(SigningKey(seed).verify_key)
    text = encode_multikey(key)
    assert decode_multikey(text) == key
    changed = text[:place] + other + text[place + 1 :]
    assert changed == text or decode_multikey(changed) != key


async def test_what_hosts_answer() -> None:
    body = document(multi(ALICE.public))
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200, json=body)

    assert [key.key for key in (await resolve(answer)).keys] == [ALICE.public]
    assert str(asked[0].url) == "https://agent.example/.well-known/did.json"
    assert "application/did+json" in asked[0].headers["accept"]
    for status in (404, 410):
        assert (await resolve(lambda request, status=status: httpx.Response(status))).keys == ()  # type: ignore[misc]
    for status, reason in ((500, "HTTP status 500"), (301, "redirect")):
        with pytest.raises(Unavailable, match=reason):
            await resolve(lambda request, status=status: httpx.Response(status))  # type: ignore[misc]
    with pytest.raises(Unavailable, match="longer than 262144"):
        await resolve(lambda request: httpx.Response(200, content=b" " * 10_000_000))
