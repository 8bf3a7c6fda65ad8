"""Characters that act on a terminal, and characters that nobody sees."""

import re
import unicodedata
from itertools import islice

from mcpwatch.detect.phrases import quote, together

_ENOUGH = 1_000
"""Characters looked at in one string; more than that changes nothing."""
_NAMED = 3
_NAMES = {
    "\x00": "NUL",
    "\x05": "ENQ",
    "\x07": "BEL",
    "\x08": "BS",
    "\r": "CR",
    "\x1b": "ESC",
    "\x7f": "DEL",
    "\x90": "DCS",
    "\x9b": "CSI",
    "\x9d": "OSC",
}

_CONTROL = re.compile("[\x00-\x08\x0b\x0e-\x1f\x7f-\x9f]")
_RETURN = re.compile("\r(?!\n)")
_ASCII_CONTROLS = bytes(set(range(32)) - set(b"\t\n\f") | {127})
_LOOKS = re.compile("\x1b\\[([0-9;]{0,24})m|\x1b\\(B")
"""How text looks (ECMA-48, 8.3.117: SGR), and the character set that its reset names along with it."""
_PLAIN_LOOKS = re.compile(r"(?:(?:0?[0-79]|2[1-9]|3[1-79]|9[0-7]|38;5;[1-9][0-9]{0,2})?(?:;|$))*")
"""Bold, underlined, of a colour: text that is still seen, on the ground that it has."""
_METERS = re.compile("\x1b\\[(?!(?:[0-9]{0,4};){0,12}0*8[;m])[0-9;]{0,24}m|\x1b\\[[012]?K")
"""What programs that show how far they are print beside single control characters: grounds, and the line erased."""
_BEYOND = re.compile("[\x1b\x90\x98\x9b\x9d-\x9f]")
"""What begins all other sequences that a terminal obeys; single characters do no more than begin a line anew."""

_ALWAYS = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\u2800\u3164\ufeff"
    "\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
_JOINER = "[\u200c\u200d]"
_HIDDEN = re.compile(
    f"[{_ALWAYS}]"
    f"|(?:(?<=[\x00-\x7f])|^){_JOINER}|{_JOINER}(?=[\x00-\x7f]|$)"  # beside Latin text they join nothing
    "|(?<=[\ufe00-\ufe0f])[\ufe00-\ufe0f]"  # one picks a glyph, a run of them carries octets
    "|(?<=[A-Za-z])[\ufe00-\ufe0f\u180b-\u180d\u180f]"  # letters of ours have but one glyph
)
_SMUGGLED = re.compile(f"[\u202d\u202e\U000e0000-\U000e0fff]|[{_ALWAYS}\u200c\u200d\ufe00-\ufe0f]{{4,}}")
_SUBDIVISION_FLAGS = re.compile(
    "\U0001f3f4\U000e0067\U000e0062(?:\U000e0065\U000e006e\U000e0067|\U000e0073\U000e0063\U000e0074"
    "|\U000e0077\U000e006c\U000e0073)\U000e007f"
)
"""The three flags that Unicode spells with tags: England, Scotland, Wales."""


def acting(text: str) -> list[str]:
    """Control characters that a terminal obeys, apart from those that plain text has: TAB, LF, FF, CR LF."""
    if text.isascii():
        octets = text.encode()
        if len(octets.translate(None, _ASCII_CONTROLS)) == len(octets):
            return []
    elif text.replace("\n", "").isprintable():
        return []
    found = [match.group() for match in islice(_CONTROL.finditer(text), _ENOUGH)]
    return found + _RETURN.findall(text)[:_ENOUGH] if "\r" in text else found


def acting_in_output(text: str) -> tuple[list[str], bool]:
    """The same in what a program printed, plain colours apart; and whether any of it does more than meters do."""
    plain = _LOOKS.sub(lambda look: "" if _PLAIN_LOOKS.fullmatch(look[1] or "") else look[0], text)
    return acting(plain), _BEYOND.search(_METERS.sub("", plain)) is not None


def hidden(text: str) -> list[str]:
    """Zero-width, bidirectional, tag and filler characters, apart from those that scripts and emoji need."""
    if text.isascii():
        return []
    if "\U0001f3f4" in text:
        text = _SUBDIVISION_FLAGS.sub("", text)
    return [match.group() for match in islice(_HIDDEN.finditer(text), _ENOUGH)]


def smuggled(text: str) -> list[str]:
    """Those of them that carry words or turn text around; single ones stand in honest text of many origins."""
    if text.isascii():
        return []
    if "\U0001f3f4" in text:
        text = _SUBDIVISION_FLAGS.sub("", text)
    return [char for match in islice(_SMUGGLED.finditer(text), _ENOUGH) for char in match.group()]


def spell(found: list[str]) -> str:
    """The characters by code point and name, and what tag characters among them say."""
    kinds = list(dict.fromkeys(found))
    names = [f"U+{ord(char):04X} {_NAMES.get(char) or unicodedata.name(char, '')}".rstrip() for char in kinds[:_NAMED]]
    many = f"{len(found)} characters such as " if len(found) > len(names) else ""
    tags = "".join(chr(ord(char) - 0xE0000) for char in found if 0xE0020 <= ord(char) < 0xE007F)
    return many + together(names) + (f", which spell {quote(tags)}" if tags else "")
