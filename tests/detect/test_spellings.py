"""Addresses and paths that lead inside, in every spelling, and those that only look like it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcpwatch.detect.addresses import inside, origin
from mcpwatch.detect.paths import SECRETS, SYSTEM, TRAVERSAL, climbs, plain, resolved, trespass

INSIDE = {
    "http://localhost/": ("loopback", ""),
    "http://localhost./": ("loopback", ""),
    "http://app.localhost:8080": ("loopback", ""),
    "http://127.1/": ("loopback", "127.0.0.1"),
    "http://2130706433/": ("loopback", "127.0.0.1"),
    "http://0177.0.0.1": ("loopback", "127.0.0.1"),
    "http://0x7f.1/": ("loopback", "127.0.0.1"),
    "http://0/": ("loopback", "0.0.0.0"),
    "http://[::1]:80/": ("loopback", "::1"),
    "http://[::ffff:127.0.0.1]/": ("loopback", "127.0.0.1"),
    "http://[::127.0.0.1]/": ("loopback", "127.0.0.1"),
    "http://[64:ff9b::a00:1]/": ("private", "10.0.0.1"),
    "http://[2002:a00:1::]/": ("private", "10.0.0.1"),
    "http://[fd12::1]/": ("private", "fd12::1"),
    "http://[fe80::1%25eth0]/": ("link-local", "fe80::1"),
    "http://docs.example@127.0.0.1/x": ("loopback", "127.0.0.1"),
    "http://127.0.0.1\\@docs.example/": ("loopback", "127.0.0.1"),
    "http:/10.0.0.1": ("private", "10.0.0.1"),
    "//172.31.2.3/x": ("private", "172.31.2.3"),
    " ht\ttp://192.168.1.1 ": ("private", "192.168.1.1"),
    "http://100.64.0.1": ("private", "100.64.0.1"),
    "http://10.0.0.1.nip.io/": ("private", "10.0.0.1"),
    "http://app-10-0-0-1.sslip.io/": ("private", "10.0.0.1"),
    "http://%31%32%37.0.0.1/": ("loopback", "127.0.0.1"),
    "http://\uff11\uff12\uff17\u3002\uff10\u3002\uff10\u3002\uff11/": ("loopback", "127.0.0.1"),
    "WSS://0xA9FEA9FE/": ("cloud metadata", "169.254.169.254"),
    "http://metadata.google.internal./": ("cloud metadata", ""),
    "ftp://169.254.1.1/": ("link-local", "169.254.1.1"),
}
OUTSIDE = (
    "http://docs.example/",
    "http://8.8.8.8",
    "http://127.0.0.1@docs.example/",
    "http://docs.example/?u=http://127.0.0.1/#//127.0.0.1",
    "http://172.32.0.1",
    "http://192.0.2.1/",
    "http://localhost.docs.example",
    "http://10.0.0.1.docs.example",
    "http://[2001:4860::8888]/",
    "http://08.1.1.1",
    "http://1.2.3.4.5",
    "http://256.0.0.1",
    "http://4294967296",
    "http://",
    "http://[::",
    "postgres://localhost/shop",
    "mailto:ann@localhost",
    "10.0.0.1",
    "// a remark",
    "see http://localhost:3000",
)
URIS = {
    "file:///etc/passwd": SECRETS,
    "file:////etc//passwd": SECRETS,
    "file:///srv/../etc/./passwd%00.png": SECRETS,
    "file:///srv/....//....//etc/passwd": SECRETS,
    "file:///home/ann/.ssh/config": SECRETS,
    "file:///home/ann/shop/.env.production": SECRETS,
    "file:///C:/Windows/win.ini": SECRETS,
    "file:/etc/hosts": SYSTEM,
    "file://localhost/proc/version": SYSTEM,
    "file:///srv/docs/../x": TRAVERSAL,
    "FILE:///srv/..\\..\\x": TRAVERSAL,
    "file:///srv/docs/..;/x": TRAVERSAL,
    "file:///srv/\uff0e\uff0e/x": TRAVERSAL,
    "notes://a/..%252f..%252fb": TRAVERSAL,
    "file:///srv/a..b/c...md": "",
    "file:///srv/docs/a.md": "",
    "file:///home/ann/shop/.env.example": "",
    "file:///etcetera/passwd": "",
}
ARGUMENTS = {
    "/etc/passwd": SECRETS,
    "../../../etc/shadow": SECRETS,
    "a/../../../etc/shadow": SECRETS,
    "~/.ssh/id_rsa": SECRETS,
    ".env": SECRETS,
    "C:\\Windows\\System32\\config\\SAM": SECRETS,
    "/proc/self/environ": SECRETS,
    "%2e%2e%2fledger": TRAVERSAL,
    "docs/..%5c..%5cledger": TRAVERSAL,
    "../src/main.py": "",
    "./...": "",
    "/etc/nginx/nginx.conf": "",
    "/srv/data/report.txt": "",
    "100%": "",
    "What is in /etc/passwd or .ssh, I ask you?": "",
}


@pytest.mark.parametrize(("url", "found"), INSIDE.items())
def test_an_address_inside_is_found_in_any_spelling(url: str, found: tuple[str, str]) -> None:
    at = inside(url)
    assert at is not None and (at.kind, at.address) == found


@pytest.mark.parametrize("url", OUTSIDE)
def test_an_address_outside_is_let_be(url: str) -> None:
    assert inside(url) is None


def test_an_origin_is_scheme_host_and_port() -> None:
    assert origin("HTTP://Docs.example:8080/a/b?c") == "http://docs.example:8080"
    assert origin("notes://a/b") == ""


@pytest.mark.parametrize(("uri", "kind"), URIS.items())
def test_a_uri_of_a_file_that_nobody_should_read(uri: str, kind: str) -> None:
    assert trespass(uri, is_uri=True) == kind


@pytest.mark.parametrize(("argument", "kind"), ARGUMENTS.items())
def test_an_argument_with_a_file_that_nobody_should_read(argument: str, kind: str) -> None:
    assert trespass(argument, is_uri=False) == kind


@given(st.text(max_size=60), st.sampled_from(["", "file://", "file:///", "http://", "http://[", "//", "..%2f"]))
def test_no_text_at_all_does_harm(text: str, start: str) -> None:
    uri = start + text
    inside(uri)
    climbs(uri)
    assert not resolved(plain(uri)).startswith("../")
    for is_uri in (True, False):
        assert trespass(uri, is_uri=is_uri) in ("", SECRETS, SYSTEM, TRAVERSAL)


def test_what_is_put_before_and_behind_hides_nothing() -> None:
    at = inside("http://" + "a" * 3_000 + "@127.0.0.1/" + "a" * 3_000)
    assert at is not None and at.kind == "loopback"
    assert trespass("/" * 10_000 + "etc/passwd", is_uri=False) == SECRETS
    assert trespass("file:///etc/passwd?" + "a/../" * 100_000, is_uri=True)
