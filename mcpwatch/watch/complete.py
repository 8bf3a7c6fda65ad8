"""What the text before the cursor could go on as."""

import re
from collections.abc import Iterable

from msgspec import Struct

from mcpwatch.watch.filter_words import BY_NAME, WORDS, FilterWord
from mcpwatch.watch.nodes import quote
from mcpwatch.watch.query import NO_FILTERS, Filters
from mcpwatch.watch.state import State

MAX_CANDIDATES = 50

_LAST = re.compile(r'(?:[^\s()|"]|"(?:\\.|[^"\\])*"?)*\Z')
_TERM = re.compile(r"([a-z]+)(<=|>=|[:=<>])(.*)\Z", re.DOTALL)


class Candidate(Struct, frozen=True):
    """One way to go on: the text from `start` to the end becomes `text`."""

    start: int
    text: str
    """May quote untrusted text."""
    help: str = ""

    def apply(self, typed: str) -> str:
        """The whole text with the candidate in place."""
        return typed[: self.start] + self.text


def complete(typed: str, state: State, saved: Filters = NO_FILTERS) -> list[Candidate]:
    """Candidates for the last term of `typed`, at most 50: words, saved filters, values in the traffic at hand."""
    match = _LAST.search(typed)
    start = match.start() if match else len(typed)
    while typed.startswith("!", start):
        start += 1
    term = _TERM.match(typed, start)
    if term is None:
        names = [word for word in WORDS if word.name.startswith(typed[start:].casefold())]
        words = [Candidate(start, f"{word.name}{':' if word.texts else '>'}", word.help) for word in names]
        begun = typed[start:]
        kept = [Candidate(start, f"@{name}", text) for name, text in saved.items() if f"@{name}".startswith(begun)]
        return [*words, *kept][:MAX_CANDIDATES]
    word = BY_NAME.get(term[1])
    if word is None:
        return []
    begun = term[3].removeprefix('"').casefold()
    values = sorted(
        value for value in set(_values(word, term[2], state)) if value and value.casefold().startswith(begun)
    )
    return [Candidate(start, f"{term[1]}{term[2]}{quote(value)}") for value in values[:MAX_CANDIDATES]]


def _values(word: FilterWord, sign: str, state: State) -> Iterable[str]:
    if sign in (":", "="):
        return word.choices or (word.hints(state) if word.hints else ())
    return word.choices if word.read is not None and any(word.read(choice) for choice in word.choices) else ()
