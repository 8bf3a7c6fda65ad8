"""Proof files by the text of the specifications: made from whole logs, and read with hashes and signatures alone."""

import base64
from hashlib import sha256

from nacl.signing import VerifyKey
from tiny_log import TinyLog

from mcpwatch.feed.proofs import prove_inclusion
from mcpwatch.feed.tlog_proof import TlogProof


def proof_of(log: TinyLog, index: int, size: int | None = None) -> TlogProof:
    size = log.size if size is None else size
    path = prove_inclusion(index, size, lambda level, at: tree(log.leaves[at << level : (at + 1) << level]))
    return TlogProof(index, tuple(path), log.note(size), log.leaves[index])


def tree(leaves: list[bytes]) -> bytes:
    """The root by the recursive definition of RFC 9162, section 2.1.1."""
    if len(leaves) == 1:
        return sha256(b"\x00" + leaves[0]).digest()
    left = 1 << ((len(leaves) - 1).bit_length() - 1)
    return sha256(b"\x01" + tree(leaves[:left]) + tree(leaves[left:])).digest()


def independent(data: bytes, vkey: str) -> tuple[str, int, bytes]:
    """Origin, index and leaf that a proof shows: by the text of the specifications, with no code of ours."""
    name, key_id, material = vkey.split("+", 2)
    public = base64.b64decode(material)[1:]
    head, text, signatures = data.decode().split("\n\n")
    first, extra, index_line, *hashes = head.split("\n")
    assert first == "c2sp.org/tlog-proof@v1" and extra.startswith("extra ") and index_line.startswith("index ")
    lines = [line.split(" ")[1:] for line in signatures.splitlines()]
    (signature,) = (base64.b64decode(each) for signer, each in lines if signer == name)
    assert signature[:4].hex() == key_id
    VerifyKey(public).verify(text.encode() + b"\n", signature[4:])
    origin, size, root, *_ = text.split("\n")
    leaf, index = base64.b64decode(extra.removeprefix("extra ")), int(index_line.removeprefix("index "))
    at, count, computed = index, int(size), sha256(b"\x00" + leaf).digest()
    path = [base64.b64decode(each) for each in hashes]
    while count > 1:
        if at % 2:
            computed = sha256(b"\x01" + path.pop(0) + computed).digest()
        elif at + 1 < count:
            computed = sha256(b"\x01" + computed + path.pop(0)).digest()
        at, count = at // 2, (count + 1) // 2
    assert not path and at == 0
    assert computed == base64.b64decode(root)
    return origin, index, leaf
