"""Where each key of a TOML file stands, which tomllib does not tell."""

import contextlib
import re
import tomllib
from collections.abc import Iterator

from mcpwatch.toml_text import BARE, Path, Place, place_at

_BLANK = re.compile(r"(?:[ \t\n]|#[^\n]*)*")
_STRING = re.compile(
    r'"""(?:[^\\]|\\.)*?"""(?:"{0,2})(?!")' + r"|'''.*?'''(?:'{0,2})(?!')" + r'|"(?:[^"\\\n]|\\.)*"' + r"|'[^'\n]*'",
    re.DOTALL,
)
_PLAIN = re.compile(r"[^,\]}#\n]+")


def place_of(text: str, path: Path) -> Place | None:
    """Where the key, table or element of a list begins, or where it is not there what holds it.

    `text` is TOML that `read` takes; None where nothing of the path is found.
    """
    text = text.replace("\r\n", "\n")
    scan = _Scan(text)
    with contextlib.suppress(RecursionError, _Lost):
        scan.run()
    found = scan.found
    at = next((found[path[:end]] for end in range(len(path), 0, -1) if path[:end] in found), None)
    return None if at is None else place_at(text, at)


class _Lost(Exception):
    """The text is not what the scan takes it for."""


class _Scan:
    """Walks a document that tomllib has read already, and so need not check."""

    def __init__(self, text: str) -> None:
        self.found: dict[Path, int] = {}
        """Where what a path leads to begins: the offset of its character."""
        self._text = text
        self._at = 0
        self._lists: dict[Path, int] = {}
        """Lists of tables -> how many there are so far."""

    def run(self) -> None:
        table: Path = ()
        while self._next():
            if self._take("[["):
                table = self._header(is_list=True)
            elif self._take("["):
                table = self._header(is_list=False)
            else:
                self._pair(table)

    def _header(self, is_list: bool) -> Path:
        self._next()
        start = self._at
        path = self._key(())
        if is_list:
            count = self._lists[path] = self._lists.get(path, -1) + 1
            path = (*path, count)
        for end in range(1, len(path) + 1):
            self._note(path[:end], start)
        if not self._take("]]" if is_list else "]"):
            raise _Lost
        return path

    def _pair(self, table: Path) -> None:
        start = self._at
        path = self._key(table)
        for end in range(len(table) + 1, len(path) + 1):
            self._note(path[:end], start)
        if not self._take("="):
            raise _Lost
        self._value(path)

    def _key(self, path: Path) -> Path:
        while True:
            self._next()
            match = _STRING.match(self._text, self._at) or BARE.match(self._text, self._at)
            if match is None:
                raise _Lost
            self._at = match.end()
            word = match[0]
            name = tomllib.loads(f"v = {word}")["v"] if word[0] in "\"'" else word
            path = (*path, name)
            if path in self._lists:
                path = (*path, self._lists[path])
            self._next()
            if not self._take("."):
                return path[:-1] if isinstance(path[-1], int) else path

    def _value(self, path: Path) -> None:
        self._next()
        if self._take("["):
            for index in self._until("]"):
                self._note((*path, index), self._at)
                self._value((*path, index))
        elif self._take("{"):
            for _ in self._until("}"):
                self._pair(path)
        else:
            match = _STRING.match(self._text, self._at) or _PLAIN.match(self._text, self._at)
            if match is None:
                raise _Lost
            self._at = match.end()

    def _until(self, end: str) -> Iterator[int]:
        index = 0
        while self._next() and not self._take(end):
            yield index
            index += 1
            self._next()
            self._take(",")

    def _next(self) -> bool:
        """Go to what stands next; False at the end."""
        match = _BLANK.match(self._text, self._at)
        self._at = match.end() if match else self._at
        return self._at < len(self._text)

    def _take(self, mark: str) -> bool:
        if not self._text.startswith(mark, self._at):
            return False
        self._at += len(mark)
        return True

    def _note(self, path: Path, at: int) -> None:
        self.found.setdefault(path, at)
