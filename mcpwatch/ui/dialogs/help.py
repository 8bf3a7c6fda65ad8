"""Help for the screen one is on, made from the command table and the filter's own words."""

from collections.abc import Iterable

from textual.binding import Binding

from mcpwatch.ui.commands import Command, Group, Scope, key_names
from mcpwatch.ui.dialogs.dialog import Dialog
from mcpwatch.ui.lines import BLANK, Line, Tone, line, span, title
from mcpwatch.ui.looks import VERDICTS, verdict_cell
from mcpwatch.watch.query import help_rows

_KEY_CELLS = 14
_WORD_CELLS = 14


class HelpDialog(Dialog):
    """Keys by group, then what the verdicts mean, then the filter language."""

    BINDINGS = [Binding("question_mark,q,enter", "leave", show=False)]  # noqa: RUF012  a class variable of Textual's

    def __init__(self, scope: Scope, commands: Iterable[Command]) -> None:
        super().__init__(f"Help · {scope.value}")
        self._scope = scope
        self._commands = list(commands)

    def lines(self) -> list[Line]:
        """The whole help."""
        lines = [each for group in Group for each in self._group(group)]
        lines += [title("Verdicts"), *_verdicts(), BLANK]
        if self._scope is Scope.LIVE:
            lines += [title("Filter words"), *[_row(what, means, _WORD_CELLS) for what, means in help_rows()]]
        return lines

    def _group(self, group: Group) -> list[Line]:
        rows = [
            _row(key_names(command.keys) or f":{command.id}", command.help, _KEY_CELLS)
            for command in self._commands
            if command.group is group
        ]
        return [title(group.value), *rows, BLANK] if rows else []


def _row(what: str, means: str, cells: int) -> Line:
    return line(span(f"{what:<{cells}}", Tone.ACCENT), span(means), hang=cells)


def _verdicts() -> list[Line]:
    rows = []
    for word, look in VERDICTS.items():
        cell = verdict_cell(word)
        rows.append(
            line(cell, " " * max(_WORD_CELLS - len(cell.text), 1), span(look.means, Tone.DIM), hang=_WORD_CELLS)
        )
    return rows
