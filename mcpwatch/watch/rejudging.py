"""What is judged again: for whose keys it waits, what goes together, and whether it comes out worth something else."""

from collections.abc import Collection, Iterable
from typing import TypeVar

from msgspec import structs

from mcpwatch.identity.keys import KeyBook
from mcpwatch.identity.resolution import Status
from mcpwatch.model.identity import ServerProof, SignatureState, Verdict
from mcpwatch.model.traffic import SessionKind
from mcpwatch.watch.row import Row

Told = TypeVar("Told", Verdict, ServerProof)


Group = tuple[str, str | int]
"""A source, and the key of a session that has an id or else the index of a row."""


def awaited(verdict: Verdict, keys: KeyBook, time: float) -> str:
    """The identity whose key a verdict waits for; empty when it does not name it."""
    signer = verdict.signer
    if signer is None or verdict.signature is not SignatureState.UNRESOLVABLE:
        return ""
    certain = bool(signer.fingerprint) or not verdict.others
    return signer.id if certain or keys.lookup(signer.id, time).status is Status.WAITING else ""


def grouped(rows: Iterable[Row], identities: Collection[str]) -> dict[Group, list[Row]]:
    """The rows that name one of these identities, with those that are judged again along with them."""
    signed = [row for row in rows if row.verdict or row.seen.proof]
    named = {group_of(row) for row in signed if signer_id(row) in identities}
    groups: dict[Group, list[Row]] = {}
    for row in signed:
        if (group := group_of(row)) in named:
            groups.setdefault(group, []).append(row)
    return groups


def given_up(told: Told, limit: int) -> Told:
    """A verdict or a proof that waits no more, though its key did not come."""
    why = f"given up, to make room: more than {limit:,} requests wait for keys"
    if isinstance(told, ServerProof):
        return structs.replace(told, waiting=False, reason=why)
    return structs.replace(told, waiting=False, reasons=(why, *told.reasons))


def group_of(row: Row) -> Group:
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
