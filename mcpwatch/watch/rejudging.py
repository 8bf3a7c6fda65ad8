"""Which rows are judged again together, whom they name, and whether they come out worth something else."""

from typing import TypeVar

from msgspec import structs

from mcpwatch.model.identity import ServerProof, Verdict
from mcpwatch.model.traffic import SessionKind
from mcpwatch.watch.row import Row

Told = TypeVar("Told", Verdict, ServerProof)


def group_of(row: Row) -> tuple[str, str | int]:
    """What a row is judged again with: the source, and the key of a request's session that has an id, else itself."""
    session = row.session if row.verdict is not None else None
    return row.source, session.key if session is not None and session.kind is SessionKind.LEGACY else row.index


def signer_id(row: Row) -> str:
    """The identity that its verdict or proof names; empty for none."""
    told = row.verdict or row.seen.proof
    return told.signer.id if told is not None and told.signer is not None else ""


def worth(told: Told | None) -> Told | None:
    """A verdict or a proof without whom it names."""
    return structs.replace(told, signer=None) if told is not None else None
