"""The table of rules, and for each rule traffic that fires it and traffic that nearly does."""

import re

import cases_chain
import cases_chain_values
import cases_discovery_access
import cases_discovery_denied
import cases_discovery_listing
import cases_discovery_reach
import cases_discovery_roles
import cases_feed
import cases_feed_names
import cases_identity
import cases_keys
import cases_policy
import cases_protocol
import cases_session
import cases_session_ids
import cases_session_tokens
import cases_stream
import cases_tool
import cases_traffic
import pytest
from registry import FIRES, SPARES, Play
from rule_scene import Scene

from mcpwatch.detect.rule import Rule
from mcpwatch.detect.rules import CATALOGUE, RULES
from mcpwatch.model.alerts import Finding, Severity

CASES = (
    cases_chain,
    cases_chain_values,
    cases_discovery_access,
    cases_discovery_denied,
    cases_discovery_listing,
    cases_discovery_reach,
    cases_discovery_roles,
    cases_feed,
    cases_feed_names,
    cases_identity,
    cases_keys,
    cases_policy,
    cases_protocol,
    cases_session,
    cases_session_ids,
    cases_session_tokens,
    cases_stream,
    cases_tool,
    cases_traffic,
)
IDS = [rule.info.id for rule in RULES]
SEVERITIES = {
    "identity/unsigned-call": "M",
    "identity/bad-signature": "C",
    "identity/bad-signature-beside-good": "H",
    "identity/bad-server-proof": "H",
    "identity/wrong-key": "C",
    "identity/superseded-key": "H",
    "identity/key-rotated-mid-session": "M",
    "identity/shared-key": "M",
    "identity/replayed": "C",
    "identity/cross-session-replay": "C",
    "identity/weak-replay-protection": "M",
    "identity/stale": "H",
    "identity/from-the-future": "M",
    "identity/unknown-identity": "H",
    "identity/claimed-name-mismatch": "M",
    "identity/principal-mismatch": "H",
    "identity/cannot-check": "M",
    "identity/body-not-covered": "M",
    "policy/not-permitted": "H",
    "policy/unreadable-call": "H",
    "session/anonymous": "M",
    "session/shared": "H",
    "session/token-subject-changed": "H",
    "session/used-after-delete": "H",
    "session/unbound": "H",
    "session/weak-id": "H",
    "session/id-collision": "C",
    "session/id-guessing": "H",
    "session/id-leaked": "M",
    "session/re-initialised": "L",
    "session/outlives-token": "H",
    "session/unsigned-token": "C",
    "discovery/privileged-tools-exposed": "M",
    "discovery/no-per-role-filtering": "L",
    "discovery/enumeration": "M",
    "discovery/permission-probing": "H",
    "discovery/bypass": "C",
    "discovery/context-hopping": "H",
    "discovery/unlisted-tool": "M",
    "discovery/admin-tool-by-guest": "C",
    "discovery/local-file-read": "H",
    "discovery/ssrf": "H",
    "chain/across-backends": "M",
    "chain/exfiltration": "C",
    "chain/lethal-trifecta": "C",
    "chain/command-execution": "H",
    "chain/injection-in-arguments": "H",
    "chain/secret-in-result": "H",
    "chain/loop": "M",
    "stream/truncated": "M",
    "stream/hidden-channel": "M",
    "stream/leak-in-partial-output": "H",
    "stream/output-not-in-result": "L",
    "stream/progress-without-token": "M",
    "stream/unrequested-response": "H",
    "tool/definition-changed": "C",
    "tool/annotation-loosened": "H",
    "tool/poisoned": "H",
    "tool/poisoned-result": "M",
    "tool/shadowed": "H",
    "tool/look-alike": "H",
    "tool/name-nonconforming": "L",
    "tool/flood": "M",
    "tool/terminal-escapes": "H",
    "tool/hidden-characters": "H",
    "protocol/header-mismatch": "H",
    "protocol/foreign-origin": "H",
    "protocol/session-id-in-modern-era": "L",
    "feed/gap": "H",
    "feed/stale": "H",
    "feed/broken": "C",
    "feed/rollback": "C",
    "feed/unproven": "H",
    "feed/malformed": "M",
    "feed/same-name": "H",
}
REFERENCE = re.compile(
    r"OWASP MCP(0[1-9]|10)|OWASP ASI(0[1-9]|10)|SAFE-T\d{4}|ATLAS T\d{4}(\.\d{3})?|NSA CSI U/OO/6030316-26"
    r"|MCP 2026-07-28 \(SEP-\d{4}\)|MCP security best practices: session hijacking|Trail of Bits: ANSI escapes"
)


