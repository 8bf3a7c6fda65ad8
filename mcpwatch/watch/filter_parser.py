"""Reads the filter language into a tree; says where a text stops being a filter."""

import re
from collections.abc import Mapping
from difflib import get_close_matches

from mcpwatch.watch.filter_values import plain
from mcpwatch.watch.filter_words import BY_NAME, FilterWord
from mcpwatch.watch.nodes import (
    COMPARISONS,
    DELIMITERS,
    Both,
    Compare,
    Contains,
    Either,
    Everything,
    Is,
    Matches,
    Node,
    Not,
    Saved,
    count_terms,
)
from mcpwatch.watch.pattern import BadPattern, compile_pattern

MAX_QUERY = 1_000
MAX_DEPTH = 32
MAX_TERMS = 500
"""Terms of a filter with all that its saved filters stand for."""
MAX_SAVED = 8
"""Saved filters within each other."""

Filters = Mapping[str, str]
"""Saved filters: name -> text."""
NO_FILTERS: Filters = {}

LITERAL = frozenset(["did", "http", "https", "urn", "file", "key", "mcp"])
"""Names before a colon that begin what people paste, and not a word of ours."""

_PLACE = 20
"""Characters that show where a mistake is."""
_SAVED = re.compile(r'@([A-Za-z0-9][A-Za-z0-9_-]{0,39})(?=[\s()|"]|\Z)')
_TERM = re.compile(r"([^\W\d_]+)(<=|>=|[:=<>])")


class BadQuery(ValueError):
    """The text is not a filter; `position` is the character where it stops being one."""

    def __init__(self, position: int, reason: str, saved: str = "") -> None:
        """`saved` names the saved filter that it is about, if it is one."""
        super().__init__(reason)
        self.position = position
        self.reason = reason
        self.saved = saved

    def told(self, text: str) -> str:
        """The reason, and the place in the text that it is about."""
        place = text[self.position : self.position + _PLACE].strip()
        return f"{self.reason} (at “{place}”)" if place else f"{self.reason} (at the end)"


def read(text: str, saved: Filters, within: tuple[str, ...]) -> Node:
    """The tree of a filter that stands `within` saved ones, the outermost first."""
    if len(text) > MAX_QUERY:
        raise BadQuery(MAX_QUERY, f"a filter has at most {MAX_QUERY} characters")
    node = _Parser(text, saved, within).query()
    if count_terms(node) > MAX_TERMS:
        raise BadQuery(0, f"more than {MAX_TERMS} things to look for, with what its saved filters stand for")
    return node


