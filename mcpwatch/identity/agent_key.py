"""An agent's own Ed25519 key."""

import os
import shlex
from base64 import b64encode
from pathlib import Path

from nacl.signing import SigningKey

from mcpwatch.encoding import decode_base64
from mcpwatch.errors import LocalError
from mcpwatch.files import create_private, read_private, write_private
from mcpwatch.identity import ed25519, verifier
from mcpwatch.program import program

SEED_SIZE = 32
_BEGIN, _END = "-----BEGIN PRIVATE KEY-----", "-----END PRIVATE KEY-----"
_PKCS8 = bytes.fromhex("302e020100300506032b657004220420")
"""What stands before the seed in a PKCS #8 Ed25519 key (RFC 8410 section 7)."""


class AgentKey:
    """A key to sign with, and the names it gives its agent. The seed never prints."""

    __slots__ = ("_key", "public")

    def __init__(self, seed: bytes) -> None:
        """Take a seed of 32 octets. Raises ValueError for another length."""
        if len(seed) != SEED_SIZE:
            raise ValueError("an Ed25519 seed is 32 octets")
        self._key = SigningKey(seed)
        self.public = bytes(self._key.verify_key)
        """The public key, 32 octets."""

    @classmethod
    def generate(cls) -> "AgentKey":
        """A new key from the system's randomness."""
        return cls(os.urandom(SEED_SIZE))

    @classmethod
    def load(cls, path: Path) -> "AgentKey":
        """The key in a PEM file that only its owner can read. Raises LocalError."""
        try:
            if path.exists() and _seed(path.read_bytes()) is None:
                # Whether others can read it matters only where there is a secret in it.
                raise _no_key(path)
            seed = _seed(read_private(path))
        except OSError as error:
            raise LocalError(f"{path} cannot be read: {error.strerror}") from None
        if seed is None:
            raise _no_key(path)
        return cls(seed)

    def save(self, path: Path, *, replace: bool = False) -> None:
        """Write the key to a PEM file (PKCS #8), 0600.

        Raises LocalError, also when something of that name is there and may not be replaced.
        """
        text = b64encode(_PKCS8 + bytes(self._key)).decode("ascii")
        pem = f"{_BEGIN}\n{text}\n{_END}\n".encode("ascii")
        try:
            if replace:
                write_private(path, pem)
            elif not create_private(path, pem):
                again = f"{program()} keygen --out {shlex.quote(str(path))} --force"
                raise LocalError(f"{path} is there already", f"Name another file, or replace it: {again}")
        except OSError as error:
            raise LocalError(f"{path} cannot be written: {error.strerror}") from None

    def sign(self, message: bytes) -> bytes:
        """The signature over `message`, 64 octets."""
        return self._key.sign(message).signature

    @property
    def did_key(self) -> str:
        return ed25519.did_key(self.public)

    @property
    def did_aip(self) -> str:
        return ed25519.did_aip(self.public)

    @property
    def fingerprint(self) -> str:
        """The RFC 7638 thumbprint, base64url without padding."""
        return verifier.fingerprint(self.public)

    @property
    def public_base64(self) -> str:
        """The public key as `mcpwatch keys add` takes it."""
        return b64encode(self.public).decode("ascii")

    def __repr__(self) -> str:
        return f"AgentKey({self.did_key})"

    def __reduce__(self) -> str:
        raise TypeError("a private key cannot be pickled")


def _seed(pem: bytes) -> bytes | None:
    """The seed in a PEM file; None where there is none."""
    text = " ".join(pem.decode("ascii", "replace").split())
    data = decode_base64(text.removeprefix(_BEGIN).removesuffix(_END).replace(" ", ""))
    framed = text.startswith(_BEGIN) and text.endswith(_END)
    if not framed or data is None or len(data) != len(_PKCS8) + SEED_SIZE or not data.startswith(_PKCS8):
        return None
    return data[len(_PKCS8) :]


def _no_key(path: Path) -> LocalError:
    return LocalError(f"{path} is no agent key: not an Ed25519 key in PEM", f"Make one with: {program()} keygen")
