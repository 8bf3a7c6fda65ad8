"""Which era a request belongs to."""

import pytest
from build import Log
from folding import fold
from rpc import MODERN, ask, call, modern, note

from mcpwatch.model.entries import Json
from mcpwatch.model.traffic import Era


@pytest.mark.parametrize(
    ("body", "version", "session", "era"),
    [
        (modern(call(1, "x")), "", "", Era.MODERN),
        (modern(call(1, "x")), "2025-11-25", "s", Era.MODERN),
        (modern(ask(1, "initialize", {})), "", "", Era.MODERN),
        (ask(1, "initialize", {}), MODERN, "", Era.LEGACY),
        (call(1, "x"), "2024-11-05", "", Era.LEGACY),
        (call(1, "x"), "2025-03-26", "", Era.LEGACY),
        (call(1, "x"), "2025-06-18", "", Era.LEGACY),
        (call(1, "x"), "2025-11-25", "", Era.LEGACY),
        (call(1, "x"), MODERN, "s", Era.MODERN),
        (call(1, "x"), "2099-01-01", "", Era.MODERN),
        (call(1, "x"), "", "s", Era.LEGACY),
        (call(1, "x"), "", "", Era.UNKNOWN),
        (None, "2025-11-25", "", Era.LEGACY),
        (None, "", "s", Era.LEGACY),
        (None, "", "", Era.UNKNOWN),
        (b"noise", "", "", Era.UNKNOWN),
        ([note("x"), modern(call(1, "x"))], "", "", Era.MODERN),
        (
            {"id": 1, "method": "x", "params": {"_meta": {"io.modelcontextprotocol/protocolVersion": 7}}},
            "",
            "s",
            Era.LEGACY,
        ),
        ({"id": 1, "method": "x", "params": {"_meta": "no object"}}, "", "", Era.UNKNOWN),
    ],
)
def test_the_body_comes_first_then_initialize_then_the_headers(
    body: Json, version: str, session: str, era: Era
) -> None:
    log = Log()
    log.request(body, session=session, headers={"MCP-Protocol-Version": version} if version else {})
    (exchange,) = fold(log).traffic.exchanges.values()
    assert exchange.era is era


def test_both_eras_share_one_url() -> None:
    log = Log()
    log.initialize("s1")
    log.request(modern(call(1, "x")))
    log.request(call(1, "x"), session="s1")
    folded = fold(log)
    assert [opened.era for opened in folded.calls] == [Era.LEGACY, Era.MODERN, Era.LEGACY]
    assert [session.era for session in folded.sessions] == [Era.LEGACY, Era.MODERN]


def test_a_session_id_counts_for_nothing_on_a_modern_request() -> None:
    log = Log()
    log.initialize("s1")
    stray = log.request(modern(call(1, "x")), session="s1")
    folded = fold(log)
    session = folded.at(stray).session
    assert session is not None
    assert session.key == "files~127.0.0.1~agent-1.0"
