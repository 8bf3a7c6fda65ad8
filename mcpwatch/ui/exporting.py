"""Exporting from the screen: what a filter lets through of what is held, in a new file."""

import io
import re
import time
from pathlib import Path

from mcpwatch.errors import LocalError
from mcpwatch.export.export import FORMATS, PROVABLE, Export
from mcpwatch.export.head import Head
from mcpwatch.files import new_private
from mcpwatch.watch.query import Query
from mcpwatch.watch.slices import in_slices
from mcpwatch.watch.state import State

ENDINGS = {".jsonl": PROVABLE, ".csv": "csv", ".md": "markdown", ".har": "har"}
"""How a file's name ends -> the format it is written in."""
assert set(ENDINGS.values()) == set(FORMATS)  # noqa: S101
_MAX_NAME = 40


def proposed(filter: str) -> str:
    """A name for a file, after what goes into it and the time."""
    words = re.sub(r"[^a-z0-9]+", "-", filter.casefold()).strip("-")[:_MAX_NAME].strip("-")
    return f"mcpwatch-{words or 'all'}-{time.strftime('%Y%m%d-%H%M%S')}{next(iter(ENDINGS))}"


def following(name: str) -> str:
    """The same file in the next format."""
    endings = list(ENDINGS)
    ending = next((each for each in endings if name.endswith(each)), "")
    at = endings.index(ending) + 1 if ending else 0
    return name.removesuffix(ending) + endings[at % len(endings)]


def format_of(name: str) -> str:
    """The format that a file's name asks for; empty for none that there is."""
    return next((format for ending, format in ENDINGS.items() if name.endswith(ending)), "")


def path_of(name: str) -> Path:
    """The file of a name that was typed; raises LocalError for one that no file can have."""
    try:
        path = Path(name).expanduser()
    except RuntimeError:
        raise LocalError(f"{name} begins with a user that there is not") from None
    if not name.isprintable():
        raise LocalError(f"{name} holds what cannot be drawn")
    return path


async def export(state: State, query: Query, path: Path) -> Head:
    """Write the entries that are held and pass, those that are pinned as evidence among them, and say of what.

    Raises LocalError where there is a file of that name already, and where it cannot be made.
    """
    rows = {(row.source, row.index): row for row in (*state.pinned, *state.rows)}
    with new_private(path) as file, Export(format_of(path.name), state, query, filter=str(query)) as exported:
        out = io.TextIOWrapper(file, encoding="utf-8", newline="")
        await in_slices(exported.take, sorted(rows.values(), key=lambda row: row.seq))
        told = exported.finish()
        await in_slices(out.write, exported.texts(told))
        out.flush()
        out.detach()
    return told
