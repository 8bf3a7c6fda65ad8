"""The configured JWKS: files that change, URLs that come and go, names that are unclear."""

import json
import os
from pathlib import Path

import httpx
import pytest
from p256 import CAROL
from signed import ALICE, BOB, NOW
from streamed import streamed

from mcpwatch.errors import UsageError
from mcpwatch.identity.ed25519 import fingerprint
from mcpwatch.identity.keys import KeyBook
from mcpwatch.identity.resolution import Resolved, ResolvedKey, Status, Unavailable
from mcpwatch.identity.resolvers.fetch import Fetcher
from mcpwatch.identity.resolvers.jwks import LEAST_S, PERIOD_S, Jwks
from mcpwatch.identity.verifier import jwk
from mcpwatch.model.identity import Resolution

URL = "https://issuer.example/jwks.json"
THUMB = fingerprint(ALICE.public)


def jwks(*keys: dict[str, str]) -> bytes:
    return json.dumps({"keys": keys}).encode()


def named(key: bytes, kid: str) -> dict[str, str]:
    return {**jwk(key), "kid": kid}


class Host:
    """A host with one JWKS, on a clock that stands still."""

    def __init__(self, body: bytes = b"", status: int = 200) -> None:
        self.body, self.status = body, status
        self.asked = 0
        self.now = 0.0
        self.changes = 0

    def jwks(self, *places: str) -> Jwks:
        def answer(request: httpx.Request) -> httpx.Response:
            self.asked += 1
            assert str(request.url) == URL
            return streamed(httpx.Response(self.status, content=self.body))

        fetcher = Fetcher(transport=httpx.MockTransport(answer), clock=lambda: self.now)
        return Jwks(places or (URL,), fetcher, on_change=self._changed, clock=lambda: self.now)

    def _changed(self) -> None:
        self.changes += 1


async def test_a_key_is_found_by_thumbprint_and_by_kid() -> None:
    host = Host(jwks(named(ALICE.public, "ci"), jwk(CAROL.public)))
    sets = host.jwks()
    by_kid, by_thumbprint = await sets.resolve("ci"), await sets.resolve(THUMB)
    assert by_kid.keys == by_thumbprint.keys == (ResolvedKey(ALICE.public, name="ci"),)
    assert (by_kid.id, by_thumbprint.id) == ("", f"key:{THUMB}")
    assert host.asked == 1
    assert sets.listed(THUMB) == ResolvedKey(ALICE.public, name="ci")
    assert sets.listed("ci") is None


async def test_a_kid_that_is_anothers_thumbprint_does_not_stand_for_it() -> None:
    sets = Host(jwks(named(BOB.public, THUMB), named(ALICE.public, "a"))).jwks()
    assert [key.key for key in (await sets.resolve(THUMB)).keys] == [ALICE.public]
    assert (await sets.resolve(fingerprint(BOB.public))).keys == ()


@pytest.mark.parametrize("kid", ["k" * 43, THUMB])
async def test_a_key_with_a_kid_like_a_thumbprint_is_called_by_its_own(kid: str) -> None:
    sets = Host(jwks(named(BOB.public, kid))).jwks()
    for name in (kid, fingerprint(BOB.public)):
        found = await sets.resolve(name)
        assert [key.key for key in found.keys] == [BOB.public]
        assert found.id == f"key:{fingerprint(BOB.public)}"


