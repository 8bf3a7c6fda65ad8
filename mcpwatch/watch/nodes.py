"""The filter language as a tree: each node tests a row, prints itself, and says itself in English."""

import operator
from collections.abc import Callable, Iterator

from msgspec import Struct

from mcpwatch.watch.filter_values import plain
from mcpwatch.watch.filter_words import BY_NAME, FilterWord
from mcpwatch.watch.pattern import found
from mcpwatch.watch.row import Row
from mcpwatch.watch.state import State

COMPARISONS: dict[str, tuple[Callable[[float, float], bool], str]] = {
    "<": (operator.lt, "less than"),
    "<=": (operator.le, "at most"),
    ">": (operator.gt, "more than"),
    ">=": (operator.ge, "at least"),
}
DELIMITERS = frozenset('()|"')


class Everything(Struct, frozen=True):
    """The empty filter."""

    def test(self, row: Row, state: State) -> bool:
        return True

    def __str__(self) -> str:
        return ""

    def english(self) -> str:
        return "everything"


class Contains(Struct, frozen=True):
    """A bare word: it occurs in the row's text, whatever its case."""

    needle: str
    """Case-folded."""

    def test(self, row: Row, state: State) -> bool:
        return self.needle in row.text.casefold()

    def __str__(self) -> str:
        looks_special = self.needle.startswith(("!", "@", "re:")) or any(char in "<>=:" for char in self.needle)
        return quote(self.needle, force=looks_special)

    def english(self) -> str:
        return f"it contains “{self.needle}”"


class Matches(Struct, frozen=True):
    """`re:/…/`: a regular expression occurs in the row's text, whatever its case."""

    pattern: str

    def test(self, row: Row, state: State) -> bool:
        return found(self.pattern, row.text)

    def __str__(self) -> str:
        return f"re:/{self.pattern.replace('/', chr(92) + '/')}/"

    def english(self) -> str:
        return f"it matches /{self.pattern}/"


class Is(Struct, frozen=True):
    """`word:value` or, with `exact`, `word=value`."""

    word: str
    value: str
    """Case-folded."""
    exact: bool = False

    def test(self, row: Row, state: State) -> bool:
        word, value = BY_NAME[self.word], self.value
        if word.texts is None:
            return False
        if word.choices:
            value = plain(value)
            if self.exact:
                return any(text == value for text in word.texts(row, state))
            return any(text.startswith(value) for text in word.texts(row, state))
        if self.exact or word.whole:
            return any(text.casefold() == value for text in word.texts(row, state))
        return any(value in text.casefold() for text in word.texts(row, state))

    def __str__(self) -> str:
        return f"{self.word}{'=' if self.exact else ':'}{quote(self.value)}"

    def english(self) -> str:
        word = BY_NAME[self.word]
        verb = "is" if self.exact or word.whole or word.choices else "contains"
        return f"{word.english} {verb} “{self.value}”"


class Compare(Struct, frozen=True):
    """`word>value` and its kin; a row without the number does not pass."""

    word: str
    sign: str
    value: str
    """Case-folded, as typed."""

    def test(self, row: Row, state: State) -> bool:
        word = BY_NAME[self.word]
        if word.number is None or word.read is None:
            return False
        number, limit = word.number(row, state), word.read(self.value)
        return number is not None and limit is not None and COMPARISONS[self.sign][0](number, limit)

    def __str__(self) -> str:
        return f"{self.word}{self.sign}{self.value}"

    def english(self) -> str:
        return f"{BY_NAME[self.word].english} is {COMPARISONS[self.sign][1]} {self.value}"


class Not(Struct, frozen=True):
    """`!part`."""

    part: "Node"

    def test(self, row: Row, state: State) -> bool:
        return not self.part.test(row, state)

    def __str__(self) -> str:
        return f"!{_wrap(self.part, Both, Either)}"

    def english(self) -> str:
        return f"not ({self.part.english()})"


class Both(Struct, frozen=True):
    """`part part ...`: all of them."""

    parts: tuple["Node", ...]

    def test(self, row: Row, state: State) -> bool:
        return all(part.test(row, state) for part in self.parts)

    def __str__(self) -> str:
        return " ".join(_wrap(part, Either) for part in self.parts)

    def english(self) -> str:
        return " and ".join(
            f"({part.english()})" if isinstance(part, Either) else part.english() for part in self.parts
        )


class Either(Struct, frozen=True):
    """`part | part ...`: at least one of them."""

    parts: tuple["Node", ...]

    def test(self, row: Row, state: State) -> bool:
        return any(part.test(row, state) for part in self.parts)

    def __str__(self) -> str:
        return " | ".join(map(str, self.parts))

    def english(self) -> str:
        return " or ".join(f"({part.english()})" if isinstance(part, Both) else part.english() for part in self.parts)


class Saved(Struct, frozen=True):
    """`@name`: a filter that goes by a name."""

    name: str
    node: "Node"
    """What it stands for."""

    def test(self, row: Row, state: State) -> bool:
        return self.node.test(row, state)

    def __str__(self) -> str:
        return f"@{self.name}"

    def english(self) -> str:
        return f"({self.node.english()})" if isinstance(self.node, Both | Either) else self.node.english()


Node = Everything | Contains | Matches | Is | Compare | Not | Both | Either | Saved


def words_of(node: Node) -> Iterator[FilterWord]:
    """The words of the table that a tree asks about."""
    match node:
        case Is() | Compare():
            yield BY_NAME[node.word]
        case Not():
            yield from words_of(node.part)
        case Saved():
            yield from words_of(node.node)
        case Both() | Either():
            for part in node.parts:
                yield from words_of(part)


def count_terms(node: Node) -> int:
    """How many terms are tested at most for one row."""
    match node:
        case Not():
            return count_terms(node.part)
        case Saved():
            return count_terms(node.node)
        case Both() | Either():
            return sum(map(count_terms, node.parts))
        case _:
            return 1


def quote(text: str, *, force: bool = False) -> str:
    """A value as it is typed: in quotes where it has to be."""
    if text and not force and not any(char.isspace() or char in DELIMITERS for char in text):
        return text
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _wrap(node: Node, *kinds: type[Struct]) -> str:
    return f"({node})" if isinstance(node, kinds) else str(node)
