"""Requests that somebody signed before: never passed off as ours, never broken."""

import time
from base64 import b64encode
from hashlib import sha512
from urllib.parse import urlsplit

import pytest
from rig import answer, fetch, field, ok, post, scripted
from signing_rig import KEY, RPC, signing, verdicts

from mcpwatch.identity.signer import AgentKey, aip_headers, rfc9421_headers
from mcpwatch.model.identity import Word
from mcpwatch.signing.outgoing import Agent

OTHER = AgentKey(bytes(range(1, 33)))


def lines(fields: dict[str, str]) -> list[bytes]:
    return [f"{name}: {value}".encode() for name, value in fields.items()]


async def test_another_signature_stays_beside_ours() -> None:
    async with scripted(answer(ok(b"{}"))) as server, signing(server.url) as running:
        theirs = rfc9421_headers(OTHER, "POST", server.url, {}, RPC, now=time.time(), nonce="n")
        await fetch(running.listen_address, post(RPC, *lines(theirs)))
        twice = rfc9421_headers(OTHER, "POST", server.url, {}, RPC, now=time.time(), nonce="m", label="sig2")
        await fetch(running.listen_address, post(RPC, *lines(theirs), *lines(twice)[1:]))
    first, second = (head for head, _ in server.requests)
    assert (field(first, b"signature-input") or b"").startswith(theirs["Signature-Input"].encode() + b", sig2=(")
    assert (field(first, b"signature") or b"").startswith(theirs["Signature"].encode() + b", sig2=:")
    assert b", sig3=:" in (field(second, b"signature") or b"")
    result = verdicts(server)[0]
    assert [result.word, *(each.word for each in result.others)] == [Word.VERIFIED] * 2
    signers = {signer.id for signer in (result.signer, *(each.signer for each in result.others)) if signer}
    assert signers == {KEY.did_key, OTHER.did_key}


async def test_a_signature_for_the_proxys_own_address_no_longer_holds() -> None:
    async with scripted(answer(ok(b"{}"))) as server, signing(server.url) as running:
        own = f"{running.listen_address}{urlsplit(server.url).path}"
        theirs = rfc9421_headers(OTHER, "POST", own, {}, RPC, now=time.time(), nonce="n")
        await fetch(running.listen_address, post(RPC, *lines(theirs)))
    (result,) = verdicts(server)
    assert result.signer is not None and result.signer.id == KEY.did_key
    assert [result.word, *(each.word for each in result.others)] == [Word.VERIFIED, Word.BAD_SIG]


@pytest.mark.parametrize(
    "fields",
    [
        [b'Signature: keyId="k",algorithm="hs2019",headers="date",signature="YWJj"'],
        [b"Signature-Input: sig1=nonsense", b"Signature: sig1=:YWJj:"],
        [b"Content-Digest: md5=:YWJj:"],
        [b"Content-Digest: nonsense"],
        [b"Content-Digest: sha-256=:" + b64encode(bytes(32)) + b":"],
        ["Mcp-Name: é".encode()],
    ],
    ids=["cavage", "malformed", "unknown digest", "malformed digest", "wrong digest", "not ascii"],
)
async def test_what_cannot_be_signed_well_is_not_signed(fields: list[bytes]) -> None:
    async with scripted(answer(ok(b"{}"))) as server, signing(server.url) as running:
        reply = await fetch(running.listen_address, post(RPC, *fields))
    assert (reply.status, server.requests) == (400, [])
    assert reply.body.startswith(b"mcpwatch sign: ")


async def test_a_digest_that_is_right_is_covered_as_it_is() -> None:
    digest = f"sha-512=:{b64encode(sha512(RPC).digest()).decode()}:"
    async with scripted(answer(ok(b"{}"))) as server, signing(server.url) as running:
        await fetch(running.listen_address, post(RPC, f"Content-Digest: {digest}".encode()))
    assert field(server.requests[0][0], b"content-digest") == digest.encode()
    assert [result.word for result in verdicts(server)] == [Word.VERIFIED]


@pytest.mark.parametrize("name", ["X-AIP-DID", "x-aip-signature", "X-AIP-Timestamp", "X-AIP-Nonce"])
async def test_no_aip_header_is_replaced(name: str) -> None:
    async with scripted(answer(ok(b"{}"))) as server, signing(server.url, "aip") as running:
        reply = await fetch(running.listen_address, post(RPC, f"{name}: x".encode()))
    assert (reply.status, server.requests) == (400, [])
    assert name.lower() in reply.body.decode().lower()


async def test_signatures_of_the_other_scheme_pass() -> None:
    async with scripted(answer(ok(b"{}"))) as server:
        aip = aip_headers(OTHER, "POST", "/mcp", RPC, now=time.time(), nonce="n")
        async with signing(server.url) as running:
            await fetch(running.listen_address, post(RPC, *lines(aip)))
        http = rfc9421_headers(OTHER, "POST", server.url, {}, RPC, now=time.time(), nonce="n")
        async with signing(server.url, "aip") as running:
            await fetch(running.listen_address, post(RPC, *lines(http)))
    for result in verdicts(server, OTHER):
        assert [result.word, *(each.word for each in result.others)] == [Word.VERIFIED] * 2


@pytest.mark.parametrize("scheme", ["rfc9421", "aip"])
async def test_another_identity_of_the_key_can_be_named(scheme: str) -> None:
    agent = Agent(KEY, "did:aip:" + "0" * 32)
    async with scripted(answer(ok(b"{}"))) as server, signing(server.url, scheme, agent) as running:
        await fetch(running.listen_address, post(RPC))
    assert agent.id in server.requests[0][0].decode()
