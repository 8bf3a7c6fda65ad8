"""P-256 message signatures held against http-message-signatures, in both directions."""

import datetime

import httpx
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from http_message_signatures import HTTPMessageSigner, HTTPMessageVerifier, HTTPSignatureKeyResolver, algorithms
from hypothesis import given
from hypothesis import strategies as st
from p256 import CAROL
from signed import CALL, NOW, SESSION, digest, request, sign

from mcpwatch.identity.judge import Judge
from mcpwatch.identity.keys import KeyBook
from mcpwatch.identity.replay import ReplayWindow
from mcpwatch.model.identity import SignatureState

URI = "http://127.0.0.1:8080/mcp"
COMPONENTS = ["@method", "@target-uri", "@authority", "@path", "content-digest", "mcp-session-id"]


class Keys(HTTPSignatureKeyResolver):
    """Carol's, under every name."""

    def resolve_public_key(self, key_id: str) -> bytes:
        return CAROL.private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    def resolve_private_key(self, key_id: str) -> bytes:
        return CAROL.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@given(st.lists(st.sampled_from(COMPONENTS), min_size=1, unique=True), st.booleans())
def test_what_the_library_signs_is_valid_here(components: list[str], include_alg: bool) -> None:
    message = httpx.Request("POST", URI, content=CALL, headers=SESSION)
    HTTPMessageSigner(signature_algorithm=algorithms.ECDSA_P256_SHA256, key_resolver=Keys()).sign(
        message,
        key_id="carol",
        created=datetime.datetime.fromtimestamp(NOW, datetime.UTC),
        covered_component_ids=components,
        include_alg=include_alg,
        body=CALL,
    )
    keys = KeyBook()
    keys.pin("carol", CAROL.public)
    result = Judge(keys, ReplayWindow()).judge(0, request(dict(message.headers)), NOW)
    assert result.signature is SignatureState.VALID


@given(st.sampled_from(["", ';alg="ecdsa-p256-sha256"', ';tag="t"']))
def test_what_is_signed_here_the_library_verifies(parameters: str) -> None:
    now = datetime.datetime.now(datetime.UTC).timestamp()
    covered = {'"@method"': "POST", '"@target-uri"': URI, '"content-digest"': digest()}
    headers = sign(covered, parameters, key=CAROL, key_id="carol", created=now)
    message = httpx.Request("POST", URI, content=CALL, headers={"content-digest": digest(), **headers})
    verifier = HTTPMessageVerifier(signature_algorithm=algorithms.ECDSA_P256_SHA256, key_resolver=Keys())
    results = verifier.verify(message, body=CALL, expect_tag="t" if "tag" in parameters else None)
    assert [result.parameters["keyid"] for result in results] == ["carol"]
