"""Secrets of every common kind, made at run time so that none stands in this repository.

`SEEDED` is the one table: a kind, the text as it comes in, and the parts of it that must not come out again.
"""

import random
import string
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import quote, quote_plus

_DRAWN = random.Random(20_261_122)
_WORD = string.ascii_letters + string.digits
_UPPER = string.ascii_uppercase + string.digits
_HEX = "0123456789abcdef"


class Seeded(NamedTuple):
    kind: str
    text: str
    parts: tuple[str, ...]


def _of(size: int, alphabet: str = _WORD) -> str:
    """Characters drawn at random, digits among them."""
    return "".join(_DRAWN.choices(alphabet, k=size - 2)) + "".join(_DRAWN.choices(string.digits, k=2))


def _key(kind: str, before: str, size: int, alphabet: str = _WORD, after: str = "") -> Seeded:
    drawn = _of(size, alphabet)
    return Seeded(kind, before + drawn + after, (drawn,))


def _jwt() -> Seeded:
    claims = urlsafe_b64encode(b'{"sub":"ann","jti":"%b"}' % _of(20).encode()).rstrip(b"=").decode()
    signature = _of(43)
    head = urlsafe_b64encode(b'{"alg":"HS256","typ":"JWT"}').rstrip(b"=").decode()
    return Seeded("JWT", f"{head}.{claims}.{signature}", (claims, signature))


def _basic() -> Seeded:
    password = _of(18)
    encoded = b64encode(f"ann:{password}".encode()).decode()
    return Seeded("basic credentials", f"Basic {encoded}", (password, encoded))


def _private_key() -> Seeded:
    lines = [_of(64) for _ in range(3)]
    name = "PRIVATE" + " KEY"
    return Seeded("private key", "\n".join((f"-----BEGIN {name}-----", *lines, f"-----END {name}-----")), tuple(lines))


def _card() -> Seeded:
    digits = [4, *(_DRAWN.randrange(10) for _ in range(14))]
    doubled = [digit * 2 - 9 * (digit > 4) for digit in digits[::-2]]
    check = -(sum(doubled) + sum(digits[-2::-2])) % 10
    number = "".join(map(str, (*digits, check)))
    return Seeded("card number", number, (number,))


def _address() -> Seeded:
    password = _of(16)
    return Seeded("address with a password", f"postgres://shop:{password}@db.internal:5432/shop", (password,))


SEEDED = (
    _key("AWS access key", "AK" + "IA", 16, _UPPER),
    _key("GitHub token", "gh" + "p_", 36),
    _key("GitHub fine-grained token", "github" + "_pat_", 82),
    _key("GitLab token", "gl" + "pat-", 20),
    _key("Slack token", "xo" + "xb-", 48),
    _key("Slack webhook", "https://hooks.slack.com/services/T0AB1CD2E/B0AB1CD2E/", 24),
    _key("Stripe key", "sk" + "_live_", 24),
    _key("Stripe webhook secret", "wh" + "sec_", 32),
    _key("OpenAI key", "sk" + "-proj-", 48),
    _key("Google API key", "AI" + "za", 35),
    _key("Google client secret", "GOC" + "SPX-", 28),
    _key("Google access token", "ya" + "29.", 60),
    _key("npm token", "np" + "m_", 36),
    _key("PyPI token", "py" + "pi-AgEI", 100),
    _key("SendGrid key", "S" + "G." + _of(22) + ".", 43),
    _key("Mailchimp key", "", 32, _HEX, "-us12"),
    _key("Twilio key", "S" + "K", 32, _HEX),
    _key("Telegram bot token", "8123456789:A" + "A", 33),
    _key("Discord bot token", "MT" + _of(22) + "." + _of(6) + ".", 34),
    _key("Square token", "sq0" + "atp-", 22),
    _key("Shopify token", "shp" + "at_", 32, _HEX),
    _key("DigitalOcean token", "do" + "p_v1_", 64, _HEX),
    _key("Databricks token", "da" + "pi", 32, _HEX),
    _key("Hugging Face token", "h" + "f_", 34),
    _key("Vault token", "hv" + "s.", 24),
    _key("Azure storage key", "Account" + "Key=", 86, _WORD, "=="),
    _key("bearer token", "Bear" + "er ", 40),
    _jwt(),
    _basic(),
    _private_key(),
    _address(),
    _card(),
)


def forms(part: str) -> Iterator[bytes]:
    """A part as it is, and as it may be written: in addresses, in JSON, in base64 at any offset, in hexadecimal."""
    octets = part.encode()
    yield octets
    yield quote(part, safe="").encode()
    yield quote_plus(part).encode()
    yield octets[-12:]
    yield octets[:12]
    yield octets.hex().encode()
    for offset in range(3):
        for encode in (b64encode, urlsafe_b64encode):
            encoded = encode(b"\0" * offset + octets)
            # The first characters mix with what stands before, the last with what comes after.
            yield encoded[4 if offset else 0 : len(encoded) // 4 * 4 - 4]


FORMS = tuple((seed.kind, form) for seed in SEEDED for part in seed.parts for form in dict.fromkeys(forms(part)))


def hits(octets: bytes) -> list[tuple[str, bytes]]:
    """The secrets that are in `octets`, each kind with what stands around it."""
    found = {}
    for kind, form in FORMS:
        at = octets.find(form)
        if at >= 0:
            found[kind] = octets[max(at - 80, 0) : at + len(form) + 20]
    return list(found.items())
