"""The signature base held against http-message-signatures, in both directions."""

import datetime
from typing import Any

import httpx
from http_message_signatures import HTTPMessageSigner, HTTPMessageVerifier, HTTPSignatureKeyResolver, algorithms
from hypothesis import given
from hypothesis import strategies as st
from signed import ALICE, CALL, NOW, SESSION, judge, request

from mcpwatch.identity.ed25519 import verify
from mcpwatch.identity.signer import rfc9421_headers
from mcpwatch.model.identity import SignatureState

FIELDS = ("content-type", "mcp-session-id", "x-dict", "x-text", "content-digest")
COMPONENTS = [
    '"@method"',
    '"@target-uri"',
    '"@authority"',
    '"@scheme"',
    '"@request-target"',
    '"@path"',
    '"@query"',
    '"content-type"',
    '"mcp-session-id"',
    '"content-digest"',
    '"content-digest";sf',
    '"x-dict"',
    '"x-dict";key="a"',
    '"x-dict";key="b"',
    '"x-text"',
    '"x-text";bs',
]
PATHS = st.from_regex(r"/[A-Za-z0-9._~!$&'()*+,;=:@/-]{0,12}", fullmatch=True)
QUERIES = st.one_of(st.just(""), st.from_regex(r"\?[A-Za-z0-9._~!$&'()*+,;=:@/?-]{0,12}", fullmatch=True))
VALUES = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), max_size=10)


class Alice(algorithms.HTTPSignatureAlgorithm):
    """Ed25519 as mcpwatch does it."""

    algorithm_id = "ed25519"

    def __init__(self, public_key: Any = None, private_key: Any = None) -> None:
        pass

    def sign(self, message: bytes) -> bytes:
        return ALICE.sign(message)

    def verify(self, signature: bytes, message: bytes) -> None:
        assert verify(ALICE.public, message, signature)


class Keys(HTTPSignatureKeyResolver):
    """Names no key: `Alice` has hers."""

    def resolve_public_key(self, key_id: str) -> bytes:
        return b"x"

    def resolve_private_key(self, key_id: str) -> bytes:
        return b"x"


@given(
    st.sampled_from(["POST", "GET", "DELETE"]),
    st.sampled_from(["http://127.0.0.1:8080", "https://gateway.example", "http://gateway.example:81"]),
    PATHS,
    QUERIES,
    VALUES,
    st.lists(st.sampled_from(COMPONENTS), min_size=1, unique=True),
)
def test_what_the_library_signs_is_valid_here(
    method: str, origin: str, path: str, query: str, text: str, components: list[str]
) -> None:
    message = httpx.Request(method, f"{origin}{path}{query}", content=CALL)
    message.headers.update({"content-type": "application/json", "x-dict": "a=1, b=(x y);p", "x-text": text, **SESSION})
    HTTPMessageSigner(signature_algorithm=Alice, key_resolver=Keys()).sign(
        message,
        key_id=ALICE.did_key,
        created=datetime.datetime.fromtimestamp(NOW, datetime.UTC),
        covered_component_ids=components,
        body=CALL,
    )
    asked = request(
        dict(message.headers),
        method=method,
        scheme=message.url.scheme,
        authority=message.headers["host"],
        target=message.url.raw_path.decode(),
    )
    assert judge().judge(0, asked, NOW).signature is SignatureState.VALID


@given(
    PATHS, QUERIES, st.binary(max_size=40), st.sampled_from([{}, SESSION, {**SESSION, "mcp-name": "=?base64?w6k=?="}])
)
def test_what_is_signed_here_the_library_verifies(path: str, query: str, body: bytes, fields: dict[str, str]) -> None:
    message = httpx.Request("POST", f"http://127.0.0.1:8080{path}{query}", content=body, headers=fields)
    uri = f"http://127.0.0.1:8080{message.url.raw_path.decode()}"
    now = datetime.datetime.now(datetime.UTC).timestamp()
    message.headers.update(rfc9421_headers(ALICE, "POST", uri, fields, body, now=now, nonce="n"))
    results = HTTPMessageVerifier(signature_algorithm=Alice, key_resolver=Keys()).verify(message, body=body)
    assert [result.parameters["keyid"] for result in results] == [ALICE.did_key]