class _Parser:
    def __init__(self, text: str, saved: Filters, within: tuple[str, ...]) -> None:
        self.text = text
        self.saved = saved
        self.within = within
        self.at = 0
        self.depth = 0

    def query(self) -> Node:
        self._space()
        if self.at == len(self.text):
            return Everything()
        node = self._either()
        if self.at < len(self.text):
            raise BadQuery(self.at, "this ) closes nothing")
        return node

    def _either(self) -> Node:
        parts = [self._both()]
        while self._take("|"):
            parts.append(self._both())
        flat = [part for node in parts for part in (node.parts if isinstance(node, Either) else (node,))]
        return flat[0] if len(flat) == 1 else Either(tuple(flat))

    def _both(self) -> Node:
        parts: list[Node] = []
        self._space()
        while self.at < len(self.text) and self.text[self.at] not in "|)":
            parts.append(self._not())
            self._space()
        if not parts:
            raise BadQuery(self.at, "something to look for is missing here")
        flat = [part for node in parts for part in (node.parts if isinstance(node, Both) else (node,))]
        return flat[0] if len(flat) == 1 else Both(tuple(flat))

    def _not(self) -> Node:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise BadQuery(self.at, f"more than {MAX_DEPTH} levels deep")
        start = self.at
        if self._take("!"):
            self._space()
            if self.at == len(self.text) or self.text[self.at] in "|)":
                raise BadQuery(start, "! needs something to turn round")
            node: Node = Not(self._not())
        elif self._take("("):
            node = self._either()
            if not self._take(")"):
                raise BadQuery(start, "this ( is not closed")
        else:
            node = self._term()
        self.depth -= 1
        return node

    def _term(self) -> Node:
        start = self.at
        if self.text.startswith("re:/", start):
            return self._pattern()
        if kept := _SAVED.match(self.text, start):
            self.at = kept.end()
            return self._saved(start, kept[1])
        match = _TERM.match(self.text, start)
        if match is None or match[1].casefold() in LITERAL:
            return Contains(self._value().casefold())
        name, sign = match[1].casefold(), match[2]
        word = BY_NAME.get(name)
        if word is None:
            raise BadQuery(start, _unknown(match[1], sign))
        self.at = match.end()
        if self.at == len(self.text) or self.text[self.at].isspace() or self.text[self.at] in "()|":
            raise BadQuery(self.at, f"{name}{sign} needs a value")
        place = self.at
        value = self._value().casefold()
        if sign in COMPARISONS:
            return _compare(word, sign, value, place)
        return _is(word, sign, value, place)

    def _saved(self, start: int, name: str) -> Node:
        if name not in self.saved:
            close = get_close_matches(name, list(self.saved), n=1, cutoff=0.6)
            hint = f"did you mean @{close[0]}?" if close else f'to search for it, quote it: "@{name}"'
            raise BadQuery(start, f"there is no saved filter @{name}; {hint}")
        if name in self.within:
            way = " → ".join(f"@{each}" for each in (*self.within[self.within.index(name) :], name))
            raise BadQuery(start, f"@{name} stands for itself: {way}")
        if len(self.within) == MAX_SAVED:
            raise BadQuery(start, f"more than {MAX_SAVED} saved filters within each other")
        try:
            return Saved(name, read(self.saved[name], self.saved, (*self.within, name)))
        except BadQuery as bad:
            reason = bad.reason if bad.saved else f"@{name}: {bad.reason} (at its character {bad.position + 1})"
            raise BadQuery(start, reason, bad.saved or name) from None

    def _pattern(self) -> Node:
        start = self.at
        pattern: list[str] = []
        self.at += len("re:/")
        while self.at < len(self.text) and self.text[self.at] != "/":
            pair = self.text[self.at : self.at + 2]
            step = pair if pair[0] == "\\" else pair[0]
            pattern.append("/" if step == "\\/" else step)
            self.at += len(step)
        if self.at == len(self.text):
            raise BadQuery(start, "the regular expression needs a closing /")
        self.at += 1
        try:
            compile_pattern("".join(pattern))
        except BadPattern as error:
            raise BadQuery(start, str(error)) from None
        return Matches("".join(pattern))

    def _value(self) -> str:
        start = self.at
        if self.text[start] != '"':
            while (
                self.at < len(self.text) and not self.text[self.at].isspace() and self.text[self.at] not in DELIMITERS
            ):
                self.at += 1
            return self.text[start : self.at]
        taken: list[str] = []
        self.at += 1
        while self.at < len(self.text) and self.text[self.at] != '"':
            if self.text[self.at] == "\\" and self.text[self.at + 1 : self.at + 2] in ("\\", '"'):
                self.at += 1
            taken.append(self.text[self.at])
            self.at += 1
        if self.at == len(self.text):
            raise BadQuery(start, "this quote is not closed")
        self.at += 1
        if not taken:
            raise BadQuery(start, "there is nothing between the quotes")
        return "".join(taken)

    def _take(self, sign: str) -> bool:
        self._space()
        if not self.text.startswith(sign, self.at):
            return False
        self.at += 1
        return True

    def _space(self) -> None:
        while self.at < len(self.text) and self.text[self.at].isspace():
            self.at += 1


def _is(word: FilterWord, sign: str, value: str, place: int) -> Node:
    if word.texts is None:
        raise BadQuery(place, f"{word.name} takes a comparison: {word.unit}")
    if word.choices and not (word.extra and word.extra.fullmatch(value)):
        wanted = plain(value)
        known = [plain(choice) for choice in word.choices]
        if not wanted or not any(choice == wanted if sign == "=" else choice.startswith(wanted) for choice in known):
            raise BadQuery(place, f"{word.name} is not “{value}”{_meant(wanted, known, 'one of')}")
    return Is(word.name, value, sign == "=")


def _compare(word: FilterWord, sign: str, value: str, place: int) -> Node:
    if word.read is None:
        raise BadQuery(place, f"{word.name} cannot be compared; {word.name}:{value} looks for it")
    if word.read(value) is None:
        raise BadQuery(place, f"“{value}” is not {word.unit}")
    return Compare(word.name, sign, value)


def _unknown(name: str, sign: str) -> str:
    close = get_close_matches(name.casefold(), list(BY_NAME), n=1, cutoff=0.6)
    hint = f"did you mean {close[0]}{sign}?" if close else f'to search for it, quote it: "{name}{sign}…"'
    return f"unknown word '{name}{sign}'; {hint}"


def _meant(wanted: str, known: list[str], otherwise: str) -> str:
    close = get_close_matches(wanted, known, n=1, cutoff=0.6)
    return f"; did you mean {close[0]}?" if close else f"; {otherwise} {', '.join(known)}"
