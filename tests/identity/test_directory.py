"""Key directories and JWKS at the URLs that signatures name."""

import json
from collections.abc import Callable

import httpx
import pytest
from p256 import CAROL
from signed import ALICE, BOB
from streamed import streamed

from mcpwatch.identity.ed25519 import fingerprint
from mcpwatch.identity.resolution import Resolved, Unavailable
from mcpwatch.identity.resolvers.directory import MEDIA_TYPE, WELL_KNOWN, Directories
from mcpwatch.identity.resolvers.fetch import Fetcher
from mcpwatch.identity.verifier import jwk
from mcpwatch.model.identity import Resolution

ORIGIN = "https://agent.example"
BODY = json.dumps({"keys": [jwk(ALICE.public), {**jwk(CAROL.public), "kid": "second"}]}).encode()


async def resolve(handler: Callable[[httpx.Request], httpx.Response], url: str = ORIGIN) -> Resolved:
    async with Fetcher(transport=httpx.MockTransport(lambda request: streamed(handler(request)))) as fetcher:
        return await Directories(fetcher).resolve(url)


def directory(body: bytes = BODY, media_type: str = MEDIA_TYPE) -> Callable[[httpx.Request], httpx.Response]:
    return lambda request: httpx.Response(200, content=body, headers={"content-type": media_type})


@pytest.mark.parametrize(
    ("url", "asked", "accept"),
    [
        (ORIGIN, f"{ORIGIN}{WELL_KNOWN}", MEDIA_TYPE),
        (f"{ORIGIN}:8443", f"{ORIGIN}:8443{WELL_KNOWN}", MEDIA_TYPE),
        (f"{ORIGIN}/", f"{ORIGIN}/", "application/jwk-set+json"),
        (f"{ORIGIN}/.well-known/ucp", f"{ORIGIN}/.well-known/ucp", "application/jwk-set+json"),
    ],
)
async def test_where_the_keys_lie(url: str, asked: str, accept: str) -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return directory()(request)

    found = await resolve(answer, url)
    assert found.resolution is Resolution.DIRECTORY
    assert [(key.name, key.key) for key in found.keys] == [
        (fingerprint(ALICE.public), ALICE.public),
        ("second", CAROL.public),
    ]
    assert str(seen[0].url) == asked
    assert accept in seen[0].headers["accept"]


async def test_a_directory_says_what_it_is() -> None:
    assert (await resolve(directory(media_type=f"{MEDIA_TYPE}; charset=utf-8"))).keys
    for other in ("application/json", "text/html", ""):
        with pytest.raises(Unavailable, match="is no application/http-message-signatures-directory"):
            await resolve(directory(media_type=other))
    assert (await resolve(directory(media_type="application/json"), f"{ORIGIN}/jwks.json")).keys


@pytest.mark.parametrize(
    ("body", "reason"),
    [(b"<html>", "no JSON object"), (b"{}", "no list of keys"), (b'{"keys":[],"keys":[]}', "a member twice")],
)
async def test_a_directory_that_is_none(body: bytes, reason: str) -> None:
    with pytest.raises(Unavailable, match=reason):
        await resolve(directory(body))


async def test_keys_that_do_not_count_are_told_with_the_others() -> None:
    small = {"kty": "OKP", "crv": "Ed25519", "x": "AQ" + "A" * 41, "kid": "bad"}
    found = await resolve(directory(json.dumps({"keys": [small, jwk(BOB.public)]}).encode()))
    assert [key.key for key in found.keys] == [BOB.public]
    assert found.refused == (("bad", "it is of small order, or no point of its curve"),)
    assert (
        await resolve(directory(json.dumps({"keys": [small]}).encode()))
    ).reason == "there is no key that may be used"


@pytest.mark.parametrize("status", [404, 410])
async def test_no_directory_is_no_such_identity(status: int) -> None:
    assert (await resolve(lambda request: httpx.Response(status))).keys == ()


@pytest.mark.parametrize(("status", "reason"), [(500, "HTTP status 500"), (302, "redirect"), (204, "HTTP status 204")])
async def test_a_host_that_cannot_say(status: int, reason: str) -> None:
    with pytest.raises(Unavailable, match=reason):
        await resolve(lambda request: httpx.Response(status))


@pytest.mark.parametrize("url", ["http://agent.example", "http://10.0.0.1/jwks", "https://[::", "http://"])
async def test_what_is_not_asked(url: str) -> None:
    def never(request: httpx.Request) -> httpx.Response:
        raise AssertionError("asked")

    try:
        assert (await resolve(never, url)).keys == ()
    except Unavailable as failure:
        assert "none that can be asked" in failure.reason
