"""File paths that lead where a server has nothing to give away, however they are spelled."""

import posixpath
import re
import unicodedata
from typing import Final
from urllib.parse import unquote

MAX_PADDED: Final = 32_768
"""Characters of a path that are read, of which most may do nothing."""
MAX_PATH: Final = 4_096
"""What Linux takes for a path."""
_MAX_BLANKS = 4
"""With more of them text is prose, unless it begins as a path does."""
_DECODED = 3
"""Times that a path is percent-decoded."""
_FILE = re.compile(r"file:(?://(?:localhost|127\.0\.0\.1|\[::1\])?(?=[/\\]))?", re.IGNORECASE)
_UP = re.compile(r"(?:^|/)(?:\.\.(?:;[^/]*)?|\.{4,})(?=/|$)")
_BEGINS = re.compile(r"[/\\~.%]|[a-z]:[/\\]|file:", re.IGNORECASE)
_SLASHES = re.compile(r"(?:[/\\]\.?){2,}(?=[/\\])")
"""Slashes that do nothing, of which there may be any number."""
_LEADING = re.compile(r"^(?:\.\./)+")
_SECRET = re.compile(
    r"^/(?:private/)?etc/(?:passwd|g?shadow|master\.passwd|sudoers|ssh/|ssl/private|kubernetes/)"
    r"|^/proc/(?:self|thread-self|\d+)/(?:environ|cmdline|mem|maps|fd)"
    r"|^/(?:var/)?run/secrets(?:/|$)"
    r"|(?:^|/)\.(?:ssh|gnupg|aws|kube|azure)(?:/|$)|(?:^|/)\.docker/config\.json$"
    r"|(?:^|/)\.(?:netrc|pgpass|git-credentials|pypirc|htpasswd|bash_history|zsh_history)$"
    r"|(?:^|/)\.env(?:\.(?!example|sample|template|dist|schema)\w+)?$"
    r"|(?:^|/)id_(?:rsa|dsa|ecdsa|ed25519)$"
    r"|^/?[a-z]:/windows/(?:win\.ini|system32/)"
)
_SYSTEM = re.compile(r"^/(?:private/)?(?:etc|proc|sys|dev|boot)(?:/|$)")
SECRETS: Final = "secrets"
SYSTEM: Final = "system files"
TRAVERSAL: Final = "traversal"


def is_file_uri(text: str) -> bool:
    """Whether it is a URI with the scheme `file`."""
    return text[:5].lower() == "file:"


def plain(text: str) -> str:
    """A path or a `file` URI as a path: decoded, with slashes; `..` is left where it is."""
    text = text[:MAX_PADDED].strip()
    text = _SLASHES.sub("", text)[:MAX_PATH] if len(text) > MAX_PATH else text
    scheme = _FILE.match(text)
    path = text[scheme.end() :] if scheme is not None else text
    for _ in range(_DECODED):
        if "%" not in path:
            break
        path = unquote(path)
    return unicodedata.normalize("NFKC", path).replace("\\", "/").partition("\0")[0]


def resolved(path: str) -> str:
    """Where a plain path leads, in lower case; one that climbs out of a folder is taken to climb to the root."""
    steps = [".." if step[:2] == ".." and _UP.fullmatch(step) else step for step in path.split("/")]
    return _LEADING.sub("/", posixpath.normpath("/".join(steps))).lower().replace("//", "/")


def climbs(text: str) -> bool:
    """Whether a path goes up, however that is spelled."""
    return _UP.search(plain(text)) is not None


def trespass(text: str, *, is_uri: bool) -> str:
    """Why nobody should ask for a file: SECRETS, SYSTEM, TRAVERSAL; empty where nothing speaks against it.

    Of a URI that names a resource all three. Of a tool's argument only what is secret, and a climb that is spelled so
    as to hide it: agents do work in system folders, and outside of the one they are in.
    """
    if not is_uri and not may_be_path(text):
        return ""
    path = plain(text)
    where = resolved(path)
    if _SECRET.search(where) is not None:
        return SECRETS
    if not is_uri:
        return TRAVERSAL if climbs(text) and _UP.search(text.replace("\\", "/")) is None else ""
    if climbs(text):
        return TRAVERSAL
    return SYSTEM if _SYSTEM.search(where) is not None else ""


def may_be_path(text: str) -> bool:
    """Whether an argument is no prose and may be a path that matters, so that a closer look is worth it."""
    if not _has_sign(text.lower()):
        return False
    text = text.strip()
    return "\n" not in text and (text.count(" ") <= _MAX_BLANKS or _BEGINS.match(text) is not None)


def _has_sign(text: str) -> bool:
    """Whether there is anything of what all such paths have; most arguments have nothing of it."""
    return (
        "/." in text
        or "\\" in text
        or "%" in text
        or ".." in text
        or "etc/" in text
        or "proc/" in text
        or "secret" in text
        or "id_" in text
        or "windows" in text
        or text.startswith(".")
        or not text.isascii()
    )
