"""Signatures that others published: RFC 9421's over P-256, and the Web Bot Auth vectors of cloudflare/web-bot-auth."""

from base64 import b64decode

import pytest
from signed import request

from mcpwatch.identity import verifier
from mcpwatch.identity.judge import Judge
from mcpwatch.identity.keys import KeyBook
from mcpwatch.identity.replay import ReplayWindow
from mcpwatch.identity.resolution import Resolved, ResolvedKey
from mcpwatch.model.entries import Request
from mcpwatch.model.identity import Covered, Resolution, SignatureState, Verdict, Word

ECC_P256 = verifier.key_of_jwk(
    {
        "kty": "EC",
        "crv": "P-256",
        "x": "qIVYZVLCrPZHGHjP17CTW0_-D9Lfw0EkjqF7xB4FivA",
        "y": "Mc4nN9LTDOBhfoUeg8Ye9WedFRhnZXZJA12Qp0zZ6F0",
    }
)
"""RFC 9421, appendix B.1.3: test-key-ecc-p256."""
ED25519 = verifier.key_of_jwk({"kty": "OKP", "crv": "Ed25519", "x": "JrQLj5P_89iXES9-vFgrIy29clF9CC_oPPsw3c5D0bs"})
"""RFC 9421, appendix B.1.4: test-key-ed25519."""
PRINT = "poqkLGiymh_W0uP6PZFw-dvez3QJT5SolqXBCW38r0U"
NOW = 1_735_689_601.0


def test_the_response_of_rfc9421_b24() -> None:
    base = (
        b'"@status": 200\n'
        b'"content-type": application/json\n'
        b'"content-digest": '
        b"sha-512=:mEWXIS7MaLRuGgxOBdODa3xqM1XdEvxoYhvlCFJ41QJgJc4GTsPp29l5oGX69wWdXymyU0rjJuahq4l5aGgfLQ==:\n"
        b'"content-length": 23\n'
        b'"@signature-params": ("@status" "content-type" "content-digest" "content-length")'
        b';created=1618884473;keyid="test-key-ecc-p256"'
    )
    signature = b64decode("wNmSUAhwb5LxtOtOpNa6W5xj067m5hFrj0XQ4fvpaCLx0NKocgPquLgyahnzDnDAUy5eCdlYUEkLIj+32oiasw==")
    assert ECC_P256 is not None
    assert verifier.verify(ECC_P256, base, signature)
    assert not verifier.verify(ECC_P256, base + b" ", signature)


SECTION_43 = request(
    [
        ("content-type", "application/json"),
        ("content-length", "18"),
        (
            "content-digest",
            "sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYllu7BNNyealdVLvRwEmTHWXvJwew==:",
        ),
        (
            "signature-input",
            'sig1=("@method" "@authority" "@path" "content-digest" "content-type" "content-length")'
            ';created=1618884475;keyid="test-key-ecc-p256"',
        ),
        (
            "signature",
            "sig1=:X5spyd6CFnAG5QnDyHfqoSNICd+BUP4LYMz2Q0JXlb//4Ijpzp+kve2w4NIyqeAuM7jTDX+sNalzA8ESSaHD3A==:",
        ),
    ],
    b'{"hello": "world"}',
    target="/foo?param=Value&Pet=dog",
    scheme="https",
    authority="example.com",
)


def test_the_request_of_rfc9421_section_43() -> None:
    keys = KeyBook()
    assert ECC_P256 is not None
    keys.pin("test-key-ecc-p256", ECC_P256)
    result = Judge(keys, ReplayWindow()).judge(0, SECTION_43, 1618884476)
    assert result.word is Word.VERIFIED
    assert Covered.BODY in result.coverage
    assert Covered.TARGET not in result.coverage


