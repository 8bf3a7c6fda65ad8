"""What alerts are about, in few cells: signers, sessions and servers are each shortened apart."""

import re

from mcpwatch.model.alerts import Alert
from mcpwatch.watch.names import brief_id, short_session
from mcpwatch.watch.state import State

_AROUND = "():,"
"""Marks that stand around an id."""
_METHODS = ("did:", "key:")
_KEY_HEAD = re.compile(r"[\w-]{8}")
"""The head of a fingerprint, as it stands before the id of the signer with that key."""


def short_subject(alert: Alert, state: State) -> str:
    """An alert's subject with signers by the operator's name or the key's head, and sessions as lists show them."""
    told: list[str] = []
    for word in _with_short_session(alert, state).split(" "):
        id = word.strip(_AROUND)
        identity = state.identities.get(id) or state.servers.get(id)
        if identity is None and not id.startswith(_METHODS):
            told.append(word)
            continue
        key = told.pop() if told and _KEY_HEAD.fullmatch(told[-1]) else ""
        name = identity.name if identity is not None else ""
        told.append(word.replace(id, name or key or brief_id(id)))
    return " ".join(told)


def _with_short_session(alert: Alert, state: State) -> str:
    name, at, rest = alert.subject.partition(" at ")
    server = rest.partition(" ")[0].rstrip(_AROUND)
    for sign in "/~":
        session = state.sessions.get((alert.source, f"{server}{sign}{name}"))
        if session is not None:
            return f"{short_session(session)}{at}{rest}"
    return alert.subject
