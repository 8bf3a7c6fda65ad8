"""Signed checkpoints a second time: C2SP signed-note, tlog-checkpoint and cosignature/v1 as patterns, with OpenSSL."""

import base64
import re
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from msgspec import Struct

MAX_NOTE, MAX_SIGNATURES = 65_536, 64
_NOTE = re.compile(r"(?P<text>.*\n)\n(?P<signatures>(?:[^\n]+\n)+)", re.DOTALL)
_LINE = re.compile(r"([^\n]+)\n")
_SIGNATURE = re.compile(
    r"— (?P<name>[^\s+\x7f]+) (?P<octets>(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?)"
)
_CHECKPOINT = re.compile(
    r"(?P<origin>[^\n]+)\n(?P<size>0|[1-9][0-9]{0,18})\n(?P<root>[A-Za-z0-9+/]{43}=)\n(?:[^\n]+\n)*"
)
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")


class Key(Struct, frozen=True):
    """A verifier key."""

    name: str
    type: int
    public: bytes

    @property
    def id(self) -> bytes:
        return sha256(self.name.encode() + b"\n" + bytes([self.type]) + self.public).digest()[:4]

    def holds(self, message: bytes, signature: bytes) -> bool:
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, message)
        except InvalidSignature:
            return False
        return True


def parse_key(vkey: str) -> Key:
    """A verifier key that is known to be one."""
    name, _, material = vkey.split("+", 2)
    octets = base64.b64decode(material)
    return Key(name, octets[0], octets[1:])


def take_apart(note: bytes) -> tuple[bytes, dict[tuple[str, bytes], bytes]] | None:
    """The text and the signatures of a note by key name and id; None when it is no note."""
    try:
        content = note.decode()
    except UnicodeDecodeError:
        return None
    whole = _NOTE.fullmatch(content)
    if whole is None or len(note) > MAX_NOTE or _CONTROL.search(content):
        return None
    signatures: dict[tuple[str, bytes], bytes] = {}
    lines = _LINE.findall(whole["signatures"])
    for line in lines:
        matched = _SIGNATURE.fullmatch(line)
        raw = canonical(matched["octets"]) if matched else None
        if matched is None or raw is None or len(raw) < 5:
            return None
        if signatures.setdefault((matched["name"], raw[:4]), raw[4:]) != raw[4:]:
            return None
    return (whole["text"].encode(), signatures) if len(lines) <= MAX_SIGNATURES else None


def open_note(note: bytes, plain: Key, timed: Key) -> tuple[int, bytes, int] | None:
    """Size, root and time of a log's checkpoint; None when it is not one, signed by both keys."""
    parts = take_apart(note)
    if parts is None:
        return None
    text, signatures = parts
    matched = _CHECKPOINT.fullmatch(text.decode())
    root = canonical(matched["root"]) if matched else None
    if matched is None or root is None or matched["origin"] != plain.name:
        return None
    size = int(matched["size"])
    if size == 0 and root != sha256(b"").digest():
        return None
    bare, stamped = signatures.get((plain.name, plain.id), b""), signatures.get((timed.name, timed.id), b"")
    time = int.from_bytes(stamped[:8], "big")
    if len(stamped) != 72 or time > 2**63 - 1 or not plain.holds(text, bare):
        return None
    return (size, root, time) if timed.holds(b"cosignature/v1\ntime %d\n%b" % (time, text), stamped[8:]) else None


def canonical(encoded: str) -> bytes | None:
    """The octets of base64 whose unused bits are 0."""
    octets = base64.b64decode(encoded)
    return octets if base64.b64encode(octets).decode() == encoded else None
