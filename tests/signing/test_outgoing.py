"""Whatever a client sends: it goes out with a signature that holds, or not at all."""

from hypothesis import given
from hypothesis import strategies as st
from signed import ALICE, NOW, digest_only, request

from mcpwatch.gateway.headers import RawHeader
from mcpwatch.identity.judge import Judge
from mcpwatch.identity.keys import KeyBook
from mcpwatch.identity.replay import ReplayWindow
from mcpwatch.model.identity import Covered, SignatureState
from mcpwatch.signing.outgoing import SCHEMES, Agent, CannotSign, Outgoing

NAMES = (
    "MCP-Protocol-Version",
    "mcp-session-id",
    "Mcp-Method",
    "Mcp-Name",
    "Content-Digest",
    "Signature",
    "Signature-Input",
    "X-AIP-DID",
)
VALUES = st.one_of(
    st.text(st.characters(min_codepoint=0x20, max_codepoint=0xFF, exclude_characters="\x7f"), max_size=12),
    st.sampled_from(['sig1=("@method");keyid="k"', "sig1=:YWJj:", "sha-256=:YWJj:", "a=1, b=2"]),
)
FIELDS = st.lists(st.tuples(st.sampled_from(NAMES), VALUES), max_size=4)
TARGETS = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E, exclude_characters="#"), max_size=20).map(
    "/".__add__
)


@given(
    scheme=st.sampled_from(sorted(SCHEMES)),
    method=st.sampled_from(["POST", "GET", "DELETE", "M-SEARCH"]),
    target=TARGETS,
    fields=FIELDS,
    body=st.binary(max_size=40),
)
def test_what_goes_out_holds(scheme: str, method: str, target: str, fields: list[tuple[str, str]], body: bytes) -> None:
    headers: tuple[RawHeader, ...] = tuple((name.encode(), value.strip().encode("latin-1")) for name, value in fields)
    outgoing = Outgoing(method, "http://127.0.0.1:8080", target, headers, body)
    try:
        signing = SCHEMES[scheme].sign(Agent(ALICE, clock=lambda: NOW), outgoing)
    except CannotSign:
        return
    mine = {name.lower() for name in signing}
    sent = [(name, value.strip()) for name, value in fields if name.lower() not in mine] + list(signing.items())
    keys = KeyBook()
    keys.pin(ALICE.did_aip, ALICE.public)
    seen = request(sent, method=method, target=target, body=digest_only(body))
    verdict = Judge(keys, ReplayWindow()).judge(0, seen, NOW)
    assert verdict.signature is SignatureState.VALID, verdict
    assert {Covered.METHOD, Covered.BODY, Covered.TIME, Covered.NONCE} <= set(verdict.coverage)
