"""What alerts are about, in few cells: signers, sessions and servers are each shortened apart."""

import re
from collections import Counter
from weakref import WeakKeyDictionary

from mcpwatch.detect.phrases import short
from mcpwatch.model.alerts import Alert
from mcpwatch.watch.names import brief_id, short_session
from mcpwatch.watch.state import State

_AROUND = "():,"
"""Marks that stand around an id."""
_ENDS = "():,;."
"""Marks that stand around an id in a sentence."""
_METHODS = ("did:", "key:")
_KEY_HEAD = re.compile(r"[\w-]{8}")
"""The head of a fingerprint, as it stands before the id of the signer with that key."""

_ONLY: WeakKeyDictionary[State, tuple[int, str]] = WeakKeyDictionary()
"""By state its version when its servers were last looked at, and the only one there was."""


def only_server(state: State) -> str:
    """The server of all sessions; empty where there are several, or none."""
    version, server = _ONLY.get(state, (-1, ""))
    if version != state.version:
        servers = {session.upstream for session in state.sessions.values()}
        server = servers.pop() if len(servers) == 1 else ""
        _ONLY[state] = state.version, server
    return server


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


def with_names(text: str, alert: Alert, state: State) -> str:
    """A text of an alert with the operator's names for signers before their keys and ids."""
    names = _names(alert, state)
    told: list[str] = []
    for word in text.split(" "):
        id = word.strip(_ENDS).removesuffix("'s")
        name = names.get(id, "")
        key = told.pop() if name and told and _KEY_HEAD.fullmatch(told[-1]) else ""
        told.append(" ".join(part for part in (name, key, word) if part))
    return " ".join(told)


def _names(alert: Alert, state: State) -> dict[str, str]:
    """The operator's names for those that the alert's subject and evidence name in full, by id and by shortened id.

    What shortens two of them, named or not, names nobody: its ends may be an impostor's.
    """
    ids = {word.strip(_AROUND) for word in alert.subject.split(" ")}
    for row in state.rows_of_alert(alert):
        bound = row.session.binding.signer if row.session is not None else None
        asked = row.request_verdict.signer if row.request_verdict is not None else None
        ids |= {signer.id for signer in (bound, asked) if signer is not None}
    shortened = Counter(map(short, ids))
    names: dict[str, str] = {}
    for id in ids:
        identity = state.identities.get(id) or state.servers.get(id)
        if identity is not None and identity.name:
            names[id] = identity.name
            if shortened[short(id)] == 1:
                names[short(id)] = identity.name
    return names


def _with_short_session(alert: Alert, state: State) -> str:
    name, at, rest = alert.subject.partition(" at ")
    server = rest.partition(" ")[0].rstrip(_AROUND)
    for sign in "/~":
        session = state.sessions.get((alert.source, f"{server}{sign}{name}"))
        if session is not None:
            return f"{short_session(session)}{at}{rest}"
    return alert.subject
