"""Signed notes against the specification's own example, and against everything that is not one."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nacl.signing import SigningKey

from mcpwatch.errors import LocalError
from mcpwatch.feed.merkle import EMPTY_ROOT
from mcpwatch.feed.note import MAX_NOTE, LogKey, Note, NoteVerifier
from mcpwatch.feed.vkey import PLAIN, TIMED, BadNote, VerifierKey

KEY = LogKey("gateway.example/feed/1", SigningKey(bytes(range(32))), SigningKey(bytes(range(32, 64))))
VERIFIER = NoteVerifier(KEY.verifier_key, KEY.time_verifier_key)
ROOT = bytes(range(32))
NOTE = KEY.sign_checkpoint(20852164, ROOT, 1_795_348_800)


def signed(text: str, time: int = 1_795_348_800) -> bytes:
    """A note over any text with both signatures valid."""
    plain = KEY._plain.sign(text.encode()).signature
    timed = KEY._timed.sign(f"cosignature/v1\ntime {time}\n{text}".encode()).signature
    lines = [
        (VERIFIER.key, plain),
        (VERIFIER.time_key, time.to_bytes(8, "big") + timed),
    ]
    block = "".join(f"\u2014 {key.name} {base64.b64encode(key.id + raw).decode()}\n" for key, raw in lines)
    return f"{text}\n{block}".encode()


def text_of(size: str = "5", root: bytes = ROOT, origin: str = KEY.origin, more: str = "") -> str:
    return f"{origin}\n{size}\n{base64.b64encode(root).decode()}\n{more}"


def test_the_example_of_the_signed_note_specification() -> None:
    key = VerifierKey.parse("example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k")
    assert key.type == PLAIN
    example = (
        "This is an example message.\n\n\u2014 example.com/foo "
        "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
    )
    note = Note.parse(example.encode())
    assert note.text == b"This is an example message.\n"
    key.verify(note.text, note.signature(key))
    with pytest.raises(BadNote, match="does not hold"):
        key.verify(note.text + b"\n", note.signature(key))


def test_a_signed_checkpoint_opens() -> None:
    checkpoint = VERIFIER.open(NOTE)
    assert (checkpoint.origin, checkpoint.size, checkpoint.root) == (KEY.origin, 20852164, ROOT)
    assert checkpoint.time == 1_795_348_800
    assert checkpoint.note == NOTE
    assert VERIFIER.origin == KEY.origin


def test_key_ids_and_types_are_those_of_the_specification() -> None:
    plain, timed = VerifierKey.parse(KEY.verifier_key), VerifierKey.parse(KEY.time_verifier_key)
    assert (plain.type, timed.type) == (0x01, 0x04)
    assert timed.name == plain.name + "/time"
    assert plain.public != timed.public
    assert str(plain) == KEY.verifier_key


def test_a_dumped_key_loads_as_the_same_key() -> None:
    fresh = LogKey.generate("other.example/feed/9")
    again = LogKey.load(fresh.dump())
    assert again.origin == fresh.origin
    assert again.sign_checkpoint(1, ROOT, 7) == fresh.sign_checkpoint(1, ROOT, 7)
    assert LogKey.generate("other.example/feed/9").verifier_key != fresh.verifier_key


def test_a_log_key_does_not_print_its_secrets() -> None:
    secrets = [line.rsplit("+", 1)[1] for line in KEY.dump().decode().splitlines()]
    assert len(secrets) == 2
    assert not any(secret in repr(KEY) or secret in str(KEY) for secret in secrets)


@pytest.mark.parametrize("origin", ["", "a b", "a+b", "a\nb", "a\u00a0b", "a\x1bb", "a\u202eb", "\ud800"])
def test_names_that_cannot_be_an_origin(origin: str) -> None:
    with pytest.raises(ValueError, match="origin"):
        LogKey.generate(origin)


def damaged_dumps() -> list[bytes]:
    good = KEY.dump()
    plain, timed = good.splitlines(keepends=True)
    return [
        b"",
        plain,
        timed + plain,
        plain + plain,
        good + good,
        good.replace(b"PRIVATE", b"private"),
        good.replace(b"gateway", b"getaway"),
        good[:-5] + b"AAA=\n",
        b"\xff" + good,
        plain + LogKey.generate("other.example/feed").dump().splitlines(keepends=True)[1],
    ]


@pytest.mark.parametrize("data", damaged_dumps())
def test_a_damaged_key_file_says_so(data: bytes) -> None:
    with pytest.raises(LocalError, match="damaged"):
        LogKey.load(data)


def test_an_empty_log_has_the_empty_root() -> None:
    assert VERIFIER.open(KEY.sign_checkpoint(0, EMPTY_ROOT, 1)).size == 0
    with pytest.raises(BadNote, match="empty"):
        VERIFIER.open(KEY.sign_checkpoint(0, ROOT, 1))


def test_unknown_signatures_and_extension_lines_are_passed_over() -> None:
    stranger = "\u2014 witness.example/w1 " + base64.b64encode(b"abcd" + bytes(64)).decode() + "\n"
    same_name = f"\u2014 {KEY.origin} " + base64.b64encode(b"abcd" + bytes(64)).decode() + "\n"
    assert VERIFIER.open(NOTE + stranger.encode() + same_name.encode()).size == 20852164
    assert VERIFIER.open(signed(text_of(more="an extension\n"))).size == 5


@pytest.mark.parametrize(
    "text",
    [
        text_of(size="05"),
        text_of(size="+5"),
        text_of(size="-5"),
        text_of(size=" 5"),
        text_of(size="٥"),
        text_of(size="5.0"),
        text_of(size="1" * 20),
        text_of(size="9" * 5000),
        text_of(size=""),
        text_of(origin="gateway.example/feed/2"),
        text_of(root=ROOT[:31]),
        text_of(root=ROOT + b"\0"),
        text_of(root=b""),
        text_of().replace("=", ""),
        text_of().replace("8=", "9="),
        text_of(more="\nafter an empty line\n"),
        f"{KEY.origin}\n5\n",
        f"{KEY.origin}\n",
    ],
)
def test_signed_text_that_is_not_a_checkpoint(text: str) -> None:
    with pytest.raises(BadNote):
        VERIFIER.open(signed(text))


def spoiled_notes() -> list[bytes]:
    lines = NOTE.decode().split("\n")
    plain, timed = lines[4], lines[5]
    text = "\n".join(lines[:4]) + "\n"
    other = LogKey.generate(KEY.origin).sign_checkpoint(20852164, ROOT, 1_795_348_800)
    return [
        b"",
        b"\n\n",
        NOTE[:-1],
        NOTE + b"\n",
        NOTE.replace(b"20852164", b"20852165"),
        NOTE.replace(b"\n", b"\r\n"),
        NOTE.replace("\u2014".encode(), b"-"),
        b"\xff" + NOTE,
        other,
        f"{text}{plain}\n".encode(),
        f"{text}{timed}\n".encode(),
        f"{text}{plain}\n{timed}\n{plain[:-8]}AAAAAAA=\n".encode(),
        f"{text}{plain}\n{timed}\nnot a signature\n".encode(),
        f"{text}{plain}\n{timed}\n\u2014 name AAAA\n".encode(),
        f"{text}{plain}\n{timed}\n\u2014 na+me {'A' * 12}\n".encode(),
        NOTE + f"\u2014 w {base64.b64encode(bytes(72)).decode()}\n".encode() * 100,
        NOTE + b"x" * MAX_NOTE,
    ]


@pytest.mark.parametrize("note", spoiled_notes())
def test_a_spoiled_note_does_not_open(note: bytes) -> None:
    with pytest.raises(BadNote):
        VERIFIER.open(note)


def test_a_time_beyond_63_bits_is_refused() -> None:
    assert VERIFIER.open(signed(text_of(), time=2**63 - 1)).time == 2**63 - 1
    with pytest.raises(BadNote, match="timed signature"):
        VERIFIER.open(signed(text_of(), time=2**63))


def test_a_key_may_not_serve_both_types() -> None:
    seed = SigningKey(bytes(32))
    twice = LogKey("gateway.example/feed/1", seed, seed)
    with pytest.raises(BadNote, match="one key"):
        NoteVerifier(twice.verifier_key, twice.time_verifier_key)


@pytest.mark.parametrize(
    ("vkey", "time_vkey"),
    [
        (KEY.time_verifier_key, KEY.verifier_key),
        (KEY.verifier_key, KEY.verifier_key),
        (KEY.verifier_key, LogKey.generate("other.example").time_verifier_key),
        (KEY.verifier_key.replace("gateway", "getaway"), KEY.time_verifier_key),
        (KEY.verifier_key[:-2] + "AA", KEY.time_verifier_key),
        ("", ""),
        ("a+b+c", KEY.time_verifier_key),
        (f"\ud800{KEY.verifier_key}", KEY.time_verifier_key),
        (str(VerifierKey("n", PLAIN, bytes(31))), str(VerifierKey("n/time", TIMED, bytes(31)))),
    ],
)
def test_verifier_keys_that_are_not_a_pair(vkey: str, time_vkey: str) -> None:
    with pytest.raises(BadNote):
        NoteVerifier(vkey, time_vkey)


def test_a_small_order_key_verifies_nothing() -> None:
    identity = bytes([1]) + bytes(31)
    with pytest.raises(BadNote):
        VerifierKey("n", PLAIN, identity).verify(b"anything", identity + bytes(32))


@given(st.integers(0, len(NOTE) * 8 - 1))
def test_no_bit_of_a_note_can_be_flipped(bit: int) -> None:
    spoiled = bytearray(NOTE)
    spoiled[bit // 8] ^= 1 << bit % 8
    with pytest.raises(BadNote):
        VERIFIER.open(bytes(spoiled))


@given(st.binary(max_size=300) | st.text(max_size=300).map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_any_octets_open_or_are_bad(data: bytes) -> None:
    with pytest.raises(BadNote):
        VERIFIER.open(data)
    with pytest.raises(BadNote):
        VERIFIER.open(data + b"\n\n" + NOTE.split(b"\n\n")[1])
