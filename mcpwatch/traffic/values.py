"""Values by which one can tell that data went from one call to another: rare enough to come from nowhere else.

Twelve characters and more, since shorter ones repeat by chance: mail addresses, addresses and paths for their form,
and what looks drawn at random, such as ids and keys. Words, dates and version numbers are none of these, whoever uses
them. Escapes of JSON and percent-encoding are undone; base64 is where a caller is asked for it, once.
"""

import re
from base64 import urlsafe_b64decode
from typing import Final
from urllib.parse import unquote

from msgspec import Struct

from mcpwatch.model.entries import MASK, Json
from mcpwatch.model.traffic import ValueKind
from mcpwatch.secret_kinds import SECRETS, secrets_in
from mcpwatch.text import ELLIPSIS

MIN_LENGTH: Final = 12
MAX_LENGTH: Final = 2_000
MAX_TEXT: Final = 32_768
"""Characters looked at in one message."""
MAX_VALUES: Final = 200
"""Values told of one message."""
_MAX_NODES = 5_000
_MAX_STEP = 40
_MAX_QUOTED = 3
"""How often over something may be percent-encoded."""
_MAX_NAME = 80

_ID, _MAIL, _URL, _PATH, _SECRET = ValueKind.ID, ValueKind.MAIL, ValueKind.URL, ValueKind.PATH, ValueKind.SECRET

_LOWER, _UPPER, _DIGITS = b"abcdefghijklmnopqrstuvwxyz", b"ABCDEFGHIJKLMNOPQRSTUVWXYZ", b"0123456789"


def _table(**sorts: bytes) -> bytes:
    """A translation of each octet to the letter of its sort, and of all others to a blank."""
    letters = {octet: sort for sort, octets in sorts.items() for octet in octets}
    return bytes(ord(letters.get(octet, " ")) for octet in range(256))


_IN_CHUNK = _table(x=_LOWER + _UPPER + _DIGITS + b"_@:/.+=%?&#~*-")
_LONG = b"x" * MIN_LENGTH
_SORTS = _table(a=_LOWER, A=_UPPER, n=_DIGITS)
_CHANGES = (b"an", b"na", b"An", b"nA", b"aA", b"Aa")
_ESCAPED = re.compile(r"\\[nrt]")
_ENCODED = re.compile(r"[A-Za-z0-9+/_-]{16,2000}={0,2}")
_WORD = re.compile(r"[A-Za-z0-9_-]{12,}")
_MAILS = re.compile(r"[A-Za-z0-9_.+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,8}")
_URLS = re.compile(r"[a-z][a-z0-9+.-]{1,20}://[^/?#]{0,255}/[^*]{1,1800}")
_STEP = r"[A-Za-z0-9_.@+%-]+"
_PATHS = re.compile(
    rf"(?:~|\.{{1,2}}|[A-Za-z]:)?/{_STEP}(?:/{_STEP})+/?"
    rf"|{_STEP}(?:/{_STEP})*/[A-Za-z0-9_@+%-]+\.[A-Za-z0-9]{{1,5}}"
)
_LINE = re.compile(r"(?::[0-9]+){1,2}$")
_DATE = re.compile(r"(?:19|20)[0-9]{2}(?:[01][0-9](?:[0-3][0-9])?)?(?:T[0-9]{2,6}Z?)?")
_MAY_BE_SECRET = re.compile(
    "|".join(re.escape(mark) for kind in SECRETS if kind.is_word for mark in kind.marks) + r"|[rs]k[_-]|[0-9]{15,16}$"
)
_ENDS = ".,:;?!*=&"


_Place = tuple["_Place", str | int] | None
"""The way to a value, linked backwards, so that a walk makes no text for what is of no interest."""


class Value(Struct, frozen=True, gc=False):
    """A value and where it stands."""

    text: str
    kind: ValueKind
    place: _Place

    @property
    def field(self) -> str:
        """The way to it: `content[0].text`."""
        return _name(self.place)


def values(payload: Json, unwrap: bool = False) -> list[Value]:
    """The values in what one message says, and in what is base64 there; bounded, and each as often as it comes."""
    found: list[Value] = []
    left = MAX_TEXT
    for place, text in _texts(payload):
        told = candidates(text if len(text) <= left else text[:left], unwrap)
        if told:
            found += [Value(value, kind, place) for value, kind in told]
            if len(found) >= MAX_VALUES:
                return found[:MAX_VALUES]
        left -= len(text)
        if left <= 0:
            break
    return found


def candidates(text: str, unwrap: bool = False) -> list[tuple[str, ValueKind]]:
    """The values in a text, and in what is base64 there."""
    found: list[tuple[str, ValueKind]] = []
    if "\\" in text:
        text = _ESCAPED.sub(" ", text).replace("\\/", "/")
    is_key = "PRIVATE KEY-----" in text
    for chunk in _chunks(text):
        if (chunk.isalpha() and chunk.islower()) or len(chunk) > MAX_LENGTH:
            continue
        found += _of_chunk(chunk, is_key)
        if "%" in chunk:
            for inner in _chunks(_unquoted(chunk)):
                found += _of_chunk(inner, is_key)
        # Encoded text has letters of both cases.
        if unwrap and not chunk.islower():
            for inner in _decoded(chunk):
                found += candidates(inner)
    return found


