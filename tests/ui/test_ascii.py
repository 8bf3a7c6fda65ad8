"""On a terminal without Unicode all that is drawn is ASCII, and every sign of ours has one that stands for it."""

import ast
import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from hands import Hands
from recorder import Recorder, faults
from rich.cells import cell_len
from rich.segment import Segment
from scene import Scene
from textual.color import Color

import mcpwatch
from mcpwatch.ui.settings import Settings
from mcpwatch.ui.terminal.ascii import SIGNS, Ascii, is_wanted
from mcpwatch.ui.terminal.terminal_driver import Outlet

pytest_plugins = ["played"]

ROOMS = ("ui", "watch")
TOUR = (
    "c",
    "escape enter",
    "v",
    "v",
    "escape 2 G enter",
    "v",
    "v",
    "escape 3 enter",
    "escape a",
    "escape 4 enter",
    "escape 5 enter",
    "6",
    "question_mark",
    "escape ctrl+p",
    "escape 1 slash t",
    "escape q",
)
SEEN = ("x BAD SIG", "+ VERIFIED", "waterfall", "Quit", "LIVE", "|")
"""Some of what stands on those screens."""


def signs() -> Iterator[tuple[Path, str]]:
    """The characters beyond ASCII in the texts, not the descriptions, of what draws."""
    folder = Path(mcpwatch.__file__).parent
    for path in sorted(path for room in ROOMS for path in (folder / room).rglob("*.py")):
        if path.name == "ascii.py":
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        said = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in said:
                yield from ((path, char) for char in node.value if not char.isascii())


def test_every_sign_of_ours_has_one_that_stands_for_it() -> None:
    used = list(signs())
    assert len(used) > 100
    assert [(path.name, char) for path, char in used if char not in SIGNS] == []


def test_what_stands_for_a_sign_takes_its_cell() -> None:
    assert {cell_len(sign) for sign in SIGNS} == {1}
    assert [sign for sign, plain in SIGNS.items() if len(plain) != 1 or not plain.isascii()] == []


@pytest.mark.parametrize("words", ["漢字 ok", "é", "e\u0301", "🔎x", "plain"])
def test_what_others_wrote_keeps_its_width(words: str) -> None:
    (drawn,) = Ascii().apply([Segment(words)], Color(0, 0, 0))
    assert drawn.text.isascii() and len(drawn.text) == cell_len(words)


async def test_a_tour_writes_nothing_but_ascii(scene: Scene, same_everywhere: None) -> None:
    app = scene.app()
    app.take(Settings(is_ascii=True))
    app.driver_class = Recorder
    async with app.run_test(headless=False, size=(100, 24), notifications=True, tooltips=True) as pilot:
        at = Hands(scene, app, pilot)
        shown = "".join([await at.press(*keys.split()) for keys in TOUR])
        written = "".join(app._driver.written)  # type: ignore[union-attr]
    assert len(written) > 40_000 and [words for words in SEEN if words not in shown] == []
    assert sorted({char for char in written if not char.isascii()}) == []
    assert list(faults(written)) == []


@pytest.mark.parametrize(
    ("choice", "environment", "encoding", "wanted"),
    [
        ("auto", {}, "utf-8", False),
        ("auto", {"LANG": "de_DE.UTF-8"}, "utf-8", False),
        ("auto", {"LANG": "de_DE.UTF-8", "LC_ALL": "C"}, "utf-8", True),
        ("auto", {"LC_CTYPE": "C.UTF-8", "LANG": "C"}, "utf-8", False),
        ("auto", {"LANG": "POSIX"}, "utf-8", True),
        ("auto", {"LANG": "de_DE.ISO-8859-1@euro"}, "utf-8", True),
        ("auto", {"LANG": "de_DE.utf8", "TERM": "linux"}, "utf-8", True),
        ("auto", {"TERM": "xterm-256color"}, "ascii", True),
        ("unicode", {"LC_ALL": "C", "TERM": "linux"}, "ascii", False),
        ("ascii", {"LANG": "de_DE.UTF-8"}, "utf-8", True),
    ],
)
def test_the_locale_and_the_terminal_choose(
    choice: str, environment: dict[str, str], encoding: str, wanted: bool
) -> None:
    assert is_wanted(choice, environment, encoding) is wanted


def test_a_terminal_whose_encoding_lacks_a_sign_is_not_gone() -> None:
    octets = io.BytesIO()
    outlet = Outlet(io.TextIOWrapper(octets, encoding="ascii"))
    outlet.write("a ✓ b")
    outlet.flush()
    assert octets.getvalue() == b"a ? b" and not outlet.gone
