"""Masking in text: what follows the name of a secret, what looks like one, and what addresses carry.

A whole text that is no JSON, such as a form, is masked wherever a secret's name stands before an equals sign or a
colon. In prose, which is what strings in JSON are, a name is often just a word: there the value has to look like one.
Every pass walks the text once.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from urllib.parse import unquote_plus

from mcpwatch.encoding import decode_base64
from mcpwatch.gateway.secret_names import in_query, is_masked, looks_random, secrecy
from mcpwatch.model.entries import MASK
from mcpwatch.secret_kinds import MIN_SECRET, find_secrets, masked_as, may_hold_secret

Masked = tuple[str, int]
"""A text with its secrets replaced, and how many there were."""
Cut = tuple[int, int, str]
"""From where to where in a text, and what stands there instead."""
Named = tuple[str, str, int]
"""A name, what joins it to its value, and where that begins."""

_JOINT = re.compile(r"=>|:=|[=:](?![=:]|//)")
_NAMES = re.compile(r"""(?<![\w.%$\[\]-])([\w.%$\[\]-]++)(?:\\*+["'`])?\s*+(=>|:=|[=:](?![=:]|//))\s*+""")
_FLAGS = re.compile(r"(?<![\w-])-{1,2}([A-Za-z][\w-]{1,64}+)(\s++)(?![-\s])")
_VALUE = re.compile(
    r"""\\*+"(?:[^"\\]|\\.)*+"?
    | '[^']*+'?
    | (?:(?:bearer|basic|dpop)\s++)?[^\s"'&;,<>{}\[\]\\]++""",
    re.X | re.I | re.S,
)
_PLACE = re.compile(r"""[<${*%]|your|example|placeholder|(?:none|null|nil|true|false|undefined|string)\b""", re.I)
"""How values begin that stand for others."""
_CODE = re.compile(r".*[()].*|(?:[A-Za-z_]\w*\.)+[A-Za-z_]\w*")
_QUOTES = "\\\"'`.,;"

_SENTINEL = re.compile(r"=\?base64\?(.*)\?=", re.S)
_PAIR = re.compile(r"(?<=[?&;#])([^=&;#?\s]{1,128}+)=")
_QUERY = re.compile(r"[?#]")
_QUERY_VALUE = re.compile(r"[^&#]++")
_ADDRESS_VALUE = re.compile(r"""[^&#\s"'<>]++""")
_STEP, _STEPS = (re.compile(rf"""[^&#\s"'<>?=;,{more}]++""") for more in ("/", ""))
_USERINFO = re.compile(r"""(?<=://)([^\s/?#@:"'<>]*+)(:[^\s/?#@"'<>]++)?@""")
_MIN_USER = 20
"""Characters from which on a user without a password may be a token."""


def mask_text(text: str) -> Masked:
    """Mask a whole text that is no JSON."""
    return _through(text, (_mask_assigned, _mask_pairs_in_text, _mask_users, mask_secrets, _mask_encoded))


def mask_prose(text: str) -> Masked:
    """Mask a text that people read, or code."""
    return _through(text, (_mask_told, _mask_pairs_in_text, _mask_users, mask_secrets, _mask_encoded))


def may_name_secret(text: str) -> bool:
    """Whether it is worth to look in a text for names of secrets and for addresses; false of most."""
    if ("=" in text or ":" in text) and _JOINT.search(text):
        return True
    return " -" in text or text.startswith("-") or ("@" in text and "//" in text)


def mask_secrets(text: str, spared: str = "") -> Masked:
    """Replace what looks like a secret by its kind; of the kind `spared` none."""
    if len(text) < MIN_SECRET or not may_hold_secret(text):
        return text, 0
    cuts = sorted(
        (hit.start, -hit.end, masked_as(hit.kind) if hit.is_real else MASK)
        for hit in find_secrets(text)
        if hit.kind != spared
    )
    return _replaced(text, ((start, -end, mask) for start, end, mask in cuts))


def mask_target(target: str) -> Masked:
    """A request target with the secrets in it replaced."""
    path, query = split_target(target)
    path, in_path = mask_shapes(path)
    query, in_query = mask_query(query)
    return path + query, in_path + in_query


def split_target(target: str) -> tuple[str, str]:
    """Path, with what stands before it, and query with fragment."""
    start = _QUERY.search(target)
    cut = start.start() if start else len(target)
    return target[:cut], target[cut:]


def mask_shapes(path: str) -> Masked:
    """A path, an id or another word, of which only the form can tell what it is."""
    return _through(path, (_mask_users, mask_secrets, _mask_encoded))


def mask_query(query: str) -> Masked:
    """A target's query and fragment."""
    return _through(query, (lambda text: _mask_pairs(text, _QUERY_VALUE), _mask_users, mask_secrets, _mask_encoded))


def mask_name(name: str) -> Masked:
    """What stands in a Mcp-Name field, masked as a target is; in its base64 form (SEP-2243) it is looked into."""
    inner = _SENTINEL.fullmatch(name)
    if inner is None:
        return mask_target(name)
    data = decode_base64(inner[1])
    masked, count = mask_target(data.decode("utf-8", "replace")) if data is not None else (MASK, 1)
    return (masked.encode("ascii", "backslashreplace").decode(), count) if count else (name, 0)


def mask_authority(authority: str) -> str:
    """Host and port; a user and a password before them, which do not belong there, are replaced."""
    _, at, host = authority.rpartition("@")
    return mask_secrets(f"{MASK}@{host}" if at else authority)[0]


def _through(text: str, passes: Iterable[Callable[[str], Masked]]) -> Masked:
    total = 0
    for each in passes:
        text, count = each(text)
        total += count
    return text, total


def _replaced(text: str, cuts: Iterable[Cut]) -> Masked:
    """Replace what is cut out, in order; of cuts that overlap the first."""
    pieces: list[str] = []
    done = count = 0
    for start, end, mask in cuts:
        if start >= done:
            pieces += (text[done:start], mask)
            done = end
            count += 1
    return ("".join((*pieces, text[done:])), count) if count else (text, 0)


def _mask_assigned(text: str) -> Masked:
    """Mask what stands after a secret's name, whatever it is."""
    return _replaced(text, _after(text, _named(text), _is_assigned))


def _mask_told(text: str) -> Masked:
    """Mask what stands after a secret's name, or after an option of that name, and looks like a secret."""
    masked, count = _replaced(text, _after(text, _named(text), _tells))
    if "-" in masked:
        options = ((hit[1], hit[2], hit.end()) for hit in _FLAGS.finditer(masked))
        masked, flags = _replaced(masked, _after(masked, options, _tells))
        count += flags
    return masked, count


def _named(text: str) -> Iterator[Named]:
    for hit in _NAMES.finditer(text):
        joint = text[hit.start(2) : hit.end()]
        yield hit[1], joint, hit.end()


def _after(text: str, names: Iterable[Named], masks: Callable[[str, str, str], bool]) -> Iterator[Cut]:
    """The values after the names of secrets that `masks`, of name, joint and value, says are to be masked."""
    done = 0
    for name, joint, start in names:
        if start < done or not secrecy(unquote_plus(name) if "%" in name else name):
            continue
        value = _VALUE.match(text, start)
        if value is not None and masks(name, joint, value[0]):
            done = value.end()
            yield value.start(), done, MASK


def _is_assigned(name: str, joint: str, value: str) -> bool:
    """Whether a value is masked under a name; what only may be one is no part of another name, as in `did:key:z6Mk`."""
    return is_masked(name, value.strip(_QUOTES)) and (joint != ":" or secrecy(name) != "random")


def _tells(name: str, joint: str, value: str) -> bool:
    """Whether a value in prose looks like the secret that its name says it is."""
    bare = value.strip(_QUOTES)
    if secrecy(name) == "random":
        return _is_assigned(name, joint, value)
    if len(bare) < 3 or _PLACE.match(bare) or _CODE.fullmatch(bare):
        return False
    is_mixed = any(map(str.isdigit, bare)) and any(map(str.isalpha, bare)) and len(bare) >= 4
    # JSON behind a word of prose is JSON still.
    is_member = value[:1] in ('"', "\\") and joint.startswith(":")
    return (
        is_mixed
        or is_member
        or joint == "="
        or (" " in bare and bare.lower().startswith(("bearer ", "basic ", "dpop ")))
    )


def _mask_pairs_in_text(text: str) -> Masked:
    has_pairs = "=" in text and ("?" in text or "&" in text or "#" in text or ";" in text)
    return _mask_pairs(text, _ADDRESS_VALUE) if has_pairs else (text, 0)


def _mask_pairs(text: str, value: re.Pattern[str]) -> Masked:
    """Replace what `value` matches after the name of a secret in a query."""
    return _replaced(text, _pairs(text, value))


def _pairs(text: str, value: re.Pattern[str]) -> Iterator[Cut]:
    done = 0
    for match in _PAIR.finditer(text):
        found = value.match(text, match.end()) if match.start() >= done else None
        if found is None or found[0] == MASK:
            continue
        kind = in_query(unquote_plus(match[1]))
        if kind and (kind != "random" or looks_random(found[0])):
            done = found.end()
            yield found.start(), done, MASK


def _mask_encoded(text: str) -> Masked:
    """Mask the steps, names and values of addresses that are secrets in percent-encoding."""
    if "%" not in text:
        return text, 0
    text, found = _replaced(text, _hiding(text, _STEP))
    text, more = _replaced(text, _hiding(text, _STEPS))
    return text, found + more


def _hiding(text: str, steps: re.Pattern[str]) -> Iterator[Cut]:
    for step in steps.finditer(text):
        if "%" in step[0] and len(step[0]) >= MIN_SECRET and _hides_secret(step[0]):
            yield *step.span(), MASK


def _hides_secret(step: str) -> bool:
    plain = unquote_plus(step)
    return plain != step and bool(mask_secrets(plain)[1] or _mask_users(plain)[1])


def _mask_users(text: str) -> Masked:
    """Mask the passwords of addresses, and users that are tokens."""
    if "://" not in text or "@" not in text:
        return text, 0
    return _replaced(text, (_user(hit) for hit in _USERINFO.finditer(text) if _opens(hit)))


def _opens(hit: re.Match[str]) -> bool:
    return hit[2] is not None or (len(hit[1]) >= _MIN_USER and looks_random(hit[1]))


def _user(hit: re.Match[str]) -> Cut:
    return hit.start(), hit.end(), f"{hit[1]}:{MASK}@" if hit[2] is not None else f"{MASK}@"