def _chunks(text: str) -> list[str]:
    """The runs of characters that values are made of, as far as they are long enough."""
    octets = text.encode("utf-8", "surrogatepass")
    marks = octets.translate(_IN_CHUNK)
    chunks: list[str] = []
    start = marks.find(_LONG)
    while start >= 0:
        end = marks.find(b" ", start + MIN_LENGTH)
        if end < 0:
            end = len(marks)
        chunks.append(octets[start:end].decode("ascii"))
        start = marks.find(_LONG, end)
    return chunks


def _of_chunk(chunk: str, is_key: bool) -> list[tuple[str, ValueKind]]:
    found: list[tuple[str, ValueKind]] = []
    if "@" in chunk:
        found += [(mail, _MAIL) for mail in _MAILS.findall(chunk) if len(mail) >= MIN_LENGTH]
    if "://" in chunk:
        found += [(url.rstrip(_ENDS), _URL) for url in _URLS.findall(chunk) if MASK not in chunk]
    elif "/" in chunk:
        path = chunk.rstrip(_ENDS)
        if ":" in path:
            path = _LINE.sub("", path)
        if len(path) >= MIN_LENGTH and _PATHS.fullmatch(path):
            found.append((path, _PATH))
    for word in _WORD.findall(chunk):
        if is_random(word):
            is_secret = is_key or (_MAY_BE_SECRET.match(word) and (secrets_in(word) or secrets_in(chunk)))
            found.append((word, _SECRET if is_secret else _ID))
    return found


def _unquoted(text: str) -> str:
    """A text without percent-encoding; empty where it has none."""
    plain = text
    for _ in range(_MAX_QUOTED):
        before, plain = plain, unquote(plain)
        if plain == before:
            break
    return "" if plain == text else plain


def _decoded(text: str) -> list[str]:
    """What is base64 in a text, as text."""
    texts: list[str] = []
    for wrapped in _ENCODED.findall(text):
        # A slash may as well part it from the steps of a path before it.
        for part in {wrapped, wrapped.rpartition("/")[2]}:
            body = part.rstrip("=").replace("+", "-").replace("/", "_")
            if len(body) >= 16 and len(body) % 4 != 1:
                octets = urlsafe_b64decode(body + "=" * (-len(body) % 4))
                if octets.isascii():
                    texts.append(octets.decode("ascii"))
    return texts


def is_random(word: str) -> bool:
    """Whether a word looks like drawn at random: a part of it that changes often between letters, cases and digits.

    Of hexadecimal and base 62 digits seven and six in ten follow one of another sort, of words hardly one in ten. Long
    numbers count too; dates do not.
    """
    end = -1
    for part in word.encode("utf-8", "surrogatepass").translate(_SORTS).split(b" "):
        start, end = end + 1, end + 1 + len(part)
        size = end - start
        if size < 6:
            continue
        digits = part.count(b"n")
        if digits == size:
            if size >= MIN_LENGTH and len(set(word[start:end])) >= 6:
                return True
            continue
        changes = sum(map(part.count, _CHANGES))
        often = max(3, size / 5) if digits >= 2 else size
        if size >= MIN_LENGTH:
            often = min(often, 0.45 * size)
        if changes >= often and not _DATE.fullmatch(word[start:end]):
            return True
    return False


def shown(value: str, kind: ValueKind) -> str:
    """What may be told of a value: enough to know it again for who has it, and of a secret nothing at all."""
    if kind is _SECRET:
        return f"a {kind.value}"
    if kind is _MAIL:
        name, _, host = value.partition("@")
        return f"{name[:1]}{ELLIPSIS}@{host[:40]}"
    head, tail = (value.partition("://")[2][:12], value[-3:]) if kind is _URL else (value[:3], value[-2:])
    return f"{head}{ELLIPSIS}{tail}"


def _texts(payload: Json) -> list[tuple[_Place, str]]:
    """The strings of a value that are long enough, with the way to each; those not so deep first."""
    texts: list[tuple[_Place, str]] = []
    waiting: list[tuple[_Place, Json]] = [(None, payload)]
    nodes = 0
    for place, value in waiting:
        if nodes >= _MAX_NODES:
            break
        if type(value) is str:
            if len(value) >= MIN_LENGTH:
                texts.append((place, value))
            continue
        for key, inner in value.items() if type(value) is dict else enumerate(value) if type(value) is list else ():
            nodes += 1
            if type(inner) is str:
                if len(inner) >= MIN_LENGTH and key != "_meta":
                    texts.append(((place, key), inner))
            elif (type(inner) is dict or type(inner) is list) and key != "_meta":
                waiting.append(((place, key), inner))
    return texts


def _name(place: _Place) -> str:
    steps: list[str] = []
    while place is not None:
        place, step = place
        steps.append(f".{step[:_MAX_STEP]}" if isinstance(step, str) else f"[{step}]")
    return "".join(reversed(steps))[:_MAX_NAME].removeprefix(".")
