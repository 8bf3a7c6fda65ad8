"""JSON laid out from its own characters, bit by bit: what comes twice, its order and its numbers stay as sent.

A decoder would drop the first of two members of one name, and round numbers; both are ways to say one thing to a
reader and another to a server. What is no JSON any more is shown as text from there on.
"""

from collections.abc import Iterator, Mapping
from enum import Enum

from mcpwatch.model.entries import MASK
from mcpwatch.text import Shown, show
from mcpwatch.ui.widgets.growing_outline import ROW, GrowingOutline, Opened
from mcpwatch.ui.widgets.json_pieces import MOST_LINES, at_once, decoded, holds_json, pieces, quoted, rests
from mcpwatch.ui.widgets.json_scan import Event, Token, scan
from mcpwatch.ui.widgets.lines import Tone
from mcpwatch.ui.widgets.outline import DEEPEST, Item, Kind

MOST_CHARACTERS = 1 << 20
"""Past these, or `MOST_LINES`, nothing is laid out."""
LONG = 400
"""Longer strings are folded past this, and drawn in pieces."""
_NAME = 200


class Cover(Enum):
    """How much of a text a signature covers."""

    UNSAID = None
    ALL = "all"
    NONE = "none"
    ARGUMENTS = "the tool's name and arguments"


_EVERYWHERE = {Cover.UNSAID: None, Cover.ALL: True, Cover.NONE: False}
_SIGNED_PARAMS = frozenset({"name", "arguments"})


class JsonOutline(GrowingOutline):
    """The lines of a JSON text, laid out as `read` is called."""

    def __init__(
        self,
        text: str,
        *,
        cover: Cover = Cover.UNSAID,
        masked: bool = False,
        sources: Mapping[str, str] | None = None,
    ) -> None:
        """`masked` says that values were replaced; `sources` say by place in `params` where a value came from."""
        super().__init__()
        self._text = text[:MOST_CHARACTERS]
        self._size = len(text)
        self._cover = cover
        self._masked = masked
        self._sources = {} if sources is None else sources
        self._is_cut = False
        self._inside = False
        self._inner = ""
        """JSON that the string before holds."""
        self._at = 0
        self._steps: Iterator[int] | None = self._lay()

    def read(self, steps: int) -> bool:
        """Lay out some more; True while something is left."""
        if self._steps is None:
            return False
        count, done = len(self.items), 0
        while done < steps:
            cost = next(self._steps, 0)
            if not cost:
                self._steps = None
                break
            done += cost
        self.version += len(self.items) != count or self._steps is None
        return self._steps is not None

    @property
    def left_out(self) -> str:
        """What was not laid out."""
        if self._steps is not None:
            return f"what comes after the first {self._at:,} of {self._size:,} characters, which is being laid out"
        return self._left_out

    def _lay(self) -> Iterator[int]:
        """Lay out everything; each step tells what it cost, in tokens."""
        yield from self._scan(self._text)
        yield from self._lay_rest()
        if self._size > len(self._text):
            self._cut(len(self._text))
        for opened in reversed(self._stack):
            self._end(opened.at)

    def _scan(self, text: str) -> Iterator[int]:
        for token in scan(text):
            if not self._inside:
                self._at = token.at
            if len(self.items) >= MOST_LINES:
                self._cut(self._at)
                return
            if token.event is Event.FAULT:
                self._fault(text, token)
                return
            self._take(token)
            yield 1
            yield from self._lay_rest()
            if self._inner:
                yield from self._lay_inner()

    def _take(self, token: Token) -> None:
        event, text = token.event, token.text
        if event is Event.NAME:
            name = decoded(text)
            self._step, self._head = name, Shown(f"{show(quoted(name[:_NAME]))}{'…' * (len(name) > _NAME)}: ")
            if len(name) > _NAME:
                self._left_out = self._left_out or f"{len(name) - _NAME:,} characters of a long name"
        elif event is Event.OPEN:
            self._open(text)
        elif event is Event.CLOSE:
            self._close(text)
        elif event is Event.STRING:
            self._string(decoded(text))
        elif event is Event.OTHER:
            self._add(Kind.LEAF, Shown(text), Tone.ACCENT)
        elif self._last is not None:
            self._last.tail = ","

    def _lay_inner(self) -> Iterator[int]:
        """JSON in a string, which is how tools often answer."""
        inner, self._inner = self._inner, ""
        depth, last = len(self._stack), self._last
        self._stack.append(Opened(len(self.items) - 1, False, self._step))
        self._inside = True
        yield from self._scan(inner)
        self._inside, self._last = False, last
        # More than one where there were too many lines.
        while len(self._stack) > depth:
            self._end(self._stack.pop().at)

    def _string(self, value: str) -> None:
        if len(value) > ROW and not self._inside and holds_json(value):
            self._say(self._add(Kind.TEXT, Shown("JSON in a string"), Tone.DIM), value)
            self._inner = value
        elif "\n" in value.strip():
            lines = pieces(value)
            self._say(self._add(Kind.TEXT, show(f"text of {len(lines):,} lines"), Tone.DIM), value)
            self._block(lines)
        else:
            self._say(self._add(Kind.LEAF, show(quoted(value[:LONG]))), value)
            self._piece = value[:LONG]
            self._fold(rests(value, LONG), f"{len(value) - LONG:,} more characters")

    # -- what we say of them

    def _say(self, item: Item, value: str) -> None:
        """Whether the value was masked, or where it came from."""
        masked = "  masked" if self._masked and MASK in value else ""
        source = self._sources.get(self._place(), "") if self._sources else ""
        item.note = show(f"{masked}  ← {source}" if source else masked)

    def _place(self) -> str:
        """The way to the next line, from the parameters on: `arguments.path[0]`; empty where it is deep."""
        if len(self._stack) > DEEPEST:
            return ""
        steps = [*(opened.step for opened in self._stack[1:]), self._step]
        if "params" not in steps:
            return ""
        steps = steps[steps.index("params") + 1 :]
        return "".join(f".{step}" if isinstance(step, str) else f"[{step}]" for step in steps).removeprefix(".")

    def _covered(self) -> bool | None:
        if self._cover is not Cover.ARGUMENTS:
            return _EVERYWHERE[self._cover]
        steps = [*(opened.step for opened in self._stack[1:3]), self._step]
        return len(steps) > 1 and steps[0] == "params" and steps[1] in _SIGNED_PARAMS

    # -- where it ends too soon

    def _cut(self, at: int) -> None:
        if self._is_cut:
            return
        self._is_cut = True
        self._left_out = f"what comes after the first {at:,} of {self._size:,} characters"
        self._add(Kind.LEAF, show(f"… {self._left_out} is not laid out"), Tone.WARN)

    def _fault(self, text: str, token: Token) -> None:
        """The rest as text, and why."""
        is_cut = self._size > len(text) == MOST_CHARACTERS
        if self._head:
            self._add(Kind.LEAF, Shown(""))
        if token.at and not is_cut:
            why = f"✗ not JSON from character {token.at:,} on, where {token.text} may stand; the rest as text"
            self._add(Kind.LEAF, show(why), Tone.WARN)
        rest = pieces(text[token.at :])
        some = at_once(rest)
        for each in rest[:some]:
            self._add_piece(each, show(each))
        self._fold(rest[some:], f"{len(rest) - some:,} more lines")
