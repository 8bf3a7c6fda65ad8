"""Whatever bit of a signature, a key or a covered part changes, nothing is proven of the signer any more."""

from base64 import b64decode, b64encode
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st
from p256 import CAROL
from proofs_of_possession import BOUND, proof
from signed import ALICE, CALL, NOW, SESSION, Signing, aip, body_of, digest, request, sign

from mcpwatch.identity.judge import Judge
from mcpwatch.identity.keys import KeyBook
from mcpwatch.identity.replay import ReplayWindow
from mcpwatch.identity.resolution import Resolved, ResolvedKey
from mcpwatch.model.entries import Request
from mcpwatch.model.identity import Resolution, SignatureState, Verdict, Word

HOST = "127.0.0.1:8080"
AGENT = "https://agent.example"
NAME = "agent"


def message_signed(key: Signing) -> Request:
    covered = {
        '"@method"': "POST",
        '"@target-uri"': f"http://{HOST}/mcp?a=1",
        '"content-digest"': digest(),
        '"content-type"': "application/json",
        **{f'"{name}"': value for name, value in SESSION.items()},
    }
    headers = {"content-digest": digest(), "content-type": "application/json", **SESSION}
    signed = sign(covered, ';nonce="0123456789abcdef"', key=key, key_id=NAME)
    return request({**headers, **signed}, target="/mcp?a=1")


def bot_signed(key: Signing) -> Request:
    covered = {'"@authority"': HOST, '"@path"': "/mcp", '"signature-agent";key="a"': f'"{AGENT}"'}
    parameters = f';expires={int(NOW) + 60};tag="web-bot-auth"'
    return request({"signature-agent": f'a="{AGENT}"', **sign(covered, parameters, key=key, key_id="kid")})


@dataclass
class Case:
    """A request that is proven, whose key is known under a name, and what of it is covered."""

    asked: Request
    name: str
    key: bytes
    headers: tuple[str, ...]
    parts: tuple[str, ...] = ("method", "target", "authority")
    body: bool = True
    field: str = "signature"


CASES = {
    "aip": Case(request(aip()), ALICE.did_aip, ALICE.public, ("x-aip-timestamp", "x-aip-nonce"), ("method", "target")),
    "ed25519": Case(message_signed(ALICE), NAME, ALICE.public, ("content-digest", "content-type", *SESSION)),
    "p256": Case(message_signed(CAROL), NAME, CAROL.public, ("content-digest", "content-type", *SESSION)),
    "web-bot-auth": Case(
        bot_signed(ALICE), AGENT, ALICE.public, ("signature-agent",), ("target", "authority"), body=False
    ),
    "dpop": Case(
        request({"dpop": proof()}, principal=BOUND),
        "",
        CAROL.public,
        ("dpop",),
        ("method", "target", "authority"),
        False,
    ),
}
CASES["aip"].field = "x-aip-signature"
KEYED = [name for name, case in CASES.items() if case.name]
BIT = st.integers(0, 2**31)


def judged(asked: Request, name: str, key: bytes) -> Verdict:
    keys = KeyBook()
    if name:
        keys.learn(name, Resolved(Resolution.REGISTRY, (ResolvedKey(key),)), NOW)
    return Judge(keys, ReplayWindow()).judge(0, asked, NOW)


def flipped(data: bytes, bit: int) -> bytes:
    octets = bytearray(data)
    octets[bit // 8 % len(octets)] ^= 1 << bit % 8
    return bytes(octets)


def mapped(asked: Request, name: str, change: Callable[[str], str]) -> Request:
    """The request with one header field changed."""
    lines = [(key, change(value) if key == name else value) for key, value in asked.headers]
    return request(lines, CALL, method=asked.method, target=asked.target, principal=asked.principal)


def character(text: str, bit: int) -> str:
    """One bit of one character changed, as ISO 8859-1 has it."""
    return flipped(text.encode("latin-1"), bit).decode("latin-1")


@pytest.mark.parametrize("name", CASES)
def test_the_request_itself_is_proven(name: str) -> None:
    case = CASES[name]
    result = judged(case.asked, case.name, case.key)
    assert result.signature is SignatureState.VALID
    assert result.word is (Word.VERIFIED if case.body else Word.PARTIAL)


@pytest.mark.parametrize("name", KEYED)
@given(BIT)
def test_a_bit_of_the_signature(name: str, bit: int) -> None:
    case = CASES[name]

    def change(text: str) -> str:
        head, colon, rest = text.partition("=:") if case.field == "signature" else ("", "", text)
        octets = b64decode(rest.rstrip(":"))
        return f"{head}{colon}{b64encode(flipped(octets, bit)).decode()}{':' if colon else ''}"

    result = judged(mapped(case.asked, case.field, change), case.name, case.key)
    assert (result.word, result.coverage) == (Word.BAD_SIG, ())


@pytest.mark.parametrize("name", KEYED)
@given(BIT)
def test_a_bit_of_the_key(name: str, bit: int) -> None:
    case = CASES[name]
    result = judged(case.asked, case.name, flipped(case.key, bit))
    assert result.signature is not SignatureState.VALID
    assert result.coverage == ()


@pytest.mark.parametrize("name", CASES)
@given(BIT, st.data())
def test_a_bit_of_a_covered_field(name: str, bit: int, data: st.DataObject) -> None:
    case = CASES[name]
    field = data.draw(st.sampled_from(case.headers))
    asked = mapped(case.asked, field, lambda text: character(text, bit))
    before = dict(case.asked.headers)[field]
    if dict(asked.headers)[field].strip(" \t") != before:
        result = judged(asked, case.name, case.key)
        assert result.signature is not SignatureState.VALID
        assert result.coverage == ()


@pytest.mark.parametrize("name", CASES)
@given(BIT, st.data())
def test_a_bit_of_the_request_line(name: str, bit: int, data: st.DataObject) -> None:
    case = CASES[name]
    part = data.draw(st.sampled_from(case.parts))
    before = getattr(case.asked, part)
    after = character(before, bit)
    parts = {"method": case.asked.method, "target": case.asked.target, "authority": HOST, part: after}
    asked = request(list(case.asked.headers), CALL, principal=case.asked.principal, **parts)  # type: ignore[arg-type]
    result = judged(asked, case.name, case.key)
    if same(part, before, after) or (name == "dpop" and after.startswith("/mcp?")):
        return
    assert result.signature is not SignatureState.VALID


def same(part: str, before: str, after: str) -> bool:
    """Whether the scheme takes both spellings for one: AIP upper-cases methods."""
    return part == "method" and after.upper() == before


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.body])
@given(BIT)
def test_a_bit_of_the_body(name: str, bit: int) -> None:
    case = CASES[name]
    data = flipped(CALL, bit)
    body = body_of(data, text=None, base64=b64encode(data).decode())
    asked = request(list(case.asked.headers), data, target=case.asked.target, body=body)
    assert judged(asked, case.name, case.key).word is Word.BAD_SIG
