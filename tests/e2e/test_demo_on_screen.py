"""`mcpwatch demo` on a terminal: it draws, and leaves nothing behind when it is left."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from processes import COMMAND, processes_with
from terminals import Terminal

pytestmark = pytest.mark.e2e

HOME, PAGE_DOWN = b"\x1b[H", b"\x1b[6~"


@pytest.fixture
def demo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Terminal]:
    """The demo on a terminal, as soon as its first act is drawn."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    terminal = Terminal([*COMMAND, "demo"])
    terminal.until(b"initialize")
    assert len(processes_with(f"{tmp_path}/mcpwatch-demo-")) == 3
    yield terminal
    terminal.kill()


def nothing_left(folder: Path) -> bool:
    """Whether neither a process nor a folder of the demo is left."""
    return not processes_with(f"{folder}/mcpwatch-demo-") and not list(folder.glob("mcpwatch-demo-*"))


def test_verdicts_are_drawn_and_q_ends_it(demo: Terminal, tmp_path: Path) -> None:
    for word in (b"VERIFIED", b"BAD SIG", b"REPLAY", b"WRONG KEY"):
        demo.until(word)
    # With alerts that nobody has seen, q asks, and Enter agrees.
    assert demo.type_until_it_ends(b"q", b"\r") == 0
    assert nothing_left(tmp_path)


def test_the_screen_alone_says_who_made_a_call(demo: Terminal) -> None:
    demo.type(b"/", b"profile:web-bot-auth tool:read_note")
    demo.until_read("1 of ", "→ read_note")
    demo.type(b"\r")
    demo.until_read("enter open")
    demo.type(HOME, b"\r")
    demo.until_read(
        # Who made this call, and how do we know?
        "crawler  http://127.0.0.1:",
        "asked the key directory of the signer's own site",
        "Message Signatures (RFC 9421) · web-bot-auth",
        # Since when has this key been in use?
        f"in use since {datetime.now(UTC).year}-",
        "first seen here, entry ",
    )
    # And what does the signature not cover? It stands a few lines down.
    demo.type(b"\t", PAGE_DOWN)
    demo.until_read("not covered  ✗ target")


def test_a_closed_window_ends_it(demo: Terminal, tmp_path: Path) -> None:
    demo.close()
    demo.ended()
    assert nothing_left(tmp_path)
