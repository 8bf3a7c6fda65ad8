"""Looking for text on the pages of a screen."""

from collections.abc import Callable, Sequence

from mcpwatch.ui.widgets.page import Page


class Search:
    """The text last looked for, and where one stands among its matches."""

    def __init__(self, pages: Callable[[], Sequence[Page]], tell: Callable[[str], None]) -> None:
        """`pages` gives those that can be seen, in order."""
        self._pages = pages
        self._tell = tell
        self.needle = ""

    def mark(self, needle: str) -> int:
        """Mark it on every page; how many lines have it."""
        self.needle = needle
        return sum(page.search(needle) for page in self._pages())

    def clear(self) -> bool:
        """Forget it; whether there was anything."""
        had = bool(self.needle)
        self.mark("")
        return had

    def go(self, step: int) -> None:
        """To the next line that has it, or back, on this page or the one after; round at the end."""
        pages = list(self._pages())
        if not pages:
            self._tell("There is no page here to look on")
            return
        if any(page.needle != self.needle.lower() for page in pages):
            self.mark(self.needle)
        start = next((at for at, page in enumerate(pages) if page.has_focus), 0)
        number = pages[start].next_hit(step)
        at = start
        for turn in range(1, len(pages) + 1):
            if number is not None:
                break
            at = (start + step * turn) % len(pages)
            number = pages[at].first_hit(step)
        if number is None:
            self._tell(f"No line has “{self.needle}”{self._unseen(pages)}")
            return
        pages[at].focus()
        place = sum(page.hits for page in pages[:at]) + number
        lines = sum(page.hits for page in pages)
        self._tell(f"line {place:,} of {lines:,} with “{self.needle}”{self._unseen(pages)}")

    def _unseen(self, pages: Sequence[Page]) -> str:
        left = next((page.left_out for page in pages if page.left_out), "")
        return f"; not looked at: {left}" if left else ""
