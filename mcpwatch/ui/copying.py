"""What is selected as text for people, with all that is folded laid open: as its own page tells it."""

from collections.abc import Iterable, Sequence
from functools import singledispatch
from typing import TypeVar

from mcpwatch.model.entries import Body
from mcpwatch.text import show
from mcpwatch.ui.base import WatchScreen
from mcpwatch.ui.pages.alert import alert_page
from mcpwatch.ui.pages.call import exact_row_lines, row_parts
from mcpwatch.ui.pages.session import identity_card
from mcpwatch.ui.pages.sides import answer_parts, request_parts
from mcpwatch.ui.screens.about import AboutScreen
from mcpwatch.ui.screens.call import CallScreen, CallView
from mcpwatch.ui.screens.lists import ListScreen
from mcpwatch.ui.screens.live import LiveScreen
from mcpwatch.ui.screens.path import PathScreen
from mcpwatch.ui.screens.session import SessionScreen
from mcpwatch.ui.widgets.json_outline import JsonOutline
from mcpwatch.ui.widgets.lines import BLANK, Tone, line, plain, span
from mcpwatch.ui.widgets.outline import Outline, Part

_STEPS = 20_000
"""How much of a body is laid out; the text says what is not."""

T = TypeVar("T")


def text_of(screen: WatchScreen) -> str:
    """All there is to say of what is selected on a screen; empty where nothing is."""
    return "\n".join(show(each).rstrip() for part in _told(screen) for each in _lines(part)).strip("\n")


def _lines(part: Part) -> Iterable[str]:
    return map(plain, part.lines()) if isinstance(part, Outline) else [plain(part)]


def _open(body: Body) -> list[Part]:
    """A body with nothing folded."""
    outline = JsonOutline(body.text or "", masked=bool(body.masked))
    outline.read(_STEPS)
    outline.open_all()
    more = f"… {outline.left_out}" if outline.left_out else ""
    return [outline, *([line(span(more, Tone.DIM))] if more else ())]


@singledispatch
def _told(screen: WatchScreen) -> Sequence[Part]:
    return ()


@_told.register(ListScreen)
def _item(screen: ListScreen[T]) -> Sequence[Part]:
    return screen.page_of(screen.selected) if screen.selected is not None else ()


@_told.register
def _entry(screen: LiveScreen) -> Sequence[Part]:
    return row_parts(screen.row, screen.watcher, _open) if screen.row is not None else ()


@_told.register
def _call(screen: CallScreen) -> Sequence[Part]:
    """Both sides of the call where they are shown, else the entry under the cursor."""
    row, watcher, call = screen.selected_row, screen.watcher, screen.call
    if row is None:
        return ()
    if screen.shows is CallView.EXACT:
        return exact_row_lines(row, screen.state)
    rows = screen.state.rows_of_call(call) if call is not None and screen.shows is CallView.SIDES else []
    if not rows:
        return row_parts(row, watcher, _open)
    asked = next((each for each in rows if each.http_request is not None), None)
    answer = answer_parts([each for each in rows if each is not asked], call, watcher, _open)
    return [*request_parts(asked, watcher, _open), BLANK, *answer]


@_told.register
def _alert(screen: PathScreen) -> Sequence[Part]:
    alert = screen.state.alerts.get(screen.alert.id, screen.alert)
    return alert_page(alert, screen.host.rules.get(alert.rule), screen.state)


@_told.register
def _session(screen: SessionScreen) -> Sequence[Part]:
    return identity_card(screen.session, screen.watcher)


@_told.register
def _page(screen: AboutScreen) -> Sequence[Part]:
    return screen.lines()
