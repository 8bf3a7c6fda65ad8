"""What changed in a tool's definition: field by field, what went and what came, with nothing hidden."""

from collections.abc import Iterator, Sequence

from mcpwatch.model.entries import Json
from mcpwatch.model.tools import DefinitionPin, Tool
from mcpwatch.ui.lines import Line, Span, Tone, line, span
from mcpwatch.ui.times import full
from mcpwatch.watch.definition_changes import Changed, Piece, changed, pieces

_FIELDS = 60
_LINES = 40
"""Of one field."""
_PATH_CELLS = 120
_SAME = 60
"""Characters shown of what stayed, on each side of what did not."""
_CUT = " … "


def baseline(tool: Tool) -> tuple[str, Json]:
    """What the definition is held against, and how that is called: what is trusted, or else what was before."""
    if tool.pin is None and tool.pins:
        return f"since it was {pinned(tool.pins[-1])}", tool.pins[-1].definition
    return "with the last change", tool.previous


def pinned(pin: DefinitionPin) -> str:
    """How a definition came to be trusted, as it follows `was`."""
    if pin.author:
        return f"accepted by {pin.author}, {_when(pin)}"
    where = f", entry {pin.index}" if pin.index is not None else ""
    return f"pinned on first use, {_when(pin)}{where}"


def _when(pin: DefinitionPin) -> str:
    return full(pin.time).partition(".")[0]


def change_lines(before: Json, after: Json) -> list[Line]:
    """The fields that differ; what of them stayed is dim."""
    if before is None:
        return [line(span("of the definition before, only the digest was still held", Tone.WARN))]
    fields = changed(before, after)
    lines = [each for field in fields[:_FIELDS] for each in _field(field)]
    if len(fields) > _FIELDS:
        lines.append(line(span(f"… {len(fields) - _FIELDS:,} more fields", Tone.DIM)))
    return lines or [line(span("only the order or the kind of its values", Tone.DIM))]


def meanwhile_lines(trusted: Json, meanwhile: Json) -> list[Line]:
    """How a definition differed from the trusted one while it was another."""
    if trusted is None or meanwhile is None:
        return [line(span("only its digest was still held", Tone.WARN))]
    return change_lines(trusted, meanwhile)


def _field(field: Changed) -> list[Line]:
    name = span(field.path[:_PATH_CELLS] or "all of it", Tone.ACCENT)
    if field.before is None or field.after is None:
        is_gone = field.after is None
        word, sign = ("removed", "-") if is_gone else ("added", "+")
        text = (field.before if is_gone else field.after) or ""
        return [line(name, span(f"  {word}", Tone.DIM)), *_side(sign, [Piece(sign, text)])]
    both = pieces(field.before, field.after)
    return [line(name), *_side("-", both), *_side("+", both)]


def _side(sign: str, parts: Sequence[Piece]) -> list[Line]:
    """How the text was, or is: the words of that side and what stayed."""
    tone = Tone.BAD if sign == "-" else Tone.GOOD
    last = len(parts) - 1
    spans = [
        Piece(part.sign, _short(part.text, at > 0, at < last) if part.sign == " " else part.text)
        for at, part in enumerate(parts)
        if part.sign in (sign, " ")
    ]
    lines = [Line((span(f"{sign} ", tone), *row), 2) for row in _rows(spans, tone)]
    if len(lines) > _LINES:
        more = len(lines) - _LINES
        return [*lines[:_LINES], line(span(f"  … {more:,} more lines", Tone.DIM))]
    return lines


def _rows(parts: Sequence[Piece], tone: Tone) -> Iterator[list[Span]]:
    """The text broken at its own line ends."""
    row: list[Span] = []
    for part in parts:
        for at, text in enumerate(part.text.replace("\r\n", "\n").split("\n")):
            if at:
                yield row
                row = []
            row.append(span(text, Tone.DIM if part.sign == " " else tone))
    yield row


def _short(text: str, is_after: bool, is_before: bool) -> str:
    """What stayed, cut to what stands beside a change."""
    head, tail = _SAME if is_after else 0, _SAME if is_before else 0
    if len(text) <= head + tail + len(_CUT):
        return text
    return text[:head] + _CUT + (text[-tail:] if tail else "")
