"""Who was offered a tool, who called it, and what is wrong about it."""

from msgspec import structs
from verdicts import principal, signer

from mcpwatch.detect.phrases import clip
from mcpwatch.model.alerts import Alert, AlertState, Severity
from mcpwatch.model.tools import Tool
from mcpwatch.model.traffic import Binding, Era, Session, SessionKind
from mcpwatch.policy.policy import Policy, Role
from mcpwatch.watch.exposure import Exposure, Party, alerts_about, exposure
from mcpwatch.watch.identity import Identity
from mcpwatch.watch.state import State


def session(state: State, key: str, **more: object) -> str:
    """A session that the state holds."""
    one = Session(key, SessionKind.LEGACY, "gw", "files", Era.LEGACY, 0.0, 0.0)
    state.sessions["gw", key] = structs.replace(one, **more)
    return key


def told(parties: list[Party]) -> list[tuple[str, Role | None, int]]:
    return [(party.name, party.role, party.sessions) for party in parties]


def seen() -> Exposure:
    """Two sessions of one signer, one of a person, one of nobody, one that is gone."""
    state, alice = State(), signer("alice")
    keys = {
        session(state, "files/1", binding=Binding(alice)),
        session(state, "files/2", binding=Binding(alice)),
        session(state, "files/3", principal=principal("ann")),
        session(state, "files/4", client_name="script 1.0"),
        "files/5",
    }
    state.identities[alice.id] = Identity(alice.id, alice.fingerprint)
    tool = Tool("files", "read", {}, "", 0, 0, sessions=keys, callers={alice.id, "files/4", "files/5"}, source="gw")
    return exposure(tool, state, Policy().role)


def test_sessions_of_one_party_are_told_together_with_its_role() -> None:
    name = f"{signer('alice').fingerprint[:8]} …{signer('alice').id[-6:]}"
    gone = "sessions that are not held any more"
    assert told(seen().offered) == [
        (name, Role.USER, 2),
        ("@ann", Role.USER, 1),
        ("script 1.0", Role.GUEST, 1),
        (gone, None, 1),
    ]
    assert told(seen().called) == [(name, Role.USER, 1), ("script 1.0", Role.GUEST, 1), (gone, None, 1)]


def test_roles_count_sessions() -> None:
    assert seen().roles == {Role.USER: 3, Role.GUEST: 1}


def alert(rule: str, subject: str, source: str = "gw", severity: Severity = Severity.HIGH) -> Alert:
    return Alert(f"{rule} {subject} {source}", rule, rule, severity, subject, "", 1, 0, 0, 0.0, 0.0, source)


def test_the_alerts_about_a_tool_are_its_own_and_unresolved_with_the_worst_first() -> None:
    done = alert("tool/shadowed", "read at files")
    done.state = AlertState.RESOLVED
    worst = alert("tool/definition-changed", "read at files", severity=Severity.CRITICAL)
    mine, others = alert("tool/poisoned", "read at files"), alert("tool/poisoned", "read at mail")
    foreign = alert("tool/poisoned", "read at files", "elsewhere")
    state = State({each.id: each for each in (mine, others, foreign, done, worst)})
    assert alerts_about(Tool("files", "read", {}, "", 0, 0, source="gw"), state) == [worst, mine]


def test_the_alerts_about_a_tool_with_a_long_name_are_found_too() -> None:
    name = "read_" * 100
    mine = alert("tool/poisoned", clip(f"{name} at files"))
    state = State({each.id: each for each in (mine, alert("tool/poisoned", clip(f"{name}x at files")))})
    assert alerts_about(Tool("files", name, {}, "", 0, 0, source="gw"), state) == [mine]
