"""The filter language: `tool:read sig:bad | sev>=high !dur<500ms "two words" re:/a.c/`.

A space is "and", `|` is "or", `!` is "not"; parentheses group; `@name` is a saved filter. With the same saved ones
`parse(str(query)) == query` for every query.
"""

from msgspec import Struct

from mcpwatch.watch.filter_parser import NO_FILTERS, BadQuery, Filters, read
from mcpwatch.watch.filter_words import WORDS
from mcpwatch.watch.nodes import Everything, Node, words_of
from mcpwatch.watch.row import Row
from mcpwatch.watch.state import State

__all__ = ["ALL", "NO_FILTERS", "BadQuery", "Filters", "Query", "check_saved", "help_rows", "parse"]


class Query(Struct, frozen=True):
    """A filter; equal when it asks the same in the same order."""

    root: Node = Everything()

    def matches(self, row: Row, state: State) -> bool:
        """Whether the row passes."""
        return self.root.test(row, state)

    def __str__(self) -> str:
        return str(self.root)

    def english(self) -> str:
        """The filter as a sentence without its full stop; quotes the operator's own text."""
        return self.root.english()

    @property
    def is_empty(self) -> bool:
        return isinstance(self.root, Everything)

    @property
    def is_timed(self) -> bool:
        """Whether a row's answer changes as time passes."""
        return any(word.timed for word in words_of(self.root))

    def asks(self, *names: str) -> bool:
        """Whether one of these words occurs in it."""
        return any(word.name in names for word in words_of(self.root))


ALL = Query()


def parse(text: str, saved: Filters = NO_FILTERS) -> Query:
    """Read a filter, with what `@name` stands for in it; BadQuery says where and why not."""
    return Query(read(text, saved, ()))


def check_saved(saved: Filters) -> None:
    """Raise BadQuery with the name of the first saved filter that is none."""
    for name, text in saved.items():
        try:
            read(text, saved, (name,))
        except BadQuery as bad:
            raise BadQuery(bad.position, bad.reason, name) from None


def help_rows() -> list[tuple[str, str]]:
    """The language for the help screen: what to type, what it means."""
    words = [(f"{word.name}:" if word.texts else f"{word.name}>", word.help) for word in WORDS]
    return [
        *words,
        ("word", "anywhere in the row: names, session, body"),
        ('"two words"', "quotes keep spaces and signs together"),
        ("tool=read", "the whole value, not a part of it"),
        ("a b", "both"),
        ("a | b", "either"),
        ("!a", "not"),
        ("( )", "group"),
        ("@name", "a filter saved under that name in the configuration"),
        ("re:/a.c/", "regular expression, on the first 2,000 characters (500 or fewer with two repeats)"),
    ]
