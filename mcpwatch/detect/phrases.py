"""How findings name things: bounded, and otherwise raw, since drawing is what makes text safe."""

import hashlib
from collections.abc import Sequence

from mcpwatch.model.identity import Signer
from mcpwatch.model.traffic import Observation, Session, SessionKind
from mcpwatch.text import ELLIPSIS
from mcpwatch.traffic.records import good_signer

_QUOTE = 120
_WHY = 300
_SUBJECT = 300
_SHORT = 32
_LABEL = 8


def short(text: str) -> str:
    """An id cut in the middle."""
    return text if len(text) <= _SHORT else f"{text[:14]}{ELLIPSIS}{text[-6:]}"


def named(signer: Signer | None) -> str:
    """A signer's short name."""
    return short(signer.id) if signer else "an unnamed key"


def clip(text: str, limit: int = _SUBJECT) -> str:
    """At most `limit` characters; what was cut is told apart by a hash."""
    if len(text) <= limit:
        return text
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:12]
    return f"{text[: limit - 13]}{ELLIPSIS}{digest}"


def cut(text: str, limit: int = _QUOTE) -> str:
    """At most `limit` characters and an ellipsis."""
    return text if len(text) <= limit else text[:limit] + ELLIPSIS


def quote(text: str) -> str:
    """Somebody else's words, in quotation marks."""
    return f'"{cut(text)}"'


def excerpts(one: str, other: str, limit: int = 60) -> tuple[str, str]:
    """Two texts from a little before where they begin to differ, at most about `limit` characters each."""
    same = next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    start = max(same - limit // 3, 0)
    before = ELLIPSIS if start else ""
    return before + cut(one[start:], limit), before + cut(other[start:], limit)


def sentence(what: str, why: str) -> str:
    """`what: why.`, or `what.` where nobody knows why."""
    return f"{what}: {cut(why, _WHY).rstrip('.')}." if why else f"{what}."


def host(peer: str) -> str:
    """The address of `ADDRESS:PORT`; every loopback address counts as one, since `localhost` may be any of them."""
    address = peer.rpartition(":")[0].strip("[]").removeprefix("::ffff:") or peer
    return "loopback" if address == "::1" or address.startswith("127.") else address


def session_name(session: Session) -> str:
    """A session's key without its server, which tells it from the server's others at the first glance."""
    return session.key.removeprefix(session.upstream).removeprefix("/") or session.key


def session_label(session: Session) -> str:
    """A session in a sentence: the head of its id's hash, or whom it is derived from."""
    name = session_name(session)
    return name[:_LABEL] if session.kind is SessionKind.LEGACY else short(name)


def subject_of(seen: Observation) -> str:
    """The session and its server, or where there is no session the peer and the server."""
    if seen.session:
        return f"{session_name(seen.session)} at {seen.session.upstream}"
    return f"{host(seen.exchange.peer)} at {seen.exchange.upstream}" if seen.exchange else seen.source


def signer_subject(signer: Signer | None, otherwise: str = "") -> str:
    """A signer in full, the key's fingerprint first where there is one: ids of one method begin alike."""
    if signer is None:
        return otherwise or "unnamed key"
    return f"{signer.fingerprint[:_LABEL]} {signer.id}".strip()


def upstream_of(seen: Observation) -> str:
    """The server's name; empty where the entry belongs to no exchange."""
    return seen.exchange.upstream if seen.exchange else ""


def caller_of(seen: Observation) -> str:
    """Who calls, as far as anything says so: the token's subject, else the client's own name, else its address."""
    session = seen.session
    principal = seen.request.principal if seen.request else session.principal if session else None
    if principal and principal.subject:
        issuer = f" of {principal.issuer}" if principal.issuer else ""
        return f"@{principal.subject}{issuer}"
    if session and session.client_name:
        return session.client_name
    return host(seen.exchange.peer) if seen.exchange else "somebody"


def who_of(seen: Observation) -> str:
    """Who is behind an entry: the proven signer, else what the caller goes by."""
    verdict = seen.verdict or (seen.exchange.verdict if seen.exchange is not None else None)
    signer = good_signer(verdict) if verdict is not None else None
    return signer_subject(signer) if signer is not None else caller_of(seen)


def some(names: Sequence[object], limit: int = 3) -> str:
    """The first few names as text, and how many more there are."""
    more = [f"{len(names) - limit} more"] if len(names) > limit else []
    return together([cut(str(name)) for name in names[:limit]] + more)


def together(names: list[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return " and ".join(part for part in (", ".join(names[:-1]), *names[-1:]) if part)
