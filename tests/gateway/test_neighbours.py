"""Of servers at one address: whom a target may reach."""

import pytest

from mcpwatch.gateway.neighbours import Neighbours
from mcpwatch.model.entries import UpstreamInfo

NEIGHBOURS = Neighbours(
    [
        UpstreamInfo("files", "http://127.0.0.1:9000/files"),
        UpstreamInfo("bank", "http://LOCALHOST:9000/bank/"),
        UpstreamInfo("vault", "http://[::1]:9000/bank/vault"),
        UpstreamInfo("mail", "http://127.0.0.1:9001/files"),
        UpstreamInfo("far", "https://mcp.example/mcp"),
        UpstreamInfo("near", "https://mcp.example:443/mcp"),
    ]
)


@pytest.mark.parametrize(
    ("target", "reached"),
    [
        ("/files", {"files"}),
        ("/files/", {"files"}),
        ("/files/x?to=/bank", {"files"}),
        ("/filesystem", {"files"}),
        ("/elsewhere", {"files"}),
        ("/.well-known/x", {"files"}),
        ("/bank", {"files", "bank"}),
        ("/BANK/x", {"files", "bank"}),
        ("/bank/vault?x", {"files", "vault"}),
        ("/%62ank", {"files", "bank", "vault"}),
        ("/files/../bank", {"files", "bank", "vault"}),
        ("/files/./x", {"files", "bank", "vault"}),
        ("//bank", {"files", "bank", "vault"}),
        ("/bank;x", {"files", "bank", "vault"}),
        ("/files\\..\\bank", {"files", "bank", "vault"}),
        ("*", {"files", "bank", "vault"}),
    ],
)
def test_whom_a_target_may_reach(target: str, reached: set[str]) -> None:
    found = NEIGHBOURS.reached("files", target)
    assert found[0] == "files"
    assert set(found) == reached


def test_two_names_of_one_server() -> None:
    assert set(NEIGHBOURS.reached("far", "/mcp")) == {"far", "near"}
    assert NEIGHBOURS.place("far") == NEIGHBOURS.place("near")


def test_a_server_that_has_its_address_for_itself() -> None:
    assert NEIGHBOURS.reached("mail", "/bank/../%2e") == ("mail",)
    assert NEIGHBOURS.place("mail") != NEIGHBOURS.place("files")
