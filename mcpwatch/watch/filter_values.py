"""What the words of the filter language read off a row; all of it raw."""

from collections.abc import Iterable

from mcpwatch.model.alerts import Alert, AlertState
from mcpwatch.model.identity import OtherSignature, ServerProof, Signer, Verdict
from mcpwatch.model.traffic import CallState
from mcpwatch.watch.row import Row
from mcpwatch.watch.schemes import scheme_title
from mcpwatch.watch.state import State


def plain(text: str) -> str:
    """A choice as it is compared: without case, spaces, hyphens and underscores."""
    return text.casefold().replace(" ", "").replace("-", "").replace("_", "")


def alerts(row: Row, state: State) -> list[Alert]:
    """The alerts it is evidence for that are still there."""
    return [alert for key in row.alerts if (alert := state.alerts.get(key)) is not None]


def rpc_id(row: Row, state: State) -> tuple[str, ...]:
    """Every JSON-RPC id in it, and that of its call."""
    ids = {str(message.id) for message in row.seen.messages if message.id is not None}
    if row.call is not None and row.call.rpc_id is not None:
        ids.add(str(row.call.rpc_id))
    return tuple(ids)


def who(row: Row, state: State) -> Iterable[str]:
    """Whoever it may be put down to, by each name."""
    yield row.who.text
    for signer in signers(row):
        yield from (signer.id, signer.fingerprint, signer.name)
    session = row.session
    if session:
        yield session.client_name
        if session.principal:
            yield session.principal.subject


def signers(row: Row) -> Iterable[Signer]:
    """Whoever signed the request, in one signature or another, and whoever signed this answer."""
    verdict, proof = row.request_verdict, row.seen.proof
    signers = [verdict.signer, *(other.signer for other in verdict.others)] if verdict else []
    signers.append(proof.signer if proof else None)
    return [signer for signer in signers if signer is not None]


def schemes(row: Row, state: State) -> Iterable[str]:
    """The schemes of its signatures, by name and title."""
    told: list[Verdict | OtherSignature | ServerProof] = []
    if row.verdict is not None:
        told = [row.verdict, *row.verdict.others]
    elif row.seen.proof is not None:
        told = [row.seen.proof]
    for each in told:
        if each.scheme:
            yield from (each.scheme, scheme_title(each))


def own_signers(row: Row) -> Iterable[Signer]:
    """Whoever signed this very entry."""
    return signers(row) if row.verdict is not None or row.seen.proof is not None else ()


def session(row: Row, state: State) -> tuple[str, ...]:
    """Its session's key and short name."""
    return (row.session.key, row.session_label) if row.session else ()


def status(row: Row, state: State) -> Iterable[str]:
    """HTTP status, its class, and how the call stands."""
    if row.status is not None:
        yield str(row.status)
        yield f"{row.status // 100}xx"
    if row.state is not None:
        yield plain(row.state.value)
        if row.state is CallState.DONE:
            yield "ok"


def signature(row: Row, state: State) -> tuple[str, ...]:
    """The verdict's word and the signature's state."""
    return (plain(row.verdict.word.value), row.verdict.signature.value) if row.verdict else ()


def alert_texts(row: Row, state: State) -> Iterable[str]:
    """Whether there is an alert, and what its alerts are called."""
    found = alerts(row, state)
    yield "any" if found else "none"
    for alert in found:
        yield from (alert.id, alert.rule, alert.title, alert.subject)


def acknowledged(row: Row, state: State) -> tuple[str, ...]:
    """Whether all its alerts rest; nothing without any."""
    states = {alert.state for alert in alerts(row, state)}
    return ("no",) if AlertState.FIRING in states else ("yes",) if states else ()


def peer(row: Row, state: State) -> tuple[str, ...]:
    """The other end's address and port."""
    return (row.seen.exchange.peer,) if row.seen.exchange else ()


def duration(row: Row, state: State) -> float | None:
    """Seconds it took, or has taken."""
    return row.duration(state.gateway_now(row.source))
