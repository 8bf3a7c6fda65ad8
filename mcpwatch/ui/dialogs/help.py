"""Help for the screen one is on, made from the command table and the filter's own words."""

from collections.abc import Iterable

from textual.binding import Binding

from mcpwatch.model.identity import Evidence
from mcpwatch.ui.commands import Command, Group, Scope, key_names
from mcpwatch.ui.dialogs.dialog import Dialog
from mcpwatch.ui.lines import BLANK, Line, Span, Tone, line, span, title
from mcpwatch.ui.looks import EDGES, EVIDENCE, SEVERITIES, STRENGTHS, VERDICTS, Look, severity_cell, verdict_cell
from mcpwatch.watch.query import help_rows

_KEY_CELLS = 14
_WORD_CELLS = 14


class HelpDialog(Dialog):
    """Keys by group, then what the signs mean, then the filter language."""

    BINDINGS = [Binding("question_mark,q,enter", "leave", show=False)]  # noqa: RUF012  a class variable of Textual's

    def __init__(self, scope: Scope, commands: Iterable[Command]) -> None:
        super().__init__(f"Help · {scope.value}")
        self._scope = scope
        self._commands = list(commands)

    def lines(self) -> list[Line]:
        """The whole help."""
        lines = [each for group in Group for each in self._group(group)]
        for heading, signs in _LEGEND:
            lines += [title(heading), *(_sign(cell, means) for cell, means in signs), BLANK]
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
