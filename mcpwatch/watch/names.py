"""The short names of sessions and signers; the whole stays in the detail."""

from mcpwatch.hosts import is_loopback
from mcpwatch.model.identity import Signer
from mcpwatch.model.traffic import Session, SessionKind

_SHORT_PRINT = 8
_SHORT_ID = 20
_BRIEF_ID = 15
_SHORT_END = 12
_ID_END = 6
_SHORT_SESSION = 8


def short_session(session: Session) -> str:
    """A session's short name: the head of its id's hash, or `~` and the head of whom it is derived from.

    A signer goes by the operator's name or its key's head, for ids of one method begin alike.
    """
    if session.kind is SessionKind.LEGACY:
        return session.key.rpartition("/")[2][:_SHORT_SESSION]
    owner, sign, number = session.key.rpartition("~")[2].rpartition("://")[2].partition("#")
    room = _SHORT_SESSION - 1 - len(sign + number)
    signer = session.binding.signer if session.kind is SessionKind.SIGNER else None
    if signer is not None:
        owner = signer.name or signer.fingerprint or owner
    elif session.kind is SessionKind.SIGNER and "…" in owner:
        owner = owner[-room:]
    return f"~{owner[:room]}{sign}{number}"


def short_signer(signer: Signer | None) -> str:
    """A signer in short: its name and the key's fingerprint, without a name that and the id's end; empty for nobody."""
    if signer is None:
        return ""
    key = signer.fingerprint[:_SHORT_PRINT]
    if signer.name:
        return f"{signer.name} {key}".strip()
    if not key:
        return short_id(signer.id)
    # What ids begin with they share; an id that is made of the fingerprint adds nothing to it.
    end = signer.id if len(signer.id) <= _SHORT_END else f"…{signer.id[-_ID_END:]}"
    return key if signer.id.endswith(signer.fingerprint) else f"{key} {end}"


def short_id(text: str) -> str:
    """A DID cut to its method and its ends, a `key:` id to its head; the whole stays in the detail."""
    return text if len(text) <= _SHORT_ID else f"{text[:12]}…{text[-6:]}"


def brief_id(text: str) -> str:
    """A long id cut to what stands beside others on one line."""
    return text if len(text) <= _BRIEF_ID else f"{text[:9]}…{text[-5:]}"


def short_feed(name: str) -> str:
    """A feed's name where there is little room; of one on this machine that the operator gave none, its port."""
    host, colon, port = name.rpartition(":")
    return f":{port}" if colon and port.isdecimal() and is_loopback(host.strip("[]")) else name
