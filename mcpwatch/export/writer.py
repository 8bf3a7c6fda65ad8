"""What a format of export is: the one shape that all of them have."""

from collections.abc import Iterable
from typing import Protocol

from msgspec import Struct

from mcpwatch.export.head import Head
from mcpwatch.watch.row import Row
from mcpwatch.watch.state import State


class Piece(Struct, frozen=True):
    """Text about entries of one feed that waits until it is known what of them is proven."""

    source: str
    index: int
    """The last entry that it tells of."""
    text: str


class Covered(Struct, frozen=True):
    """What is known of a piece's last entry when everything was read."""

    is_proven: bool
    path: tuple[bytes, ...] | None = None
    """Its inclusion proof under the checkpoint of the head, lowest first, where proofs were asked for."""


class Writer(Protocol):
    """Writes one export: `row` for each entry in order, then `rest`; then `head`, each piece `sealed`, and `foot`."""

    def row(self, row: Row, state: State, passes: bool) -> Iterable[Piece]:
        """Take in an entry, which the filter lets `pass` or not; what can be written now."""

    def rest(self, state: State) -> Iterable[Piece]:
        """What was held back."""

    def head(self, head: Head) -> str:
        """The beginning."""

    def sealed(self, piece: Piece, covered: Covered) -> str:
        """A piece as it goes out."""

    def foot(self, head: Head, state: State) -> str:
        """The end."""
