"""The gateway's lists against those of the rooms that read its log."""

from mcpwatch.gateway.headers import logged
from mcpwatch.gateway.tables import LOGGED_FIELDS, WITHHELD_FIELDS
from mcpwatch.identity.schemes import SCHEMES


def test_whatever_a_scheme_reads_is_logged_or_named_as_withheld() -> None:
    for scheme in SCHEMES:
        for name in scheme.fields:
            kept, withheld = logged([(name.title().encode(), b"value")])
            assert (kept, withheld) in ((((name, "value"),), ()), ((), (name,)))


def test_a_token_that_a_scheme_reads_stays_out_of_the_log() -> None:
    assert logged([(b"X-AIP-Token-Ref", b"secret")]) == ((), ("x-aip-token-ref",))
    assert logged([(b"X-AIP-Token", b"secret")]) == ((), ("x-aip-token",))


def test_no_list_names_a_field_in_capitals() -> None:
    assert all(name == name.lower() for name in LOGGED_FIELDS | WITHHELD_FIELDS)
