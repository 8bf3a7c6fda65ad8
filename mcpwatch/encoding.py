"""Base64 in one spelling: what has two spellings can be changed without a signature noticing."""

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode


def decode_base64(text: str) -> bytes | None:
    """The octets of standard base64; None unless they encode to the very same text (RFC 4648 section 3.5)."""
    try:
        data = binascii.a2b_base64(text, strict_mode=True)
    except ValueError:
        return None
    return data if binascii.b2a_base64(data, newline=False).decode("ascii") == text else None


def encode_base64url(data: bytes) -> str:
    """Base64 with the alphabet for URLs and without padding (RFC 4648 section 5)."""
    return urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def decode_base64url(text: str) -> bytes | None:
    """The octets of base64url without padding; None unless they encode to the very same text."""
    try:
        data = urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
    except ValueError:
        return None
    return data if encode_base64url(data) == text else None