def bot(label: str, listed: str, key_id: str, algorithm: str, nonce: str, signature: str, agent: str = "") -> Request:
    parameters = f';created=1735689600;keyid="{key_id}";alg="{algorithm}";expires=4889289600;nonce="{nonce}"'
    headers = {
        "signature-input": f'{label}=({listed}){parameters};tag="web-bot-auth"',
        "signature": f"{label}=:{signature}:",
    }
    if agent:
        headers["signature-agent"] = agent
    return request(headers, b"", method="GET", target="/path/to/resource", scheme="https", authority="example.com")


ALONE = bot(
    "sig1",
    '"@authority"',
    PRINT,
    "ed25519",
    "zIW8+cdmA3vdYagbxojpONwa/l0EKJ/O3/wD486VvsQjO/RxPaSt6ZxvQaMcQzNnqKN/mQ6hpGiFro2L2qkz5A==",
    "QKN4fTdIYfh82fvoZCQiQA1weuozfCS/Led2zTMbewMMqH8PI2Wsy/5c4ao6B6D09nraNQdBNOADg8aM1MqfCg==",
)
WITH_AGENT = bot(
    "sig2",
    '"@authority" "signature-agent";key="agent2"',
    PRINT,
    "ed25519",
    "n9p433xm+NJ3ph3upfBIGmsuwHw387YV7Q/F+6BSpGCVjYCqQw6rznNA8PVVLySrAWsv0hQtFioQb6E1YsauiA==",
    "RdNFx5Bj6au3YgAMQL/RzmUlZE8QZLIaXGRpw985hWnwPfMxT228NMk6ehRS1PSl4e8PhbNZACSanGdhEwYCCg==",
    'agent2="https://signature-agent.test"',
)
WITH_RSA = bot(
    "sig1",
    '"@authority"',
    "oD0HwocPBSfpNy5W3bpJeyFGY_IQ_YpqxSjQ3Yd-CLA",
    "rsa-pss-sha512",
    "JojDFWJ90jf+gZhdKeTyJYsu1XvNPZSFAGhvYq5SuV3gneOEUAhq+xl792WGuD1W+Dr6NRmx+m+t06NsYnL4iA==",
    "hWPaj85MWQiRkzU4jnIKvdPQiDfMCPIoxOP8nZveNc3aFQ7r/UmXWCwGNImw588iRvTFey5TR3fVEgnXpcttlw==",
)


def judged(asked: Request, directory: str = "") -> Verdict:
    keys = KeyBook()
    assert ED25519 is not None
    if directory:
        keys.learn(directory, Resolved(Resolution.DIRECTORY, (ResolvedKey(ED25519),)), 0)
    else:
        keys.pin("bot", ED25519)
    return Judge(keys, ReplayWindow()).judge(0, asked, NOW)


def test_a_bot_without_directory() -> None:
    result = judged(ALONE)
    assert (result.word, result.signature, result.profile) == (Word.PARTIAL, SignatureState.VALID, "web-bot-auth")
    assert "Web Bot Auth: it expires more than 24 hours after it was made" in result.reasons


def test_a_bot_with_its_directory() -> None:
    result = judged(WITH_AGENT, "https://signature-agent.test")
    assert (result.word, result.signature) == (Word.PARTIAL, SignatureState.VALID)
    assert result.signer is not None
    assert (result.signer.id, result.signer.fingerprint) == ("https://signature-agent.test", PRINT)


@pytest.mark.parametrize("change", ["https://signature-agent.tess", "https://other.example"])
def test_a_bot_that_names_another_directory_than_it_signed(change: str) -> None:
    headers = tuple((name, value.replace("https://signature-agent.test", change)) for name, value in WITH_AGENT.headers)
    asked = request(list(headers), b"", method="GET", scheme="https", authority="example.com")
    assert judged(asked, change).word is Word.BAD_SIG


def test_an_rsa_bot_is_named_and_not_checked() -> None:
    result = judged(WITH_RSA)
    assert (result.word, result.signature, result.profile) == (
        Word.NO_CHECK,
        SignatureState.UNSUPPORTED,
        "web-bot-auth",
    )
    assert "rsa-pss-sha512" in result.reasons[0]
