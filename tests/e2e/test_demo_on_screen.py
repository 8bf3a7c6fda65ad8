"""`mcpwatch demo` on a terminal: it draws, and leaves nothing behind when it is left."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from processes import COMMAND, processes_with
from terminals import Terminal

pytestmark = pytest.mark.e2e


@pytest.fixture
def demo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Terminal]:
    """The demo on a terminal, as soon as its first act is drawn."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    terminal = Terminal([*COMMAND, "demo"])
    terminal.until(b"initialize")
    assert len(processes_with(f"{tmp_path}/mcpwatch-demo-")) == 2
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


def test_a_closed_window_ends_it(demo: Terminal, tmp_path: Path) -> None:
    demo.close()
    demo.ended()
    assert nothing_left(tmp_path)
