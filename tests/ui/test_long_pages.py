"""Pages of very many wrapped lines: their rows are counted a few at a time, and what is read stays in view."""

import json
from collections.abc import Iterable
from typing import ClassVar

import pytest
from textual.app import App, ComposeResult

from mcpwatch.ui.theme import DARK, variables
from mcpwatch.ui.widgets import page
from mcpwatch.ui.widgets.json_outline import JsonOutline
from mcpwatch.ui.widgets.lines import Line, line, plain
from mcpwatch.ui.widgets.page import Page
from mcpwatch.ui.widgets.toned import TONES
from mcpwatch.ui.widgets.wrap import wrap

WORDS = 3_000


class Book(App[None]):
    """Nothing but a page."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {*TONES}

    def compose(self) -> ComposeResult:
        """The page."""
        yield Page(id="page")

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """The colours that pages ask for."""
        return variables(DARK)


async def test_rows_are_counted_a_few_at_a_time_and_all_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    wrapped: list[int] = []

    def count(lines: Iterable[Line], cells: int) -> list[Line]:
        wrapped[-1] += 1
        return wrap(lines, cells)

    counting = Page._count_rows

    def counted(self: Page) -> None:
        wrapped.append(0)
        counting(self)

    monkeypatch.setattr(page, "wrap", count)
    monkeypatch.setattr(Page, "_count_rows", counted)
    outline = JsonOutline(json.dumps({f"name_{at}": f"{at} some words of a sentence" for at in range(WORDS)}))
    async with Book().run_test(size=(24, 10)) as pilot:
        shown = pilot.app.query_one(Page)
        shown.show_lines([outline], "a subject")
        while shown._has_more:
            await pilot.pause(0.01)
        outline.open_all()
        shown.show_lines([outline], "a subject")
        guessed = len(shown._guessed)
        shown.scroll_to(y=WORDS, animate=False, force=True)
        before = reading(shown)
        while shown._guessed:
            await pilot.pause(0.01)
        assert reading(shown) == before
        shown.action_bottom()
        await pilot.pause()
        texts = [plain(row) for at in outline.visible() for row in wrap([outline.line(at)], shown.line_cells)]
        assert guessed > 2_000 and max(wrapped) <= 500 + 2 * shown.size.height
        assert len(texts) == shown.virtual_size.height
        last = [shown.render_line(y).text.rstrip() for y in range(shown.size.height)]
        assert last == [text.rstrip() for text in texts[-shown.size.height :]]


async def test_a_page_without_a_width_yet_breaks_no_words() -> None:
    rows: list[int] = []

    class Filled(Book):
        def on_mount(self) -> None:
            shown = self.query_one(Page)
            assert not shown.size.width
            shown.show_lines([line("as many words as stand on a row")])
            rows.append(shown.virtual_size.height)

    async with Filled().run_test(size=(60, 10)) as pilot:
        await pilot.pause()
        rows.append(pilot.app.query_one(Page).virtual_size.height)
    assert rows == [1, 1]


def reading(shown: Page) -> page.Ref:
    """The line at the top of the view."""
    at = shown.line_of(int(shown.scroll_offset.y))
    assert at is not None
    return shown._refs[at]
