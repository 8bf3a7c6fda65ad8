"""One entry of a log with all that shows it is there: a C2SP tlog-proof whose extra data are the leaf's octets.

Whoever holds such a file and the log's verifier key needs nothing else (SPEC.md, section 3.1).
"""

import base64
from collections.abc import Sequence

from msgspec import Struct

from mcpwatch.encoding import decode_base64
from mcpwatch.feed.decimals import MAX_DIGITS
from mcpwatch.feed.merkle import leaf_hash
from mcpwatch.feed.note import MAX_NOTE, NoteVerifier, open_untimed
from mcpwatch.feed.proofs import BadProof, verify_inclusion
from mcpwatch.feed.vkey import BadNote
from mcpwatch.model.feed import Checkpoint

SUFFIX = ".tlog-proof"
HEAD = b"c2sp.org/tlog-proof@v1\n"
MAX_FILE = 2_097_152
"""Octets; the largest leaf of a stream, in base64, with the longest path and note, takes less."""
MAX_PATH = 63


class TlogProof(Struct, frozen=True):
    """An entry, its place and the way from there to a checkpoint; nothing of it verified yet."""

    index: int
    path: tuple[bytes, ...]
    """The inclusion proof, from the leaf's sibling up, 32 octets each."""
    note: bytes
    """The signed note of a checkpoint."""
    leaf: bytes
    """Exactly the octets that were hashed."""


def format_proof(proof: TlogProof) -> bytes:
    """The file, in its one form."""
    lines = (f"extra {_base64(proof.leaf)}", f"index {proof.index}", *map(_base64, proof.path))
    return HEAD + "".join(f"{line}\n" for line in lines).encode() + b"\n" + proof.note


def parse_proof(data: bytes) -> TlogProof:
    """Take such a file apart; raises BadProof for all that `format_proof` would not have written."""
    if len(data) > MAX_FILE:
        raise BadProof(f"it is larger than {MAX_FILE} octets")
    if not data.startswith(HEAD):
        raise BadProof("it does not begin as a tlog-proof does")
    head, blank, note = data.removeprefix(HEAD).partition(b"\n\n")
    extra, _, rest = head.partition(b"\n")
    index, *hashes = rest.split(b"\n")
    leaf, digits = _decode(extra.removeprefix(b"extra ")), index.removeprefix(b"index ")
    if leaf is None:
        raise BadProof("it does not hold the entry's octets")
    if not blank or not digits.isdigit() or len(digits) > MAX_DIGITS:
        raise BadProof("its index is not well-formed")
    if len(hashes) > MAX_PATH or len(note) > MAX_NOTE:
        raise BadProof("its path or its checkpoint is too long")
    path = tuple(_decode(line) or b"" for line in hashes)
    proof = TlogProof(int(digits), path, note, leaf)
    if format_proof(proof) != data:
        raise BadProof("it is not written in its one form")
    return proof


def verify_proof(proof: TlogProof, keys: Sequence[str]) -> Checkpoint:
    """The checkpoint that covers the entry, signature and path verified; raises BadProof.

    `keys` are the log's verifier keys. With the one of type 0x01 alone, the checkpoint's time is None: nothing of
    the other signature is looked at.
    """
    try:
        checkpoint = NoteVerifier(*keys).open(proof.note) if len(keys) == 2 else open_untimed(keys[0], proof.note)
    except BadNote as bad:
        raise BadProof(bad.reason) from None
    verify_inclusion(leaf_hash(proof.leaf), proof.index, checkpoint.size, proof.path, checkpoint.root)
    return checkpoint


def _decode(line: bytes) -> bytes | None:
    try:
        return decode_base64(line.decode("ascii"))
    except UnicodeDecodeError:
        return None


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
