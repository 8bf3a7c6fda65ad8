"""Held against Signet's own library: what the one signs the other verifies, and what the one refuses the other does."""

import json
from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from receipts import ARGUMENTS, asked, call, receipt
from signed import BOB, judged

from mcpwatch.identity.times import parse_time
from mcpwatch.model.entries import Json
from mcpwatch.model.identity import Freshness, Receipt, SignatureState, Verdict, Word

signet = pytest.importorskip("signet_auth")
server = pytest.importorskip("signet_auth.server")

SECRET = b64encode(bytes(range(32))).decode()
"""Alice's."""
AGELESS = server.VerifyOptions(max_age=10**10)
TEXT = st.text(st.characters(codec="utf-8"), max_size=6)
VALUES = (
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | TEXT
    | st.sampled_from([0.5, -1.25, 1e21, 1e-7, 123456.789, 5e-324, 1.0])
)
CALLS = st.dictionaries(TEXT, VALUES | st.lists(VALUES, max_size=2) | st.dictionaries(TEXT, VALUES, max_size=2))


def made(tool: str, arguments: Json, **action: str) -> dict[str, Json]:
    """A receipt of the library's."""
    signed = signet.sign(SECRET, signet.Action(tool, params=arguments, **action), "planner", "owner")
    return dict(json.loads(signed.to_json()))


def judged_then(carried: dict[str, Json], tool: str, arguments: Json) -> Verdict:
    """Our verdict at the moment of signing."""
    return judged(asked(call(carried, tool, arguments)), parse_time(carried["ts"]) or 0.0)


@given(TEXT, CALLS)
def test_what_the_library_signs_verifies(tool: str, arguments: dict[str, Json]) -> None:
    carried = made(tool, arguments)
    found = judged_then(carried, tool, arguments)
    assert (found.word, found.freshness) == (Word.PARTIAL, Freshness.FRESH)
    assert found.receipt == Receipt(carried["id"])


def test_links_of_the_library_are_read() -> None:
    carried = made("forecast", ARGUMENTS, trace_id="tr_1", parent_receipt_id="rec_1", session="s", call_id="7")
    found = judged_then(carried, "forecast", ARGUMENTS)
    assert (found.word, found.receipt) == (Word.PARTIAL, Receipt(carried["id"], "tr_1", "rec_1"))


def test_a_hash_alone_and_an_expiry_are_read_as_the_library_writes_them() -> None:
    hashed = signet.Action.hash_only("forecast", receipt()["action"]["params_hash"])
    carried = json.loads(signet.sign(SECRET, hashed, "planner").to_json())
    assert judged_then(carried, "forecast", ARGUMENTS).word is Word.PARTIAL
    action = signet.Action("forecast", params=ARGUMENTS)
    carried = json.loads(signet.sign_with_expiration(SECRET, action, "planner", "o", "2100-01-01T00:00:00Z").to_json())
    assert judged_then(carried, "forecast", ARGUMENTS).word is Word.PARTIAL
    assert judged_then({**carried, "exp": "2100-01-01T00:00:01Z"}, "forecast", ARGUMENTS).word is Word.BAD_SIG


@given(CALLS)
def test_what_we_sign_the_library_verifies(arguments: dict[str, Json]) -> None:
    params = call(receipt(arguments=arguments), arguments=arguments)["params"]
    assert server.verify_request(params, AGELESS).ok


@pytest.mark.parametrize(
    "change",
    [
        lambda params: params.update(name="delete"),
        lambda params: params.update(arguments={}),
        lambda params: params["arguments"].update(days=4),
        lambda params: params["_meta"]["_signet"].update(nonce="rnd_2"),
        lambda params: params["_meta"]["_signet"].update(ts="2026-01-01T00:00:00Z"),
        lambda params: params["_meta"]["_signet"]["action"].update(target="elsewhere"),
        lambda params: params["_meta"]["_signet"]["signer"].update(owner="me"),
        lambda params: params["_meta"]["_signet"].update(sig=receipt(key=BOB)["sig"]),
        lambda params: params["_meta"]["_signet"].pop("signer"),
    ],
)
def test_what_the_library_refuses_is_bad_here(change: object) -> None:
    assert callable(change)
    message = json.loads(json.dumps(call(receipt())))
    assert server.verify_request(message["params"], AGELESS).ok
    change(message["params"])
    assert not server.verify_request(message["params"], AGELESS).ok
    assert judged(asked(message)).signature is SignatureState.INVALID
