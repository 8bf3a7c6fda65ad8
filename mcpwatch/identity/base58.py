"""base58btc, the `z` multibase of did:key."""

_ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_DIGITS = {char: value for value, char in enumerate(_ALPHABET)}
_MAX_CHARS = 128
"""Decoding is quadratic in the length; a key needs 48."""


def encode(data: bytes) -> str:
    """The base58btc text of `data`, without multibase prefix."""
    number = int.from_bytes(data, "big")
    digits: list[str] = []
    while number:
        number, rest = divmod(number, 58)
        digits.append(_ALPHABET[rest])
    zeros = len(data) - len(data.lstrip(b"\0"))
    return "1" * zeros + "".join(reversed(digits))


def decode(text: str) -> bytes | None:
    """The octets of base58btc `text`; None when it is not base58btc or longer than 128 characters."""
    if len(text) > _MAX_CHARS:
        return None
    number = 0
    for char in text:
        digit = _DIGITS.get(char)
        if digit is None:
            return None
        number = number * 58 + digit
    zeros = len(text) - len(text.lstrip("1"))
    return bytes(zeros) + number.to_bytes((number.bit_length() + 7) // 8, "big")
