"""What a message signature covers, component by component."""

import pytest
from signed import CALL, SESSION, digest, judged, request, sign

from mcpwatch.model.identity import Covered, SignatureState, Word

COMPONENTS = {
    '"@method"': "POST",
    '"@target-uri"': "http://127.0.0.1:8080/a%20b?q=1&n=a+b%2F%7E&e=",
    '"@authority"': "127.0.0.1:8080",
    '"@scheme"': "http",
    '"@request-target"': "/a%20b?q=1&n=a+b%2F%7E&e=",
    '"@path"': "/a%20b",
    '"@query"': "?q=1&n=a+b%2F%7E&e=",
    '"@query-param";name="n"': "a%20b%2F%7E",
    '"@query-param";name="e"': "",
    '"host"': "127.0.0.1:8080",
    '"content-length"': str(len(CALL)),
    '"x-empty"': "",
    '"x-two"': "a, b",
    '"x-two";bs': ":YQ==:, :Yg==:",
    '"x-dict"': "a=1,   b=2;x=1;y=2,   c=(a   b   c), d",
    '"x-dict";key="a"': "1",
    '"x-dict";key="b"': "2;x=1;y=2",
    '"x-dict";key="c"': "(a b c)",
    '"x-dict";key="d"': "?1",
    '"content-digest";sf': digest(),
    '"content-digest";key="sha-256"': digest().partition("=")[2],
    '"traceparent"': "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
}


