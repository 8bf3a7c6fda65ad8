"""Whom a session without an id belongs to, and a readable key for it.

In order: verified signer, principal (issuer and subject, else the token's hash), and else what is left: peer
address, user agent and the client's own name, which together identify nobody for certain.
"""

import re
from urllib.parse import urlsplit

from mcpwatch.model.identity import Verdict
from mcpwatch.model.traffic import SessionKind
from mcpwatch.traffic.records import Flow, Owner, good_signer

_SIGNER, _PRINCIPAL, _ANONYMOUS = SessionKind.SIGNER, SessionKind.PRINCIPAL, SessionKind.ANONYMOUS
_LONG = 28
_HEAD = 12
_TAIL = 8
_ODD = re.compile(r"[^!-~]+")


def legacy_key(upstream: str, session_id: str) -> str:
    """The key of a session that has an id, of which the log gives a keyed hash in hex."""
    return f"{upstream}/{session_id[:12]}"


def derive(flow: Flow, verdict: Verdict, client: str) -> Owner:
    """Whom a request belongs to; `client` is what its sender last called itself."""
    upstream = flow.exchange.upstream
    signer = good_signer(verdict)
    if signer is not None:
        return (upstream, _SIGNER, signer.id, "", "")
    principal = flow.principal
    if principal is not None:
        if principal.subject:
            return (upstream, _PRINCIPAL, principal.issuer, principal.subject, "")
        return (upstream, _PRINCIPAL, "", "", principal.token_hash)
    return (upstream, _ANONYMOUS, flow.address, flow.agent, client)


def label(owner: Owner) -> str:
    """A readable key for a derived session; two owners may share it and are then told apart by a counter."""
    upstream, kind, first, second, third = owner
    if kind is _SIGNER:
        return f"{upstream}~{short(first)}"
    if kind is _PRINCIPAL:
        issuer = _host(first)
        who = second + (f"@{issuer}" if issuer else "") if second else f"token:{third}"
        return f"{upstream}~{short(who)}"
    return f"{upstream}~{first}~{short(third or second.partition(' ')[0] or 'anonymous')}"


def short(name: str) -> str:
    """A name without spaces or control characters; a long one keeps its head and its last eight characters."""
    name = _ODD.sub("-", name[:4096])
    return name if len(name) <= _LONG else f"{name[:_HEAD]}…{name[-_TAIL:]}"


def _host(issuer: str) -> str:
    try:
        return urlsplit(issuer).hostname or issuer
    except ValueError:
        return issuer
