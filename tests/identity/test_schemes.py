"""The table of schemes: which of them are asked to read a request."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from signed import request

from mcpwatch.identity.reading import BOUND, Scheme
from mcpwatch.identity.request import SignedRequest
from mcpwatch.identity.schemes import SCHEMES, present
from mcpwatch.model.entries import Body, Principal, Request

FIELDS = sorted({name for scheme in SCHEMES for name in scheme.fields})
MARKS = sorted({mark for scheme in SCHEMES for mark in scheme.marks})
TOKENS = sorted({word for scheme in SCHEMES for word in scheme.tokens} - {BOUND})
BODIES = (
    '{"method":"aip/verify"}',
    '{"method":"aip/verify","x":"aip"}',
    '{"method":"initialize","params":{"clientInfo":{"aip":{"did":"did:aip:x"}}}}',
    '{"method":"initialize","params":{"clientInfo":{"\\u0061ip":{"did":"did:aip:x"}}}}',
    '{"method":"tools/call","params":{"_meta":{"_signet":{}}}}',
    '{"method":"tools/call","params":{"_meta":{"\\u005fsignet":{}}}}',
    '{"passport_id":"p","signature":"s","message":{},"mcps":"1"}',
    '{"mcps":{"passport_id":"ap_1","signature":"s"}}',
    "x" * 200_000,
)


def asked(
    names: list[str], withheld: list[str], text: str | None, principal: Principal | None, *, masked: int = 0
) -> SignedRequest:
    body = None if text is None else Body(len(text), "0" * 64, text, masked=masked)
    headers = tuple((name, "x") for name in names)
    return SignedRequest(
        Request("s", "POST", "http", "h", "/mcp", "p", headers, body, withheld=tuple(withheld), principal=principal)
    )


_names = st.lists(st.sampled_from([*FIELDS, "accept", "mcp-name"]), max_size=4)
_principals = st.none() | st.builds(
    Principal,
    scheme=st.sampled_from([*TOKENS, "bearer", "several"]),
    token_hash=st.just(""),
    key_thumbprint=st.sampled_from(["", "k" * 43]),
)


@given(
    _names, _names, st.none() | st.sampled_from(BODIES) | st.sampled_from(MARKS), _principals, st.sampled_from([0, 1])
)
def test_only_schemes_that_read_nothing_are_left_out(
    names: list[str], withheld: list[str], text: str | None, principal: Principal | None, masked: int
) -> None:
    signed = asked(names, withheld, text, principal, masked=masked)
    told = present(signed)
    assert list(told) == [scheme for scheme in SCHEMES if scheme in told]
    assert {scheme.name for scheme in SCHEMES if scheme.read(signed)} <= {scheme.name for scheme in told}


@pytest.mark.parametrize("scheme", SCHEMES, ids=lambda scheme: scheme.name)
def test_a_scheme_is_asked_by_any_of_its_signs(scheme: Scheme) -> None:
    signs = [
        *(asked([name], [], None, None) for name in scheme.fields),
        *(asked([], [name], None, None) for name in scheme.fields),
        *(asked([], [], f"[{mark}", None) for mark in scheme.marks),
        *(asked([], [], None, Principal(word, "")) for word in scheme.tokens - {BOUND}),
        *(asked([], [], None, Principal("bearer", "", key_thumbprint="k")) for word in scheme.tokens & {BOUND}),
    ]
    assert signs
    assert all(scheme in present(signed) for signed in signs)


def test_of_a_request_without_any_sign_no_scheme_is_asked() -> None:
    assert present(SignedRequest(request({}))) == ()
    assert present(asked(["accept"], ["cookie"], "{}", Principal("bearer", ""))) == ()