async def test_the_owner_of_a_thumbprint_wins_over_a_kid_of_another_set(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    path.write_bytes(jwks(named(BOB.public, THUMB)))
    sets = Host(jwks(named(ALICE.public, "a"))).jwks(str(path), URL)
    await sets.tick()
    found = await sets.resolve(THUMB)
    assert ([key.key for key in found.keys], found.id) == ([ALICE.public], f"key:{THUMB}")


async def test_what_no_set_holds_is_asked_for_once_a_minute() -> None:
    host = Host(jwks(named(ALICE.public, "ci")))
    sets = host.jwks()
    for number in range(50):
        assert "no configured JWKS" in (await sets.resolve(f"kid-{number}")).reason
    assert host.asked == 1
    host.now, host.body = LEAST_S, jwks(named(BOB.public, "kid-1"))
    assert [key.key for key in (await sets.resolve("kid-1")).keys] == [BOB.public]
    assert (host.asked, host.changes) == (2, 2)


async def test_a_set_is_fetched_again_by_period() -> None:
    host = Host(jwks(named(ALICE.public, "ci")))
    sets = host.jwks()
    for second in range(int(2 * PERIOD_S)):
        host.now = float(second)
        await sets.tick()
        await sets.resolve("ci")
    assert (host.asked, host.changes) == (2, 1)


async def test_a_failed_fetch_takes_no_keys_away() -> None:
    host = Host(jwks(named(ALICE.public, "ci")))
    sets = host.jwks()
    await sets.tick()
    for number, (status, body) in enumerate([(500, b""), (200, b"<html>"), (404, b"")]):
        host.now, host.status, host.body = (number + 1) * PERIOD_S, status, body
        await sets.tick()
        assert (await sets.resolve("ci")).keys
    assert host.asked == 4


async def test_while_a_set_cannot_be_fetched_nobody_is_unknown() -> None:
    host = Host(status=503)
    sets = host.jwks()
    with pytest.raises(Unavailable, match="HTTP status 503"):
        await sets.resolve("ci")
    host.status, host.body = 200, jwks(named(ALICE.public, "ci"))
    with pytest.raises(Unavailable, match="HTTP status 503"):
        await sets.resolve("ci")
    host.now = LEAST_S
    assert (await sets.resolve("ci")).keys


async def test_refused_keys_have_their_reason() -> None:
    sets = Host(
        jwks({"kty": "OKP", "crv": "Ed25519", "x": "AQ" + "A" * 41, "kid": "bad"}, named(BOB.public, "b"))
    ).jwks()
    assert "small order" in (await sets.resolve("bad")).reason
    assert (await sets.resolve("b")).keys


async def test_two_sets_that_disagree(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    path.write_bytes(jwks(named(BOB.public, "ci"), named(CAROL.public, "same")))
    sets = Host(jwks(named(ALICE.public, "ci"), named(CAROL.public, "same"))).jwks(str(path), URL)
    await sets.tick()
    disputed = await sets.resolve("ci")
    assert (disputed.keys, "different keys" in disputed.reason) == ((), True)
    assert [key.key for key in (await sets.resolve("same")).keys] == [CAROL.public]


async def test_a_file_is_read_again_when_it_changes(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    path.write_bytes(jwks(named(ALICE.public, "ci")))
    host = Host()
    sets = host.jwks(str(path))
    await sets.tick()
    assert ((await sets.resolve("ci")).keys[0].key, host.changes) == (ALICE.public, 0)
    os.replace(_written(tmp_path / "next", jwks(named(BOB.public, "ci"))), path)
    await sets.tick()
    assert ((await sets.resolve("ci")).keys[0].key, host.changes) == (BOB.public, 1)
    os.replace(_written(tmp_path / "next", b"half a fi"), path)
    await sets.tick()
    path.unlink()
    await sets.tick()
    assert ((await sets.resolve("ci")).keys[0].key, host.changes) == (BOB.public, 1)
    assert host.asked == 0


def _written(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("data", [None, b"", b"{}", b" " * 300_000], ids=lambda data: repr(data)[:9])
def test_a_file_that_cannot_be_used_is_said_to_be_one_and_once(
    tmp_path: Path, data: bytes | None, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "keys.json"
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(UsageError, match=r"keys\.json cannot be used as a JWKS"):
        Host().jwks(str(path))
    assert caplog.messages == []


async def test_a_file_that_spoils_later_is_told_once_and_keeps_its_keys(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = _written(tmp_path / "keys.json", jwks(named(ALICE.public, "ci")))
    sets = Host().jwks(str(path))
    path.unlink()
    for _ in range(3):
        await sets.tick()
    assert caplog.messages == [f"{path} cannot be used: No such file or directory"]
    assert (await sets.resolve("ci")).keys


def test_a_key_that_does_not_count_is_told_by_its_place(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = _written(tmp_path / "keys.json", b'{"keys": [{"kty": "RSA"}, {"kty": "OKP", "kid": "c\\u001bi"}]}')
    Host().jwks(str(path))
    assert caplog.messages == [
        f"{path}: key number 1, of type RSA does not count: it is of a kind that is not checked here",
        f"{path}: c\\x1bi does not count: it is of a kind that is not checked here",
    ]


def test_a_change_has_the_book_ask_again() -> None:
    book = KeyBook()
    book.resolvable = ("did:aip:", "")
    for id in ("ci", ALICE.did_aip):
        book.lookup(id, NOW)
    assert set(book.wanted(0)) == {"ci", ALICE.did_aip}
    book.learn("ci", Resolved(Resolution.JWKS, (ResolvedKey(ALICE.public),)), 0)
    book.learn("other", Resolved(Resolution.JWKS), 0)
    book.learn(ALICE.did_aip, Resolved(Resolution.REGISTRY, (ResolvedKey(ALICE.public),)), 0)
    assert book.wanted(1) == []
    book.jwks_changed()
    assert set(book.wanted(1)) == {"ci", "other"}
    book.learn("ci", Resolved(Resolution.JWKS), 1)
    assert book.lookup("ci", NOW).status is Status.UNKNOWN


def test_a_thumbprint_is_one_identity_with_and_without_its_prefix() -> None:
    book = KeyBook()
    book.resolvable = ("",)
    book.lookup(f"key:{THUMB}", NOW)
    assert book.wanted(0) == [THUMB]
    book.learn(THUMB, Resolved(Resolution.JWKS, (ResolvedKey(ALICE.public),), id=f"key:{THUMB}"), 0)
    assert [book.lookup(id, NOW).keys[0].signer.id for id in (THUMB, f"key:{THUMB}")] == [f"key:{THUMB}"] * 2
