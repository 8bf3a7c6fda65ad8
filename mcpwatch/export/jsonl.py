"""JSON lines: the export's head, then one entry a line with its leaf, which whoever holds the log can check."""

import base64
import json
from collections.abc import Iterable

from msgspec import Struct, structs

from mcpwatch.export.head import Head
from mcpwatch.export.writer import Covered, Piece
from mcpwatch.feed.merkle import leaf_hash
from mcpwatch.model.entries import Json
from mcpwatch.watch.json_lines import EntryLine, entry_line
from mcpwatch.watch.printer import encode
from mcpwatch.watch.row import Row
from mcpwatch.watch.state import State


class ExportedEntry(EntryLine, frozen=True, tag="entry", kw_only=True):
    """An entry with all that a line of `tail --json` says of it, and the octets that the log holds of it."""

    leaf: str | None
    """The leaf as text; null where it is not UTF-8."""
    leaf_base64: str | None
    """The leaf where it is not UTF-8."""
    leaf_hash: str
    """SHA-256(0x00 || leaf), base64."""
    inclusion: tuple[str, ...] | None = None
    """With `--proofs`: the path to the head's checkpoint, lowest hash first, base64; null where it is not covered."""


class JsonlWriter:
    """Writes JSON lines."""

    def row(self, row: Row, state: State, passes: bool) -> Iterable[Piece]:
        """A line for each entry that passes."""
        if passes:
            yield Piece(row.source, row.index, encode(exported_entry(row, state)))

    def rest(self, state: State) -> Iterable[Piece]:
        """Nothing is held back."""
        return ()

    def head(self, head: Head) -> str:
        """The head, as the first line."""
        return f"{encode(head)}\n"

    def sealed(self, piece: Piece, covered: Covered) -> str:
        """The line with what is proven now, not when it was made."""
        line: dict[str, Json] = json.loads(piece.text)
        line["proven"] = covered.is_proven
        line["inclusion"] = None if covered.path is None else [_base64(node) for node in covered.path]
        return f"{encode(line)}\n"

    def foot(self, head: Head, state: State) -> str:
        """None: each line stands for itself."""
        return ""


def exported_entry(row: Row, state: State) -> ExportedEntry:
    """A row as it stands now, with its leaf."""
    leaf = row.entry.leaf
    text = _text(leaf)
    return ExportedEntry(
        **_fields(entry_line(row, state)),
        leaf=text,
        leaf_base64=_base64(leaf) if text is None else None,
        leaf_hash=_base64(leaf_hash(leaf)),
    )


def _fields(line: Struct) -> dict[str, Json]:
    return structs.asdict(line)


def _text(leaf: bytes) -> str | None:
    try:
        return leaf.decode()
    except UnicodeDecodeError:
        return None


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
