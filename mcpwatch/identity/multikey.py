"""Keys as base58btc Multikeys, `z…`: what a did:key consists of and a DID document may hold."""

from functools import lru_cache

from mcpwatch.identity import base58, ed25519
from mcpwatch.identity.verifier import P256_SIZE, good_key

_ED25519 = b"\xed\x01"
"""Multicodec ed25519-pub, as a varint."""
_P256 = b"\x80\x24"
"""Multicodec p256-pub, before a compressed point."""


def encode_multikey(key: bytes) -> str:
    """The Multikey of an Ed25519 or P-256 key; ValueError for no key."""
    if len(key) == P256_SIZE:
        from mcpwatch.identity import p256

        return f"z{base58.encode(_P256 + p256.compress(key))}"
    if len(key) != ed25519.KEY_SIZE:
        raise ValueError("not a public key")
    return f"z{base58.encode(_ED25519 + key)}"


@lru_cache(maxsize=4096)
def decode_multikey(text: str) -> bytes | None:
    """The key in a Multikey; None when there is none, none that may be enrolled, or another text would be it too."""
    data = base58.decode(text[1:]) if text.startswith("z") else None
    if data is None:
        return None
    key = _uncompressed(data[2:]) if data.startswith(_P256) else data[2:] if data.startswith(_ED25519) else b""
    return key if good_key(key) and encode_multikey(key) == text else None


def _uncompressed(data: bytes) -> bytes:
    from mcpwatch.identity import p256

    return p256.uncompress(data)
