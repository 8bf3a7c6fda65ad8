"""Reasons of a screen's own to show nothing: what was asked for is not among what there is."""

from typing import NamedTuple

from mcpwatch.model.traffic import Session, SessionState
from mcpwatch.text import count
from mcpwatch.ui.pages.lacks import Step
from mcpwatch.watch.past_view import PastView
from mcpwatch.watch.view import View

_HELD = "The oldest entries leave when memory is full; what was counted of them stays, and so do alerts."
_ALL = Step("show all", command="back")


class Reason(NamedTuple):
    """Why nothing is shown, whatever the feeds' state, and what to do about it."""

    head: str
    why: str = ""
    steps: tuple[Step, ...] = ()


GONE = Reason(
    "These entries are not held any more",
    _HELD,
    (Step("hold more of them", "rows under [watch] in the config"), Step("keep all", "mcpwatch record -o FILE")),
)


def narrowed(text: str, of: int, *, is_done: bool) -> Reason:
    """Of a list whose rows were to have a text."""
    if not is_done:
        return Reason(f"Looking through {of:,} for “{text}”")
    return Reason(
        f"None of {of:,} has “{text}”",
        "Names, ids and notes are looked at; numbers and ages are not.",
        (Step("change the text", command="narrow"), _ALL),
    )


def of_one(thing: str, whose: str) -> Reason:
    """Of a list that shows what belongs to one alone."""
    return Reason(f"No {thing} of {whose}", "", (_ALL,))


def unmatched(view: View) -> Reason | None:
    """Of a view whose filter lets nothing through; None where there is no filter, or nothing to let through."""
    if view.query.is_empty or not len(view.state.rows):
        return None
    return Reason(
        "Nothing matches so far, and older entries are still looked at" if view.is_filling else "Nothing matches",
        f"The filter asks for entries where {view.query.english()}.",
        (Step("change the filter", command="filter"), Step("take it off", command="back")),
    )


def unseen(view: PastView) -> Reason | None:
    """Of Live: the filter, the place in the past, the freeze, or what is left out."""
    if (reason := unmatched(view)) is not None:
        return reason
    held = len(view.state.rows)
    if view.is_past:
        return Reason("Nothing came before this place", "", (Step("back to the present", command="follow"),))
    if view.frozen:
        return Reason(
            f"Held still before anything came; {view.pending:,} to show", "", (Step("let it go on", command="freeze"),)
        )
    if held and not len(view):
        return Reason(
            f"{count(held, 'entry')}, of which none says what was asked or answered",
            "Heads of good answers and quiet ends are left out.",
            (Step("show them", command="plumbing"),),
        )
    return None


def without_calls(session: Session) -> Reason | None:
    """Of a session that is over; one that goes on may still have calls."""
    if session.state is not SessionState.ENDED:
        return None
    return Reason(
        "No call was made in this session, and it is over", "", (Step("look at its entries", command="view"),)
    )


def without_entries(view: View) -> Reason:
    """Of a session's entries: the filter lets none through, or none is held."""
    return unmatched(view) or GONE