def every(table: dict[str, list[Play]]) -> list[object]:
    return [pytest.param(rule, play, id=f"{rule}-{play.__name__}") for rule in table for play in table[rule]]


def test_ids_are_unique_and_all_there() -> None:
    assert len(set(IDS)) == len(IDS)
    assert {id: info.severity.name[0] for id, info in CATALOGUE.items()} == SEVERITIES


def test_families_stand_together() -> None:
    families = [id.partition("/")[0] for id in IDS]
    assert list(dict.fromkeys(families)) == [
        "identity",
        "policy",
        "session",
        "discovery",
        "chain",
        "stream",
        "tool",
        "protocol",
        "feed",
    ]
    assert families == sorted(families, key=list(dict.fromkeys(families)).index)


@pytest.mark.parametrize("rule", RULES, ids=IDS)
def test_a_row_of_the_catalogue_is_complete(rule: type[Rule]) -> None:
    info = rule.info
    assert re.fullmatch(r"[a-z]+/[a-z]+(-[a-z]+)*", info.id)
    assert info.severity in Severity
    assert info.title and not info.title.endswith(".")
    for prose in (info.meaning, info.action):
        assert prose.endswith(".") and prose.isascii() and len(prose) <= 200
    assert all(REFERENCE.fullmatch(reference) for reference in info.references)


def test_titles_are_short_and_told_apart_by_their_beginning() -> None:
    titles = [info.title for info in CATALOGUE.values()]
    assert max(map(len, titles)) <= 24
    assert len({title[:20] for title in titles}) == len(titles)


@pytest.mark.parametrize("id", IDS)
def test_a_rule_has_traffic_that_fires_it_and_traffic_that_nearly_does(id: str) -> None:
    assert FIRES[id], f"nothing fires {id}"
    assert SPARES[id], f"nothing comes near {id}"


def test_traffic_is_for_rules_that_exist() -> None:
    assert set(FIRES) | set(SPARES) <= set(IDS)


@pytest.mark.parametrize(("id", "play"), every(FIRES))
def test_a_rule_fires_on_what_it_is_for(id: str, play: Play) -> None:
    scene = Scene()
    play(scene)
    found = scene.of(id)
    assert found
    assert not scene.engine.failures
    for finding in found:
        assert finding.severity is CATALOGUE[id].severity
        assert finding.subject and finding.source == scene.source
        assert finding.reason.endswith(".")
        assert all(index >= 0 for index in finding.evidence)


@pytest.mark.parametrize(("id", "play"), every(SPARES))
def test_a_rule_spares_what_looks_alike(id: str, play: Play) -> None:
    scene = Scene()
    play(scene)
    assert not scene.of(id)
    assert not scene.engine.failures


def test_a_switched_off_rule_fails_its_traffic() -> None:
    """The cases do test the rules: with no rule at all nothing fires."""
    for plays in FIRES.values():
        for play in plays:
            scene = Scene()
            scene.engine = type(scene.engine)(())
            play(scene)
            assert not scene.findings


def test_what_rules_are_not_shown_they_would_have_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    def found(play: Play) -> list[Finding]:
        scene = Scene()
        play(scene)
        return scene.findings

    plays = {play for table in (FIRES, SPARES) for under in table.values() for play in under}
    shown = {play: found(play) for play in plays}
    for rule in RULES:
        monkeypatch.setattr(rule, "methods", None)
    assert {play: found(play) for play in plays} == shown
