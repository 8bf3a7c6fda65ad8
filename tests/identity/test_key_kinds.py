"""Which key a signature is checked with: the key decides its kind, and `alg` can only contradict it."""

import pytest
from p256 import CAROL
from signed import ALICE, NOW, request, sign

from mcpwatch.identity.judge import Judge
from mcpwatch.identity.keys import KeyBook
from mcpwatch.identity.replay import ReplayWindow
from mcpwatch.model.entries import Request
from mcpwatch.model.identity import SignatureState, Verdict, Word


def judged(asked: Request, *keys: bytes) -> Verdict:
    book = KeyBook()
    for key in keys:
        book.pin("agent", key)
    return Judge(book, ReplayWindow()).judge(0, asked, NOW)


@pytest.mark.parametrize("parameters", ["", ';alg="ecdsa-p256-sha256"'])
def test_a_p256_key_verifies(parameters: str) -> None:
    asked = request(sign({'"@method"': "POST"}, parameters, key=CAROL, key_id="agent"))
    assert judged(asked, CAROL.public).signature is SignatureState.VALID
    assert judged(asked, ALICE.public, CAROL.public).signature is SignatureState.VALID
    assert judged(asked, ALICE.public).word is Word.BAD_SIG


@pytest.mark.parametrize(("key", "said"), [(CAROL, "ed25519"), (ALICE, "ecdsa-p256-sha256")])
def test_an_algorithm_that_contradicts_the_key_is_bad(key: object, said: str) -> None:
    signing = CAROL if key is CAROL else ALICE
    asked = request(sign({'"@method"': "POST"}, f';alg="{said}"', key=signing, key_id="agent"))
    result = judged(asked, signing.public)
    assert result.word is Word.BAD_SIG
    assert f"made with {said}" in result.reasons[0]


@pytest.mark.parametrize("said", ["hmac-sha256", "rsa-pss-sha512", "rsa-v1_5-sha256", "ecdsa-p384-sha384", "none", ""])
def test_an_algorithm_of_another_kind_is_named_and_not_checked(said: str) -> None:
    asked = request(sign({'"@method"': "POST"}, f';alg="{said}"', key_id="agent"))
    result = judged(asked, ALICE.public)
    assert (result.word, result.signature) == (Word.NO_CHECK, SignatureState.UNSUPPORTED)
    assert said in result.reasons[0]
