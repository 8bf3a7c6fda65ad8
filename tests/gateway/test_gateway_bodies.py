"""Bodies in the log: digests always, content by capture mode, and never more than an entry carries."""

import gzip
import hashlib
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcpwatch.gateway.bodies import MAX_CONTENT, BodyReader, capture_body
from mcpwatch.gateway.inflate import MAX_OUTPUT, Inflate, InflateFault
from mcpwatch.model.entries import Body, Capture

SECRET = b'{"password": "hunter2"}'
BINARY = b"\xff\xfe\x00"


@pytest.mark.parametrize(
    ("data", "capture", "text", "binary"),
    [
        (SECRET, "full", SECRET.decode(), None),
        (SECRET, "masked", '{"password": "***"}', None),
        (SECRET, "digest", None, None),
        (BINARY, "full", None, "//4A"),
        (BINARY, "masked", None, None),
        (BINARY, "digest", None, None),
        (b"", "masked", "", None),
    ],
)
def test_capture_modes(data: bytes, capture: Capture, text: str | None, binary: str | None) -> None:
    body = capture_body(data, capture)
    digest = hashlib.sha256(data).hexdigest()
    assert body == Body(
        size=len(data), sha256=digest, text=text, base64=binary, masked=int(text is not None and "*" in text)
    )
    reader = BodyReader(capture)
    for octet in data:
        reader.feed(bytes([octet]))
    assert reader.finish() == body


def test_the_long_digest_comes_when_asked_for() -> None:
    assert capture_body(b"x", "digest", sha512=True).sha512 == hashlib.sha512(b"x").hexdigest()


def test_what_is_encoded_is_not_read_as_text() -> None:
    assert capture_body(b"plain", "full", encoded=True).base64 == "cGxhaW4="
    assert capture_body(b"plain", "masked", encoded=True).base64 is None


def test_json_that_is_only_said_to_be_encoded_is_read() -> None:
    data = b'{"token":"s33d"}'
    assert capture_body(data, "masked", encoded=True).text == '{"token":"***"}'
    reader = BodyReader("masked", "unheard-of")
    reader.feed(data)
    body = reader.finish()
    assert (body.text, body.encoding) == ('{"token":"***"}', "")


@pytest.mark.parametrize("capture", ["full", "masked"])
def test_large_bodies_leave_only_their_digest(capture: Capture) -> None:
    for data, truncated in ((b"x" * MAX_CONTENT, False), (b"x" * (MAX_CONTENT + 1), True)):
        reader = BodyReader(capture)
        reader.feed(data)
        for body in (capture_body(data, capture), reader.finish()):
            assert (body.truncated, body.text is None, body.size) == (truncated, truncated, len(data))
            assert body.sha256 == hashlib.sha256(data).hexdigest()


def raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush()


@pytest.mark.parametrize(
    ("encoding", "pack"),
    [("gzip", gzip.compress), ("x-gzip", gzip.compress), ("deflate", zlib.compress), ("deflate", raw_deflate)],
)
@given(data=st.binary(max_size=500), cut=st.integers(1, 50))
def test_encodings_are_undone_in_any_pieces(encoding: str, pack: object, data: bytes, cut: int) -> None:
    assert callable(pack)
    packed = pack(data)
    inflate = Inflate(encoding)
    assert b"".join(inflate(packed[at : at + cut]) for at in range(0, len(packed), cut)) == data


def test_an_encoding_that_cannot_be_undone_leaves_the_digest() -> None:
    reader = BodyReader("masked", "br")
    reader.feed(b"br")
    assert reader.finish() == Body(size=2, sha256=hashlib.sha256(b"br").hexdigest())
    reader = BodyReader("full", "br")
    reader.feed(b"br")
    assert (reader.finish().base64, reader.finish().encoding) == ("YnI=", "")


def test_an_encoding_that_is_not_true_leaves_the_digest() -> None:
    reader = BodyReader("full", "gzip")
    reader.feed(SECRET)
    assert reader.finish() == Body(size=len(SECRET), sha256=hashlib.sha256(SECRET).hexdigest(), truncated=True)


def test_a_bomb_does_not_go_off() -> None:
    packed = gzip.compress(bytes(MAX_OUTPUT + 1))
    with pytest.raises(InflateFault, match="unfolds to more"):
        Inflate("gzip")(packed)
    reader = BodyReader("full", "gzip")
    reader.feed(packed)
    assert reader.finish().truncated
