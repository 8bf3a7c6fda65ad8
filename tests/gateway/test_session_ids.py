"""What the gateway says of session ids: guessable or not, and where else they stand."""

import hashlib
import secrets
import uuid
from collections.abc import Sequence

import pytest

from mcpwatch.gateway.session_ids import COMPARED, SessionForms, form, holds, without
from mcpwatch.model.entries import Body, SessionForm

NOW = 1795337016.5


def given(ids: Sequence[str]) -> list[SessionForm]:
    """What is said of each id as a server gives out one after the other."""
    forms = SessionForms()
    return [forms("files", id.encode(), NOW) for id in ids]


def random_hex(seed: int) -> str:
    return hashlib.sha256(seed.to_bytes(2, "big")).hexdigest()


GOOD = {
    "uuid-4": [str(uuid.UUID(hex=random_hex(at)[:32], version=4)) for at in range(20)],
    "hex": [random_hex(at)[:32] for at in range(20)],
    "sixteen": [random_hex(at)[:16] for at in range(20)],
    "with-a-prefix": [f"mcp-session-{random_hex(at)[:24]}" for at in range(20)],
    "with-a-time": [f"{int(NOW) + at}-{random_hex(at)[:24]}" for at in range(20)],
    "uuid-7": [f"019ac9e1-{at:04x}-7{r[:3]}-8{r[3:6]}-{r[6:18]}" for at in range(20) for r in (random_hex(at),)],
    "signed-and-long": [f"{'eyJhbGciOiJIUzI1NiJ9.' * 40}{random_hex(at)[:43]}" for at in range(20)],
    "signed": [f"eyJhbGciOiJIUzI1NiJ9.eyJzIjoxfQ.{random_hex(at)[:43]}" for at in range(20)],
}
"""Ids of which nothing is to be said."""

BAD: dict[str, tuple[list[str], SessionForm]] = {
    "counter": ([f"mcp-session-{at:016}" for at in range(7, 15)], "counter"),
    "hex-counter": ([f"{at:032x}" for at in range(250, 260)], "counter"),
    "counter-in-the-middle": ([f"session-number-{at}-of-this-server" for at in range(98, 104)], "counter"),
    "the-same": (["mcp-session-static"] * 4, "fixed"),
    "two-characters": ([f"mask-fixed-{at}-tail-fixed" for at in ("AA", "3F", "0B", "9C", "2D")], "fixed"),
    "object-id": ([f"{0x6AC1 + at * 3:08x}aabbccddee{random_hex(at)[:4]}ff" for at in range(5)], "fixed"),
    "second-and-counter": ([f"sec-ts-{int(NOW) + at}-seq-{at}x" for at in range(3)], "timestamp"),
    "millisecond": ([f"session-{int(NOW * 1000)}"], "timestamp"),
    "uuid-1": (["026ce245-01a2-1001-8001-010203040506"], "time-uuid"),
    "uuid-6": (["1EC9414C-232A-6B00-B3C8-9E6BDECED846"], "time-uuid"),
    "short": (["k3J9fQ"], "short"),
}


@pytest.mark.parametrize("name", GOOD)
def test_nothing_is_said_of_good_ids(name: str) -> None:
    assert set(given(GOOD[name])) == {""}


@pytest.mark.parametrize("name", BAD)
def test_an_id_that_can_be_guessed_is_told(name: str) -> None:
    ids, expected = BAD[name]
    assert given(ids)[-1] == expected


def test_one_id_does_not_show_what_stays_the_same() -> None:
    assert given(["mcp-session-static"] * 3) == [""] * 3


def test_a_number_as_long_as_a_time_is_none_where_it_is_of_another_day() -> None:
    assert form([f"session-number-{int(NOW) - 200_000}"], NOW) == ""
    assert form([f"session-{int(NOW)}"], NOW) == "timestamp"


def test_servers_are_judged_each_by_its_own_ids() -> None:
    forms = SessionForms()
    for at in range(2 * COMPARED):
        assert forms(f"server-{at % 2}", random_hex(at).encode(), NOW) == ""
    for at in range(4):
        assert (forms("server-2", b"the-same-id-for-everybody", NOW) == "fixed") is (at == 3)
        assert forms("server-1", random_hex(100 + at).encode(), NOW) == ""


def test_an_id_of_any_octets_and_length_is_judged() -> None:
    for id in (b"\xff\xfe", b"x" * 100_000, "٣".encode() * 10, b"9" * 5_000, b"\x00"):
        forms = SessionForms()
        assert [forms("files", id, NOW) for _ in range(COMPARED + 1)][-1] in ("short", "fixed")


ID = secrets.token_urlsafe(24).encode()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b'{"id":"%b"}' % ID, True),
        (b"/mcp?s=%b&x=1" % ID, True),
        (ID, True),
        (b'{"id":"%b0"}' % ID, False),
        (b'{"id":"x%b"}' % ID, False),
        (b'{"id":"%b"}' % ID[:-1], False),
        (b"", False),
    ],
)
def test_an_id_is_found_as_a_whole_word(text: bytes, expected: bool) -> None:
    assert holds(text, ID) is expected
    assert holds(bytearray(text), ID) is expected


def test_a_word_that_may_mean_anything_is_not_looked_for() -> None:
    assert not holds(b'{"transport":"stateless"}', b"stateless")
    assert not holds(b"anything", b"")


def test_an_id_is_masked_in_text_only() -> None:
    id = ID.decode()
    body = Body(size=9, sha256="00", text=f"{id} and {id}", masked=1)
    assert without(body, ID) == Body(size=9, sha256="00", text="*** and ***", masked=3)
    for other in (Body(size=9, sha256="00"), Body(size=9, sha256="00", text="nothing")):
        assert without(other, ID) is other


def test_an_id_is_found_behind_a_longer_word_that_holds_it() -> None:
    session = b"!" * 40 + b"k3J9fQ"
    assert not holds(b"!" * 400_000 + b" z" + session + b"z", session)
    assert holds(b"z" + session + b"z " + session, session)
    assert not holds(b"z" + session + session + b"z", session)
