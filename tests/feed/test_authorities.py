"""Who is believed about a gateway's name."""

import ssl

import pytest

from mcpwatch.feed.queries import authorities


@pytest.mark.parametrize("address", ["https://gateway.example:443", "HTTPS://gateway.example"])
def test_an_https_gateway_is_checked_against_the_usual_authorities(address: str) -> None:
    context = authorities(address)
    assert context.verify_mode is ssl.CERT_REQUIRED and context.check_hostname
    assert context.cert_store_stats()["x509_ca"] > 0


def test_nobody_is_believed_where_no_certificate_is_due() -> None:
    context = authorities("http://127.0.0.1:4181")
    assert context.verify_mode is ssl.CERT_REQUIRED and context.check_hostname
    assert context.cert_store_stats()["x509_ca"] == 0
