"""Signed checkpoints: C2SP signed-note, tlog-checkpoint and tlog-cosignature (Ed25519, v1).

A log signs each checkpoint twice, with two keys: type 0x01 over the note's text, which any C2SP tool
checks, and type 0x04, which also carries the time. The second key is named ORIGIN/time.
"""

import base64

from msgspec import Struct
from nacl.signing import SigningKey

from mcpwatch.encoding import decode_base64
from mcpwatch.errors import LocalError
from mcpwatch.feed.merkle import EMPTY_ROOT, HASH_SIZE
from mcpwatch.feed.vkey import PLAIN, TIMED, BadNote, VerifierKey, good_name
from mcpwatch.model.feed import Checkpoint

__all__ = ["BadNote", "LogKey", "Note", "NoteVerifier"]

TIME_SUFFIX = "/time"
MAX_NOTE = 65_536
MAX_SIGNATURES = 64
_DASH = "\u2014 "
_SECRET_PREFIX = "PRIVATE+KEY+"  # noqa: S105 (the marker of a C2SP signer key, not a key)


class Note(Struct, frozen=True):
    """A note taken apart, nothing of it verified yet."""

    text: bytes
    """With its final newline."""
    signatures: dict[tuple[str, bytes], bytes]
    """By key name and key id."""

    @classmethod
    def parse(cls, note: bytes) -> "Note":
        """Take a signed note apart; raises BadNote when it is not one."""
        if len(note) > MAX_NOTE:
            raise BadNote(f"the note is larger than {MAX_NOTE} octets")
        try:
            content = note.decode("utf-8", "strict")
        except UnicodeDecodeError:
            raise BadNote("the note is not UTF-8") from None
        if any(char < " " and char != "\n" for char in content):
            raise BadNote("the note holds control characters")
        text, blank, tail = content.rpartition("\n\n")
        lines = tail.split("\n")
        if not blank or lines.pop() != "" or not lines:
            raise BadNote("the note has no signatures")
        if len(lines) > MAX_SIGNATURES:
            raise BadNote(f"the note has more than {MAX_SIGNATURES} signatures")
        signatures: dict[tuple[str, bytes], bytes] = {}
        for line in lines:
            name, _, encoded = line.removeprefix(_DASH).partition(" ")
            raw = decode_base64(encoded)
            if not line.startswith(_DASH) or not good_name(name) or raw is None or len(raw) < 5:
                raise BadNote("a signature line is not well-formed")
            if signatures.setdefault((name, raw[:4]), raw[4:]) != raw[4:]:
                raise BadNote("one key signs the note twice")
        return cls(text=f"{text}\n".encode(), signatures=signatures)

    def signature(self, key: VerifierKey) -> bytes:
        """The signature that claims to be `key`'s; raises BadNote when there is none."""
        found = self.signatures.get((key.name, key.id))
        if found is None:
            raise BadNote(f"the note is not signed by {key.name}")
        return found


class NoteVerifier:
    """Opens the checkpoints of one log, by its two verifier keys.

    Raises BadNote when the keys are not a pair of types 0x01 and 0x04 under ORIGIN and ORIGIN/time.
    """

    def __init__(self, vkey: str, time_vkey: str) -> None:
        self.key = VerifierKey.parse(vkey)
        self.time_key = VerifierKey.parse(time_vkey)
        if (self.key.type, self.time_key.type) != (PLAIN, TIMED):
            raise BadNote("the verifier keys are not of types 0x01 and 0x04")
        if self.time_key.name != self.key.name + TIME_SUFFIX:
            raise BadNote("the verifier keys are not of one origin")
        if self.key.public == self.time_key.public:
            raise BadNote("one key serves both signature types")

    @property
    def origin(self) -> str:
        return self.key.name

    def open(self, note: bytes) -> Checkpoint:
        """The checkpoint in a signed note, both signatures verified; raises BadNote with the reason."""
        parsed = Note.parse(note)
        size, root = _checkpoint_text(parsed.text, self.origin)
        self.key.verify(parsed.text, parsed.signature(self.key))
        stamped = parsed.signature(self.time_key)
        time = int.from_bytes(stamped[:8], "big")
        if len(stamped) != 72 or time >= 1 << 63:
            raise BadNote("the timed signature is not well-formed")
        self.time_key.verify(_timed_message(parsed.text, time), stamped[8:])
        return Checkpoint(origin=self.origin, size=size, root=root, note=bytes(note), time=time)


def open_untimed(vkey: str, note: bytes) -> Checkpoint:
    """The checkpoint in a signed note by the log's key of type 0x01 alone, without a time; raises BadNote."""
    key = VerifierKey.parse(vkey)
    if key.type != PLAIN:
        raise BadNote("the verifier key is not of type 0x01")
    parsed = Note.parse(note)
    size, root = _checkpoint_text(parsed.text, key.name)
    key.verify(parsed.text, parsed.signature(key))
    return Checkpoint(origin=key.name, size=size, root=root, note=bytes(note))


