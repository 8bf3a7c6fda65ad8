"""What the prompt can ask for, and the sign that stands before what is typed."""

from enum import StrEnum


class Ask(StrEnum):
    """A kind of line; each has its own history."""

    COMMAND = "command"
    FILTER = "filter"
    FIND = "find"
    SEARCH = "search"
    NARROW = "narrow"


SIGNS = {Ask.COMMAND: ":", Ask.FILTER: "/", Ask.FIND: "find ", Ask.SEARCH: "/", Ask.NARROW: "/"}
KEPT = Ask.FILTER
"""Lines that are kept from one run to the next."""
OFFERED = frozenset({Ask.COMMAND, Ask.FILTER})
"""Lines over which it stands how they could go on."""
