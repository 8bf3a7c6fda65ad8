"""Keys as Multikeys: the did:keys of the method specification, and what is none."""

import pytest
from p256 import CAROL
from signed import ALICE

from mcpwatch.identity.multikey import decode_multikey, encode_multikey


@pytest.mark.parametrize(
    ("multikey", "octets"),
    [
        ("z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK", 32),
        ("zDnaerDaTF5BXEavCrfRZEk316dpbLsfPDZ3WJ5hRTPFU2169", 65),
    ],
)
def test_the_keys_of_the_did_key_method_specification(multikey: str, octets: int) -> None:
    key = decode_multikey(multikey)
    assert key is not None and len(key) == octets
    assert encode_multikey(key) == multikey


@pytest.mark.parametrize("key", [ALICE.public, CAROL.public])
def test_a_key_comes_back_from_its_multikey(key: bytes) -> None:
    assert decode_multikey(encode_multikey(key)) == key


@pytest.mark.parametrize(
    "text",
    [
        "",
        "z",
        "z6Mk",
        "x6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK",
        "z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2do0",
        "z16MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK",
        "zDnaerDaTF5BXEavCrfRZEk316dpbLsfPDZ3WJ5hRTPFU216",
        "z" + "6" * 10_000,
        encode_multikey(bytes(32)),
    ],
)
def test_what_is_no_multikey_of_a_key_that_may_be_used(text: str) -> None:
    assert decode_multikey(text) is None


@pytest.mark.parametrize("octets", [0, 31, 33, 64])
def test_only_a_key_has_a_multikey(octets: int) -> None:
    with pytest.raises(ValueError, match="not a public key"):
        encode_multikey(bytes(octets))