class LogKey:
    """The two secret keys of a log; its dump is kept in a private file and never leaves the machine."""

    __slots__ = ("_plain", "_timed", "origin")

    def __init__(self, origin: str, plain: SigningKey, timed: SigningKey) -> None:
        if not good_name(origin) or not origin.isprintable():
            raise ValueError("an origin is not empty and holds no spaces, plus signs or control characters")
        self.origin = origin
        self._plain = plain
        self._timed = timed

    @classmethod
    def generate(cls, origin: str) -> "LogKey":
        """Fresh keys for a log; raises ValueError when `origin` cannot name a key."""
        return cls(origin, SigningKey.generate(), SigningKey.generate())

    @classmethod
    def load(cls, data: bytes) -> "LogKey":
        """Read what `dump` wrote; raises LocalError when it is something else."""
        try:
            plain, timed = data.decode("ascii").splitlines()
            origin, key = _parse_secret(plain, PLAIN)
            time_name, time_key = _parse_secret(timed, TIMED)
            if time_name != origin + TIME_SUFFIX:
                raise ValueError
            return cls(origin, key, time_key)
        except ValueError:
            raise LocalError(
                "the log's key file is damaged", "Put it back from a copy, or remove it to begin a new log."
            ) from None

    def dump(self) -> bytes:
        """Both keys as C2SP signer keys, one a line: secret."""
        pairs = ((self._public(PLAIN), self._plain), (self._public(TIMED), self._timed))
        return b"".join(_dump_secret(key, secret) for key, secret in pairs)

    def __repr__(self) -> str:
        return f"LogKey({self.origin!r})"

    @property
    def verifier_key(self) -> str:
        """The public key of type 0x01, C2SP form."""
        return str(self._public(PLAIN))

    @property
    def time_verifier_key(self) -> str:
        """The public key of type 0x04, C2SP form."""
        return str(self._public(TIMED))

    def sign_checkpoint(self, size: int, root: bytes, time: int) -> bytes:
        """The signed note for a tree of `size` leaves under `root`, at `time` in seconds since the epoch."""
        text = f"{self.origin}\n{size}\n{base64.b64encode(root).decode()}\n".encode()
        plain = self._plain.sign(text).signature
        timed = time.to_bytes(8, "big") + self._timed.sign(_timed_message(text, time)).signature
        lines = (
            f"{_DASH}{key.name} {base64.b64encode(key.id + signature).decode()}\n"
            for key, signature in ((self._public(PLAIN), plain), (self._public(TIMED), timed))
        )
        return text + b"\n" + "".join(lines).encode()

    def _public(self, kind: int) -> VerifierKey:
        if kind == PLAIN:
            return VerifierKey(self.origin, PLAIN, bytes(self._plain.verify_key))
        return VerifierKey(self.origin + TIME_SUFFIX, TIMED, bytes(self._timed.verify_key))


def _timed_message(text: bytes, time: int) -> bytes:
    return f"cosignature/v1\ntime {time}\n".encode() + text


def _checkpoint_text(text: bytes, origin: str) -> tuple[int, bytes]:
    """Size and root of a checkpoint's text; extension lines are allowed and mean nothing here."""
    lines = text.decode().split("\n")
    if len(lines) < 4 or "" in lines[:-1]:
        raise BadNote("the note is not a checkpoint")
    if lines[0] != origin:
        raise BadNote("the checkpoint is of another origin")
    size = lines[1]
    if not size.isascii() or not size.isdigit() or len(size) > 19 or str(int(size)) != size:
        raise BadNote("the checkpoint's size is not a number in canonical form")
    root = decode_base64(lines[2])
    if root is None or len(root) != HASH_SIZE:
        raise BadNote("the checkpoint's root is not 32 octets")
    if size == "0" and root != EMPTY_ROOT:
        raise BadNote("the checkpoint of an empty log does not have the empty tree's root")
    return int(size), root


def _dump_secret(key: VerifierKey, secret: SigningKey) -> bytes:
    material = base64.b64encode(bytes([key.type]) + bytes(secret)).decode()
    return f"{_SECRET_PREFIX}{key.name}+{key.id.hex()}+{material}\n".encode()


def _parse_secret(line: str, kind: int) -> tuple[str, SigningKey]:
    name, _, rest = line.removeprefix(_SECRET_PREFIX).partition("+")
    hex_id, _, encoded = rest.partition("+")
    material = decode_base64(encoded)
    if not line.startswith(_SECRET_PREFIX) or material is None or len(material) != 33 or material[0] != kind:
        raise ValueError
    key = SigningKey(material[1:])
    if VerifierKey(name, kind, bytes(key.verify_key)).id.hex() != hex_id:
        raise ValueError
    return name, key
