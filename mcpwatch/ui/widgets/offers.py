"""What a line that is being typed could go on as."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from mcpwatch.text import cut, show
from mcpwatch.ui.widgets.lines import SPACE, Line, Tone, line, span
from mcpwatch.ui.widgets.ribbon import spread
from mcpwatch.watch.complete import complete
from mcpwatch.watch.query import BadQuery, parse
from mcpwatch.watch.view import View
from mcpwatch.watch.watcher import Watcher

MAX_OFFERS = 8
COUNTED = 1_000
"""Entries, of the newest, that a filter is counted on before it is chosen."""
_LABEL = 30
"""Cells of what is offered."""


class Offer(NamedTuple):
    """One way to go on."""

    text: str
    """The whole line."""
    label: str
    """What is put at its end."""
    found: int | None = None
    """Entries that it would let through, where it is a filter already."""
    is_begun: bool = False
    """Something has to follow."""


Completer = Callable[[str], Sequence[Offer]]
"""The ways to go on from a beginning, the likeliest first."""


def no_offers(text: str) -> Sequence[Offer]:
    """Nothing to go on with: for lines that may hold any text."""
    return ()


def filter_offers(text: str, watcher: Watcher, view: View | None = None, before: str = "") -> list[Offer]:
    """Ways to go on with a filter that follows `before` on its line, with what they would show in a view."""
    offers: list[Offer] = []
    for candidate in complete(text, watcher.state, watcher.filters):
        whole = candidate.apply(text)
        # What the traffic offers may hold anything; only what can be drawn as it is may be typed for somebody.
        if whole == text or show(whole) != whole:
            continue
        try:
            query = parse(whole, watcher.filters)
        except BadQuery:
            offers.append(Offer(before + whole, candidate.text, is_begun=True))
        else:
            count = view.would_show(query, COUNTED) if view is not None else None
            offers.append(Offer(before + whole, candidate.text, count))
        if len(offers) == MAX_OFFERS:
            break
    return offers


def offers_line(offers: Sequence[Offer], chosen: int, cells: int) -> Line:
    """As many of the offers as fit, the chosen one first, and what the counts are of."""
    is_part = any(offer.found is not None for offer in offers)
    of = line(span(f"in the newest {COUNTED:,}", Tone.DIM)) if is_part else Line(())
    drawn: list[Line] = []
    for at, offer in enumerate(offers):
        label = span(cut(show(offer.label), _LABEL), Tone.ACCENT if at == chosen else Tone.PLAIN)
        count = () if offer.found is None else (SPACE, span(f"{offer.found:,}", Tone.DIM))
        drawn.append(Line((label, *count)))
    shown = drawn[chosen:] + drawn[:chosen]
    return spread([line(span("tab", Tone.DIM), SPACE, *shown[0].spans), *shown[1:]], of, cells) if shown else Line(())
