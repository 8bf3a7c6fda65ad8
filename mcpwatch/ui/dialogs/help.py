"""Help for the screen one is on, made from the command table and the filter's own words."""

from collections.abc import Iterable, Iterator

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.widgets import Input

from mcpwatch.model.identity import Evidence
from mcpwatch.ui.commands import Command, Group, Scope, key_names
from mcpwatch.ui.dialogs.dialog import Dialog
from mcpwatch.ui.looks import EDGES, EVIDENCE, SEVERITIES, STRENGTHS, VERDICTS, Look, severity_cell, verdict_cell
from mcpwatch.ui.widgets.lines import BLANK, Line, Span, Tone, line, plain, span, title
from mcpwatch.ui.widgets.page import Page
from mcpwatch.ui.widgets.ribbon import Ribbon
from mcpwatch.watch.query import help_rows

_KEY_CELLS = 14
_WORD_CELLS = 14


class HelpDialog(Dialog):
    """Keys by group, then what the signs mean, then the filter language; `/` leaves what has a text."""

    BINDINGS = [  # noqa: RUF012  a class variable of Textual's
        Binding("slash", "find", show=False),
        Binding("question_mark,q,enter", "close", show=False),
    ]

    def __init__(self, scope: Scope, commands: Iterable[Command]) -> None:
        super().__init__(f"Help · {scope.value}")
        self._scope = scope
        self._commands = list(commands)
        self._needle = ""

    def compose_box(self) -> ComposeResult:
        """The help, what is looked for in it, the keys."""
        yield Page(id="text")
        field = Input(id="find", placeholder="a key, a sign or a word", compact=True)
        field.cursor_blink = False
        field.display = False
        yield field
        yield Ribbon(id="keys")

    def fill(self) -> None:
        """Say what has the text that is looked for."""
        super().fill()
        self.show_keys(
            ("slash", "find"), ("escape", "all of it again") if self._is_finding else ("question_mark", "close")
        )

    def lines(self) -> list[Line]:
        """The help, or the lines of it that have the text under their headings."""
        lines: list[Line] = []
        for heading, rows in self._sections():
            if found := [row for row in rows if self._needle in f"{heading}\n{plain(row)}".lower()]:
                lines += [title(heading), *found, BLANK]
        return lines or [line(span("Nothing here has that text.", Tone.DIM))]

    def action_find(self) -> None:
        """Ask for a text."""
        field = self.query_one(Input)
        field.display = True
        field.focus()
        self.fill()

    def action_close(self) -> None:
        """Close it, whatever is looked for."""
        self.dismiss()

    def action_leave(self) -> None:
        """Show all of it again, or close it."""
        if not self._is_finding:
            self.action_close()
            return
        field = self.query_one(Input)
        field.value = ""
        field.display = False
        self.query_one("#text").focus()
        self._look_for("")

    @property
    def _is_finding(self) -> bool:
        return self.query_one(Input).display

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        self._look_for(event.value)

    @on(Input.Submitted)
    def _entered(self) -> None:
        self.query_one("#text").focus()

    def _look_for(self, text: str) -> None:
        self._needle = text.strip().lower()
        self.fill()

    def _sections(self) -> Iterator[tuple[str, list[Line]]]:
        for group in Group:
            yield group.value, self._keys(group)
        for heading, signs in _LEGEND:
            yield heading, [_sign(cell, means) for cell, means in signs]
        if self._scope is Scope.LIVE:
            yield "Filter words", [_row(what, means, _WORD_CELLS) for what, means in help_rows()]

    def _keys(self, group: Group) -> list[Line]:
        return [
            _row(key_names(command.keys) or f":{command.id}", command.help, _KEY_CELLS)
            for command in self._commands
            if command.group is group
        ]


def _row(what: str, means: str, cells: int) -> Line:
    return line(span(f"{what:<{cells}}", Tone.ACCENT), span(means), hang=cells)


def _sign(cell: Span, means: str) -> Line:
    return line(cell, " " * max(_WORD_CELLS - len(cell.text), 1), span(means, Tone.DIM), hang=_WORD_CELLS)


def _binding(look: Look) -> tuple[Span, str]:
    word, _, means = look.means.partition(": ")
    return span(f"{look.glyph} {word.lower()}", look.tone), _raised(means)


def _raised(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}"


_SERVER = span("✓ server", Tone.GOOD), "On an answer: its server signed it. That says who answered, never who asked."
_WHO = (
    ("name KEY", Evidence.VERIFIED, "The signer of a request that holds: your name for it, and its key's head."),
    ("KEY id", Evidence.VERIFIED, "The same, where you gave it no name: its key's head, and its id's end."),
    ("@subject", Evidence.ASSERTED, "The holder of an access token: the gateway read it, nothing here proves it."),
    ("?name", Evidence.CLAIMED, "What the client or a signature that proves nobody says. Anybody can say it."),
)
_LEGEND: tuple[tuple[str, list[tuple[Span, str]]], ...] = (
    ("Verdicts", [*((verdict_cell(word), look.means) for word, look in VERDICTS.items()), _SERVER]),
    ("Who", [(span(who, EVIDENCE[evidence].tone), means) for who, evidence, means in _WHO]),
    ("Severities", [(severity_cell(severity), look.means) for severity, look in SEVERITIES.items()]),
    ("What binds a session", [_binding(look) for look in STRENGTHS.values()]),
    (
        "What ties calls",
        [(span(f"{look.glyph} {kind.value}", look.tone), f"{_raised(look.means)}.") for kind, look in EDGES.items()],
    ),
)
"""Headings, and each sign with what it means."""
