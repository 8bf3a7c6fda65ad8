"""Whom a tool was offered to, who called it, and what is wrong about it."""

from collections import Counter
from collections.abc import Callable, Iterable

from msgspec import Struct

from mcpwatch.detect.definitions import subject
from mcpwatch.detect.phrases import clip
from mcpwatch.model.alerts import Alert, AlertState
from mcpwatch.model.identity import Signer
from mcpwatch.model.tools import Tool
from mcpwatch.model.traffic import Session
from mcpwatch.policy.policy import Caller, Role
from mcpwatch.watch.names import short_session, short_signer
from mcpwatch.watch.state import State

RoleOf = Callable[[Caller], Role]

_GONE = "sessions that are not held any more"


class Party(Struct):
    """Somebody who was offered a tool, or called it."""

    name: str
    role: Role | None
    """None where nothing is held that would say."""
    sessions: int = 0


class Exposure(Struct):
    """Who saw a tool and who used it; those with the most sessions first."""

    offered: list[Party]
    called: list[Party]

    @property
    def roles(self) -> Counter[Role]:
        """Sessions that it was offered to, by what the caller may be."""
        roles: Counter[Role] = Counter()
        for party in self.offered:
            if party.role is not None:
                roles[party.role] += party.sessions
        return roles


def exposure(tool: Tool, state: State, role_of: RoleOf) -> Exposure:
    """Who was offered this tool and who called it."""
    offered = (_of_session(state.sessions.get((tool.source, key)), role_of) for key in tool.sessions)
    called = (_caller(name, tool, state, role_of) for name in tool.callers)
    return Exposure(_together(offered), _together(called))


def alerts_about(tool: Tool, state: State) -> list[Alert]:
    """The tool's alerts that nobody resolved, the worst first."""
    about = clip(subject(tool))
    found = [
        alert
        for alert in state.alerts.values()
        if alert.subject == about and alert.source == tool.source and alert.state is not AlertState.RESOLVED
    ]
    return sorted(found, key=lambda alert: (-alert.severity, alert.rule))


def _of_session(session: Session | None, role_of: RoleOf) -> Party:
    if session is None:
        return Party(_GONE, None, 1)
    signer, principal = session.binding.signer, session.principal
    role = role_of(Caller(signer, principal))
    subject = f"@{principal.subject}" if principal is not None and principal.subject else ""
    return Party(short_signer(signer) or subject or session.client_name or short_session(session), role, 1)


def _caller(name: str, tool: Tool, state: State, role_of: RoleOf) -> Party:
    """A caller by signer id or session key."""
    identity = state.identities.get(name)
    if identity is None:
        return _of_session(state.sessions.get((tool.source, name)), role_of)
    signer = Signer(identity.id, identity.fingerprint, identity.resolution, identity.key_state, identity.name)
    return Party(short_signer(signer), role_of(Caller(signer)), 1)


def _together(parties: Iterable[Party]) -> list[Party]:
    """One of each name and role."""
    found: dict[tuple[str, Role | None], Party] = {}
    for party in parties:
        known = found.setdefault((party.name, party.role), Party(party.name, party.role))
        known.sessions += party.sessions
    return sorted(found.values(), key=lambda party: (party.role is None, -party.sessions, party.name))
