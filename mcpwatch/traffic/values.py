"""Values by which one can tell that data went from one call to another: rare enough to come from nowhere else.

Twelve characters and more, since shorter ones repeat by chance: mail addresses, addresses and paths for their form,
and what looks drawn at random, such as ids and keys. Words, dates and version numbers are none of these, whoever uses
them. What is wrapped, base64 say, is not unwrapped.
"""

import re
from typing import Final, NamedTuple

from mcpwatch.model.entries import MASK, Json
from mcpwatch.model.traffic import ValueKind
from mcpwatch.text import ELLIPSIS
from mcpwatch.traffic.secret_patterns import secrets_in

MIN_LENGTH: Final = 12
MAX_LENGTH: Final = 2_000
MAX_TEXT: Final = 32_768
"""Characters looked at in one message."""
MAX_VALUES: Final = 200
"""Values told of one message."""
_MAX_NODES = 5_000
_MAX_STEP = 40
_MAX_NAME = 80

_ID, _MAIL, _URL, _PATH, _SECRET = ValueKind.ID, ValueKind.MAIL, ValueKind.URL, ValueKind.PATH, ValueKind.SECRET

_CHUNK = re.compile(r"[A-Za-z0-9_@:/.+=%?&#~*-]{12,}")
_WORD = re.compile(r"[A-Za-z0-9_-]{12,}")
_MAILS = re.compile(r"[A-Za-z0-9_.+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,8}")
_URLS = re.compile(r"[a-z][a-z0-9+.-]{1,20}://[^/?#]{0,255}/[^*]{1,1800}")
_STEP = r"[A-Za-z0-9_.@+%-]+"
_PATHS = re.compile(
    rf"(?:~|\.{{1,2}}|[A-Za-z]:)?/{_STEP}(?:/{_STEP})+/?"
    rf"|{_STEP}(?:/{_STEP})*/[A-Za-z0-9_@+%-]+\.[A-Za-z0-9]{{1,5}}"
)
_LINE = re.compile(r"(?::[0-9]+){1,2}$")
_SEGMENTS = re.compile(r"[A-Za-z0-9]+")
_RUNS = re.compile(r"[a-z]+|[A-Z]+|[0-9]+")
_DATE = re.compile(r"(?:19|20)[0-9]{2}(?:[01][0-9](?:[0-3][0-9])?)?(?:T[0-9]{2,6}Z?)?")
_MAY_BE_SECRET = re.compile(r"AKIA|ASIA|gh[pousr]_|github_pat_|glpat-|xox|[rs]k[_-]|AIza|eyJ|[0-9]{15,16}$")
_ENDS = ".,:;?!*=&"


class Value(NamedTuple):
    """A value and where it stands."""

    text: str
    kind: ValueKind
    field: str
    """The way to it: `content[0].text`."""


def values(payload: Json) -> list[Value]:
    """The values in what one message says; bounded, and each as often as it comes."""
    found: list[Value] = []
    left = MAX_TEXT
    for place, text in _texts(payload):
        told = candidates(text if len(text) <= left else text[:left])
        if told:
            field = _name(place)
            found += [Value(value, kind, field) for value, kind in told]
            if len(found) >= MAX_VALUES:
                return found[:MAX_VALUES]
        left -= len(text)
        if left <= 0:
            break
    return found


def candidates(text: str) -> list[tuple[str, ValueKind]]:
    """The values in a text."""
    found: list[tuple[str, ValueKind]] = []
    chunks = _CHUNK.findall(text)
    if not chunks:
        return found
    is_key = "PRIVATE KEY-----" in text
    for chunk in chunks:
        if len(chunk) > MAX_LENGTH:
            continue
        if "@" in chunk:
            found += [(mail, _MAIL) for mail in _MAILS.findall(chunk) if len(mail) >= MIN_LENGTH]
        if "://" in chunk:
            found += [(url.rstrip(_ENDS), _URL) for url in _URLS.findall(chunk) if MASK not in chunk]
        elif "/" in chunk:
            path = _LINE.sub("", chunk.rstrip(_ENDS))
            if len(path) >= MIN_LENGTH and _PATHS.fullmatch(path):
                found.append((path, _PATH))
        for word in _WORD.findall(chunk):
            if is_random(word):
                is_secret = is_key or (_MAY_BE_SECRET.match(word) and (secrets_in(word) or secrets_in(chunk)))
                found.append((word, _SECRET if is_secret else _ID))
    return found


def is_random(word: str) -> bool:
    """Whether a word looks like drawn at random: a part of it that changes often between letters, cases and digits.

    Of hexadecimal and base 62 digits seven and six in ten follow one of another sort, of words hardly one in ten. Long
    numbers count too; dates do not.
    """
    for part in _SEGMENTS.findall(word):
        size = len(part)
        if size < 6 or _DATE.fullmatch(part):
            continue
        if part.isdecimal():
            if size >= MIN_LENGTH and len(set(part)) >= 6:
                return True
            continue
        changes = len(_RUNS.findall(part)) - 1
        digits = sum(map(str.isdecimal, part))
        if digits >= 2 and changes >= max(3, size / 5):
            return True
        if size >= MIN_LENGTH and changes >= 0.45 * size:
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


_Place = tuple["_Place", str | int] | None
"""The way to a value, linked backwards, so that a walk makes no text for what is of no interest."""


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
