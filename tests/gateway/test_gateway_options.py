"""What a gateway is told, in words."""

import pytest

from mcpwatch.errors import UsageError
from mcpwatch.gateway.options import LISTEN, Address, parse_address, parse_captures, parse_upstreams
from mcpwatch.model.entries import ToolCapture, UpstreamInfo


def test_upstreams_with_and_without_names() -> None:
    assert parse_upstreams(["http://127.0.0.1:8000/mcp"]) == (
        UpstreamInfo(name="127.0.0.1:8000", url="http://127.0.0.1:8000/mcp"),
    )
    assert parse_upstreams(["files=https://a.example", "mail=http://[::1]:1/x=y"]) == (
        UpstreamInfo(name="files", url="https://a.example"),
        UpstreamInfo(name="mail", url="http://[::1]:1/x=y"),
    )


@pytest.mark.parametrize(
    ("words", "error"),
    [
        ([], "needs an upstream"),
        (["localhost:8000"], "not an http or https URL"),
        (["ftp://a.example"], "not an http or https URL"),
        (["http://"], "not an http or https URL"),
        (["http://a.example:99999"], "not an http or https URL"),
        (["http://["], "not an http or https URL"),
        (["a/b=http://a.example"], "not an http or https URL"),
        (["a=http://a.example", "a=http://b.example"], "Two upstreams are called a"),
        (["http://a.example", "http://a.example"], "Two upstreams are called a.example"),
        (["http://a.example/?key=hunter2"], "a user, a query or a fragment"),
    ],
)
def test_upstreams_that_make_no_sense(words: list[str], error: str) -> None:
    with pytest.raises(UsageError, match=error):
        parse_upstreams(words)


def test_a_password_in_an_upstream_is_refused_and_not_repeated() -> None:
    with pytest.raises(UsageError) as caught:
        parse_upstreams(["http://me:hunter2@a.example"])
    assert "hunter2" not in caught.value.title + caught.value.hint


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:80", ("127.0.0.1", 80)),
        (":0", ("127.0.0.1", 0)),
        ("localhost", ("localhost", 4180)),
        ("[::1]:9", ("::1", 9)),
        ("0.0.0.0", ("0.0.0.0", 4180)),
    ],
)
def test_what_is_missing_of_an_address_comes_from_the_default(text: str, address: Address) -> None:
    assert parse_address(text, LISTEN) == address


@pytest.mark.parametrize("text", ["127.0.0.1:http", "a:99999", "http://a:1", "a/b", "me@a:1", "[::1"])
def test_addresses_that_make_no_sense(text: str) -> None:
    with pytest.raises(UsageError, match="not an address"):
        parse_address(text, LISTEN)


def test_capture_for_all_and_for_single_tools() -> None:
    assert parse_captures([], []) == ("masked", ())
    assert parse_captures(["full", "pay_*=digest", "read_mail@mail*=masked"], ["mailbox"]) == (
        "full",
        (ToolCapture("pay_*", "digest"), ToolCapture("read_mail", "masked", "mail*")),
    )


@pytest.mark.parametrize("words", [["all"], ["pay=none"], ["=digest"], ["a b=digest"], ["pay@=full"], [""]])
def test_a_capture_that_there_is_not(words: list[str]) -> None:
    with pytest.raises(UsageError, match="no way to capture"):
        parse_captures(words, [])


def test_a_capture_for_a_server_that_there_is_not() -> None:
    with pytest.raises(UsageError, match="no server is called ordrs") as caught:
        parse_captures(["pay_*@ordrs=digest"], ["orders", "mail"])
    assert "orders, mail" in caught.value.hint


def test_one_capture_for_all() -> None:
    assert parse_captures(["digest", "digest"], []) == ("digest", ())
    with pytest.raises(UsageError, match="Both full and masked"):
        parse_captures(["full", "masked"], [])