LINES = [
    ("x-empty", ""),
    ("x-two", " a "),
    ("x-two", "b"),
    ("x-dict", "a=1,   b=2;x=1;y=2,   c=(a   b   c), d"),
    ("content-digest", digest()),
    ("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
]


TARGET = "/a%20b?q=1&n=a+b%2F%7E&e="


@pytest.mark.parametrize("component", COMPONENTS)
def test_each_component_has_its_value(component: str) -> None:
    signed = sign({component: COMPONENTS[component]})
    assert judged(request([*LINES, *signed.items()], target=TARGET)).signature is SignatureState.VALID
    wrong = sign({component: COMPONENTS[component] + "x"})
    assert judged(request([*LINES, *wrong.items()], target=TARGET)).signature is SignatureState.INVALID


def test_all_components_at_once() -> None:
    result = judged(request([*LINES, *sign(COMPONENTS).items()], target=TARGET))
    assert result.word is Word.VERIFIED
    assert Covered.TARGET in result.coverage


@pytest.mark.parametrize(
    ("component", "reason"),
    [
        ('"@status"', "@status"),
        ('"@nonsense"', "@nonsense"),
        ('"@method";req', "req"),
        ('"content-digest";tr', "tr"),
        ('"content-digest";bs;sf', "bs"),
        ('"x-unknown";sf', "no known type"),
        ('"x-elsewhere"', "does not carry"),
    ],
)
def test_what_is_not_supported_is_named(component: str, reason: str) -> None:
    headers = {"content-digest": digest(), "x-unknown": "a", **sign({component: "x"})}
    result = judged(request(headers))
    assert (result.word, result.signature) == (Word.NO_CHECK, SignatureState.UNSUPPORTED)
    assert reason in result.reasons[0]


@pytest.mark.parametrize(
    ("component", "reason"),
    [
        ('"mcp-name"', "which the request does not have"),
        ('"mcp-session-id"', "which the request does not have"),
        ('"@query-param";name="zz"', "comes 0 times"),
        ('"x-dict";key="zz"', "not of that shape"),
        ('"X-Dict"', "not the name"),
        ('"@method" "@method"', "covered twice"),
        ('"x-dict";key="a";key="b"', "twice"),
        ('"@signature-params"', "not the name"),
    ],
)
def test_what_cannot_hold_is_bad(component: str, reason: str) -> None:
    result = judged(request([*LINES, *sign({component: "x"}).items()]))
    assert (result.word, result.signature) == (Word.BAD_SIG, SignatureState.INVALID)
    assert reason in result.reasons[0]


def test_a_withheld_field_is_named() -> None:
    headers = sign({'"@method"': "POST", '"authorization"': "Bearer x"})
    result = judged(request(headers, withheld=("authorization",)))
    assert (result.word, result.reasons) == (
        Word.NO_CHECK,
        ("covers `authorization`, whose value the feed withholds",),
    )


@pytest.mark.parametrize("withheld", [("signature",), ("signature-input",), ("signature", "signature-input")])
def test_a_withheld_signature_is_not_none(withheld: tuple[str, ...]) -> None:
    headers = {name: value for name, value in sign({'"@method"': "POST"}).items() if name not in withheld}
    result = judged(request(headers, withheld=withheld))
    assert (result.word, result.reasons) == (Word.NO_CHECK, ("the feed withholds the signature",))


def test_a_field_that_is_too_long_to_be_taken_apart_is_named() -> None:
    field = ", ".join(f"a{number}" for number in range(5_000))
    signed = sign({'"ucp-agent";key="a1"': "?1"})
    result = judged(request({"ucp-agent": field, **signed}))
    assert (result.word, "too long to be taken apart" in result.reasons[0]) == (Word.NO_CHECK, True)


def test_a_masked_query_is_named() -> None:
    headers = sign({'"@target-uri"': "http://127.0.0.1:8080/mcp?token=secret"})
    result = judged(request(headers, target="/mcp?token=***", withheld=("@query",)))
    assert result.word is Word.NO_CHECK
    assert "masks values of the query" in result.reasons[0]
    path = sign({'"@path"': "/mcp"})
    assert judged(request(path, target="/mcp?token=***", withheld=("@query",))).word is Word.PARTIAL


def test_a_masked_field_is_not_taken_for_what_was_sent() -> None:
    headers = {"mcp-name": "x?token=***", "mcp-method": "resources/read"}
    signed = sign({'"mcp-name"': "x?token=secret"})
    result = judged(request({**headers, **signed}, withheld=("mcp-name",)))
    assert (result.word, result.reasons) == (Word.NO_CHECK, ("covers `mcp-name`, whose value the feed withholds",))
    other = judged(request({**headers, **sign({'"mcp-method"': "resources/read"})}, withheld=("mcp-name",)))
    assert other.signature is SignatureState.VALID
    assert Covered.MCP not in other.coverage


def test_headers_that_were_too_large_for_the_feed() -> None:
    result = judged(request({}, withheld=("*",)))
    assert (result.word, result.signature) == (Word.NO_CHECK, SignatureState.UNSUPPORTED)


@pytest.mark.parametrize(
    ("signed", "authority"),
    [
        ("http://gateway.example/mcp", "Gateway.Example:80"),
        ("http://gateway.example/mcp", "gateway.example:80"),
        ("http://Gateway.Example/mcp", "Gateway.Example"),
    ],
)
def test_the_host_may_be_normalised(signed: str, authority: str) -> None:
    assert judged(request(sign({'"@target-uri"': signed}), authority=authority)).signature is SignatureState.VALID


def test_tls_may_end_before_the_gateway() -> None:
    result = judged(request(sign({'"@target-uri"': "https://gateway.example/mcp"}), authority="gateway.example"))
    assert result.signature is SignatureState.VALID
    assert any("TLS ends before" in reason for reason in result.reasons)


def test_a_line_break_cannot_forge_a_component() -> None:
    forged = sign({'"x-note"': "a", '"mcp-session-id"': "stolen"})
    text = forged["signature-input"].replace(' "mcp-session-id"', "")
    note = 'a\n"mcp-session-id": stolen'
    result = judged(request({"signature-input": text, "signature": forged["signature"], "x-note": note}))
    assert result.word is Word.BAD_SIG


def test_a_part_of_the_session_id_does_not_cover_it() -> None:
    headers = {"mcp-session-id": "a=1, b=2", **sign({'"mcp-session-id";key="a"': "1"})}
    result = judged(request(headers))
    assert result.signature is SignatureState.VALID
    assert Covered.SESSION not in result.coverage


def test_session_is_covered_only_when_signed() -> None:
    headers = {**SESSION, "content-digest": digest(), **sign({'"content-digest"': digest()})}
    result = judged(request(headers))
    assert Covered.SESSION not in result.coverage
    assert Covered.MCP in result.coverage


def test_mcp_fields_without_the_body() -> None:
    fields = {"mcp-method": "tools/call", "mcp-name": "echo"}
    both = sign({f'"{name}"': value for name, value in fields.items()})
    assert Covered.MCP in judged(request({**fields, **both})).coverage
    one = sign({'"mcp-method"': "tools/call"})
    assert Covered.MCP not in judged(request({**fields, **one})).coverage
    assert Covered.MCP in judged(request({"mcp-method": "tools/call", **one})).coverage


def test_more_than_64_kib_are_not_checked() -> None:
    headers = {"x-note": "a" * 70_000, **sign({'"x-note"': "a" * 70_000})}
    result = judged(request(headers))
    assert (result.word, result.signature) == (Word.NO_CHECK, SignatureState.UNSUPPORTED)
