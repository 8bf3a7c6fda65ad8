"""A Markdown export is a document of ours: nothing from outside makes markup, links, pictures or HTML in it."""

from pathlib import Path

from exported import HOSTILE, SignedLog, exported, hostile_log
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token
from piped import story

from mcpwatch.export.markdown import COLUMNS, code
from mcpwatch.text import show

RENDERER = MarkdownIt("gfm-like", {"html": True, "linkify": True, "typographer": True})
PLAIN = frozenset({"text", "code_inline", "strong_open", "strong_close", "softbreak"})


def inline(text: str) -> list[Token]:
    return [child for token in RENDERER.parse(text) for child in token.children or []]


@given(st.text(), st.text())
@example("a`b", "c|d")
@example(*HOSTILE[9:11])
@example("\\", "`")
@example(" ", "  x ")
def test_any_text_is_a_code_span_and_comes_back(first: str, second: str) -> None:
    table = f"| a | b |\n| --- | --- |\n| {code(first)} | {code(second)} |\n"
    tokens = RENDERER.parse(table)
    cells = [tokens[at + 1] for at, token in enumerate(tokens) if token.type == "td_open"]
    assert len(cells) == 2
    for cell, text in zip(cells, (first, second), strict=True):
        spans = cell.children or []
        assert {span.type for span in spans} <= {"code_inline"}
        content = "".join(span.content for span in spans)
        assert content.strip() == show(text, 200).replace("`", "\\x60").replace("|", "\\x7c").strip()


def test_the_renderer_would_show_what_is_forbidden() -> None:
    """So that the tests above and below can fail."""
    for text in HOSTILE[9:14]:
        assert not {token.type for token in inline(f"x {text}")} <= PLAIN


async def test_a_hostile_log_makes_no_markup(state_folder: Path) -> None:
    source = SignedLog(hostile_log())
    text = await exported(state_folder, source, "markdown")
    assert all(char.isprintable() or char == "\n" for char in text)
    tokens = RENDERER.parse(text)
    assert {token.type for token in inline(text)} <= PLAIN
    headings = [tokens[at + 1].content for at, token in enumerate(tokens) if token.type == "heading_open"]
    assert headings == ["What mcpwatch saw", "Calls", "Sessions", "Alerts"]
    assert not [token for token in tokens if token.type in ("html_block", "fence")]
    rows, width = 0, 0
    for token in tokens:
        rows, width = (rows + 1, 0) if token.type == "tr_open" else (rows, width + (token.type == "td_open"))
        if token.type == "tr_close" and width:
            assert width in (len(COLUMNS) + 1, 7)
    assert rows > len(HOSTILE) * 3


async def test_the_report_tells_calls_verdicts_sessions_and_alerts(state_folder: Path) -> None:
    source = SignedLog(story())
    text = await exported(state_folder, source, "markdown")
    for words in ("**VERIFIED**", "**BAD SIG**", "**REPLAY**", "identity/bad-signature", "critical", "proven by the"):
        assert words in text
    assert source.status.checkpoint is not None
    assert all(line in text for line in source.status.checkpoint.note.decode().split("\n"))
    assert "NOT PROVEN" not in text


async def test_an_empty_log_is_said_to_be_one(state_folder: Path) -> None:
    text = await exported(state_folder, SignedLog(story()), "markdown", "tool:nothing")
    assert "entries none" in text and text.count("None.") == 2
