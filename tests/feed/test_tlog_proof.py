"""A proof of one entry, checked by hashes and signatures alone, and refused with any octet of it changed."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from independent_proof import independent, proof_of
from nacl.exceptions import BadSignatureError
from tiny_log import ORIGIN, START, TinyLog

import mcpwatch.feed
from mcpwatch.feed.proofs import BadProof
from mcpwatch.feed.tlog_proof import MAX_FILE, TlogProof, format_proof, parse_proof, verify_proof

TEXT = Path(mcpwatch.feed.__path__[0], "SPEC.md").read_text(encoding="utf-8")
BLOCKS: dict[str, str] = dict(re.findall(r"^```\w+ ([\w-]+)\n(.*?)^```$", TEXT, re.M | re.S))


def keys_of(log: TinyLog) -> tuple[str, str]:
    return log.key.verifier_key, log.key.time_verifier_key


@pytest.fixture(scope="module")
def log() -> TinyLog:
    """Twenty-one entries: a tree whose right side is not full on three levels."""
    log = TinyLog()
    log.grow(21)
    return log


def test_the_vector_holds_by_an_independent_reading_and_by_this_code() -> None:
    data, keys = BLOCKS["tlog-proof"].encode(), BLOCKS["keys"].split()
    leaf = BLOCKS["leaf-1"].rstrip("\n").encode()
    assert independent(data, keys[0]) == ("gateway.example/feed/1", 1, leaf)
    proof = parse_proof(data)
    assert (proof.index, proof.leaf, format_proof(proof)) == (1, leaf, data)
    assert verify_proof(proof, keys).time == 1795348802


@pytest.mark.parametrize("size", range(1, 22))
def test_every_entry_of_every_small_log_holds_by_both(log: TinyLog, size: int) -> None:
    for index in range(size):
        data = format_proof(proof_of(log, index, size))
        assert independent(data, keys_of(log)[0]) == (ORIGIN, index, log.leaves[index])
        assert verify_proof(parse_proof(data), keys_of(log)).time == START + size
        assert verify_proof(parse_proof(data), keys_of(log)[:1]).time is None


@pytest.mark.parametrize("bit", range(8))
def test_every_flipped_bit_is_refused(log: TinyLog, bit: int) -> None:
    data = bytearray(format_proof(proof_of(log, 13)))
    for at in range(len(data)):
        data[at] ^= 1 << bit
        with pytest.raises(BadProof):
            verify_proof(parse_proof(bytes(data)), keys_of(log))
        data[at] ^= 1 << bit
    verify_proof(parse_proof(bytes(data)), keys_of(log))


def test_the_one_key_holds_all_but_the_line_of_the_other(log: TinyLog) -> None:
    data = bytearray(format_proof(proof_of(log, 13)))
    line = data.index(f"\u2014 {ORIGIN}/time ".encode())
    accepted = []
    for at in range(len(data)):
        data[at] ^= 1
        try:
            verify_proof(parse_proof(bytes(data)), keys_of(log)[:1])
            accepted.append(at)
        except BadProof:
            pass
        data[at] ^= 1
    assert accepted and min(accepted) >= line


def test_every_cut_is_refused(log: TinyLog) -> None:
    data = format_proof(proof_of(log, 13))
    for end in range(len(data)):
        with pytest.raises(BadProof):
            verify_proof(parse_proof(data[:end]), keys_of(log))


def test_other_spellings_are_refused(log: TinyLog) -> None:
    data = format_proof(proof_of(log, 13))
    for other in (
        data + b"\n",
        data.replace(b"index 13", b"index 013"),
        data.replace(b"index 13", "index \u0661\u0663".encode()),
        data.replace(b"index 13", b"index +13"),
        data.replace(b"\n", b"\r\n"),
        b"\xef\xbb\xbf" + data,
        re.sub(rb"extra .*\n", b"", data),
        re.sub(rb"(extra .*\n)", rb"\1\1", data),
        data.replace(b"index 13\n", b"index 13\n\n"),
        b"c2sp.org/tlog-proof@v2" + data[22:],
        b"",
        b"c2sp.org/tlog-proof@v1\n",
        b"x" * (MAX_FILE + 1),
    ):
        with pytest.raises(BadProof):
            verify_proof(parse_proof(other), keys_of(log))


def test_another_logs_keys_and_another_place_are_refused(log: TinyLog) -> None:
    other, proof = TinyLog(seed=7), proof_of(log, 13)
    for keys in (keys_of(other), keys_of(other)[:1], keys_of(log)[1:], keys_of(log)[::-1], ("nothing",)):
        with pytest.raises(BadProof):
            verify_proof(proof, keys)
    for index in (*range(13), *range(14, 24)):
        moved = TlogProof(index, proof.path, proof.note, proof.leaf)
        with pytest.raises(BadProof):
            verify_proof(moved, keys_of(log))
    for path in (proof.path[1:], (*proof.path, proof.path[0]), proof.path[::-1]):
        with pytest.raises(BadProof):
            verify_proof(TlogProof(13, path, proof.note, proof.leaf), keys_of(log))


def test_the_independent_reading_can_fail(log: TinyLog) -> None:
    data = format_proof(proof_of(log, 13))
    with pytest.raises(AssertionError):
        independent(data.replace(b"index 13", b"index 12"), keys_of(log)[0])
    with pytest.raises(BadSignatureError):
        independent(data.replace(b"\n21\n", b"\n22\n"), keys_of(log)[0])


@given(st.binary(max_size=400))
def test_anything_else_is_refused(data: bytes) -> None:
    for text in (data, b"c2sp.org/tlog-proof@v1\n" + data, b"c2sp.org/tlog-proof@v1\nextra AAAA\nindex 0\n" + data):
        with pytest.raises(BadProof):
            verify_proof(parse_proof(text), BLOCKS["keys"].split())


def test_a_leaf_of_any_octets_travels(log: TinyLog) -> None:
    other = TinyLog()
    for leaf in (b"\x00\xff\n\n\xed\xa0\x80", b"x" * 700_000):
        other.add(leaf=leaf)
    for index in range(2):
        proof = parse_proof(format_proof(proof_of(other, index)))
        assert proof.leaf == other.leaves[index]
        verify_proof(proof, keys_of(other))
