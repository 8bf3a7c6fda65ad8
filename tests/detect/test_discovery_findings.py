"""What the discovery rules say: how strongly, about what, by which settings, and from the real fold."""

import cases_discovery_access as access
import cases_discovery_denied as denials
import cases_discovery_listing as listing
import cases_discovery_reach as reach
import cases_discovery_roles as roles
import pytest
from build import Log
from rpc import ask, call, error, modern, modern_headers, note, result, text, tool
from rule_scene import UNSIGNED, Scene
from verdicts import judged, principal, unsigned

from mcpwatch.detect.engine import Engine
from mcpwatch.detect.offered import Offered
from mcpwatch.detect.rules.discovery_fetch import Ssrf
from mcpwatch.model.alerts import Finding, Severity
from mcpwatch.model.entries import Request
from mcpwatch.model.identity import SignatureState, Word
from mcpwatch.model.traffic import CallState
from mcpwatch.policy.policy import Policy, RulePolicy
from mcpwatch.traffic.fold import Traffic

AGENT = {"user-agent": "agent/1.0"}


@pytest.fixture
def scene() -> Scene:
    return Scene()


def only(scene: Scene, rule: str) -> Finding:
    assert not scene.engine.failures
    (found,) = scene.of(rule)
    return found


def told(log: Log) -> list[Finding]:
    """What the rules find in a log of unsigned traffic, read by the real fold."""
    traffic, engine = Traffic(), Engine()
    found: list[Finding] = []
    for entry in log.entries:
        is_request = entry.record is not None and isinstance(entry.record.data, Request)
        found += engine.observe(traffic.apply(entry, unsigned() if is_request else None))
    assert not engine.failures
    return [finding for finding in found if finding.rule.startswith("discovery/")]


def test_a_list_for_guests_names_first_what_is_declared(scene: Scene) -> None:
    roles.listed(scene, roles.PURGE, roles.RESET, roles.DUMP, session=scene.session())
    found = only(scene, roles.EXPOSED)
    assert found.subject == "guests at files"
    assert found.reason == (
        'To a caller who proves nothing files lists "admin_reset": its name says "admin", '
        '"dump": its access level is "admin" and "purge": its annotations say destructiveHint.'
    )
    assert found.evidence == (0, 2)


def test_a_tool_that_only_destroys_is_worth_a_low_one(scene: Scene) -> None:
    roles.listed(scene, roles.READ, roles.PURGE)
    assert only(scene, roles.EXPOSED).severity is Severity.LOW


def test_a_guess_from_words_is_called_one_and_a_claim_is_quoted(scene: Scene) -> None:
    session = scene.session()
    opening = scene.request(ask(0, "initialize"), session=session, verdict=UNSIGNED)
    scene.answer(opening, result(0, {"session": {"role": "admin"}}), session=session)
    roles.listed(scene, roles.RESET, session=session)
    exchange = roles.used(scene, "admin_reset", session=session)
    found = only(scene, access.ADMIN_TOOL)
    assert found.subject == "5e55 at files (admin_reset)"
    assert found.reason == (
        '"admin_reset" did what a guest asked; its name says "admin", which is a guess from words. '
        'The server opened the session as "admin".'
    )
    assert found.evidence == (exchange.index, exchange.index + 2)


def test_who_may_be_somebody_is_doubted_aloud(scene: Scene) -> None:
    roles.listed(scene, roles.DUMP)
    exchange = roles.withhold(scene, "x-api-key", of=call(2, "dump"))
    scene.answer(exchange, result(2, text("done")))
    roles.used(scene, "dump", verdict=judged(Word.NO_CHECK, signature=SignatureState.UNSUPPORTED))
    by_key, by_signature = scene.of(access.ADMIN_TOOL)
    assert (by_key.severity, by_signature.severity) == (Severity.MEDIUM, Severity.MEDIUM)
    assert by_key.reason.endswith("It came with x-api-key, which may say who called and cannot be checked here.")
    assert "came with a signature, which" in by_signature.reason


def test_a_bypass_shows_both_calls_and_what_nobody_can_read(scene: Scene) -> None:
    session = scene.session()
    denials.denied(scene, call(1, "dump"), session)
    scene.now += 300
    denials.allowed(scene, call(2, "dump"), session)
    found = only(scene, denials.BYPASS)
    assert found.reason == '"dump" was denied at entry 2 and let through 5 min later; the caller is the same.'
    assert found.evidence == (0, 2, 3, 5)

    other = Scene()
    refused = roles.withhold(other, "cookie", of=call(1, "dump"))
    said = denials.NEEDS_ROLE
    other.answer(refused, error(1, -32001, said), state=CallState.DENIED, code=-32001, text=said)
    granted = roles.withhold(other, "cookie", of=call(2, "dump"))
    other.answer(granted, result(2, text("done")))
    doubted = only(other, denials.BYPASS)
    assert doubted.severity is Severity.MEDIUM
    assert doubted.reason.endswith("the caller seems the same, but for what cookie may say.")


def test_a_hop_names_both_sessions_and_both_people(scene: Scene) -> None:
    denials.denied(scene, call(1, "dump"), scene.session("aaaa"), principal=principal("bob"))
    denials.allowed(scene, call(2, "dump"), scene.session("bbbb"), principal=principal("root", token="t2"))
    found = only(scene, denials.HOPPING)
    assert found.subject == "bbbb at files"
    assert found.reason == (
        '"dump" was denied in session aaaa at entry 2; 0 s later the same client got it in session bbbb, '
        'as "root" after "bob".'
    )


def test_what_was_not_fetched_counts_for_less(scene: Scene) -> None:
    reach.read(scene, "file:///etc/passwd")
    reach.read(scene, "file:///etc/shadow", CallState.DENIED)
    got, denied = scene.of(reach.FILES)
    assert (got.severity, denied.severity) == (Severity.HIGH, Severity.MEDIUM)
    assert got.subject == denied.subject == "x at files (secrets)"
    assert got.reason == 'Asked for "file:///etc/passwd", a file that holds secrets; answered.'
    assert denied.reason == 'Asked for "file:///etc/shadow", a file that holds secrets; not answered: denied.'


def test_one_session_has_an_alert_for_each_kind_of_address(scene: Scene) -> None:
    for url in ("http://127.0.0.1:1/", "http://2130706433:2/", "http://169.254.169.254/", "http://10.0.0.1/"):
        reach.use(scene, "fetch", url=url)
    found = scene.of(reach.SSRF)
    kinds = ["loopback", "loopback", "cloud metadata", "private"]
    assert [finding.subject for finding in found] == [f"5e55 at files ({kind})" for kind in kinds]
    assert found[1].reason == (
        '"fetch" was asked for "http://2130706433:2/", which is 127.0.0.1, a loopback address; answered.'
    )


def test_the_thresholds_are_the_policys(scene: Scene) -> None:
    rules = {
        "discovery/enumeration": RulePolicy(settings={"rounds": 2, "patience": 1}),
        "discovery/permission-probing": RulePolicy(settings={"denials": 2}),
        "discovery/bypass": RulePolicy(settings={"within": 1}),
    }
    scene.engine.follow(Policy(rules=rules))
    for number in range(3):
        listing.connect(scene, number)
        scene.now += 2
    found = scene.of(listing.ENUMERATION)[-1]
    assert "asked for prompts/list, resources/list and tools/list 2 times in 2 sessions and 4 s, and used nothing." in (
        found.reason
    )
    session = scene.session()
    denials.denied(scene, call(1, "dump"), session)
    denials.denied(scene, call(1, "keys"), session, 'tool "keys" requires the admin role')
    assert scene.of("discovery/permission-probing")
    scene.now += 2
    denials.allowed(scene, call(2, "dump"), session)
    assert not scene.of(denials.BYPASS)


def test_memory_is_bounded(scene: Scene) -> None:
    offered = Offered(links=True)
    page = {"resources": [{"uri": f"file:///srv/{number}/a", "name": "a"} for number in range(5_000)]}
    exchange = scene.request(ask(1, "resources/list"))
    seen = scene.requests[exchange.index]
    scene.answer(exchange, result(1, page))
    rule = next(rule for rule in scene.engine._every if isinstance(rule, Ssrf))
    offer = rule.offered.of("gateway", "files")
    assert offer is not None and len(offer.uris) == 2_000 and not offer.is_listed
    assert offered.of(seen.source, "files") is None


def test_a_whole_story_of_the_legacy_era() -> None:
    log = Log()
    log.initialize("s1", headers=AGENT)
    log.exchange(ask(1, "tools/list"), result(1, {"tools": [roles.DUMP, tool("read")]}), session="s1", headers=AGENT)
    denial = error(2, -32001, 'Forbidden: tool "dump" requires the admin role')
    log.exchange(call(2, "dump"), denial, session="s1", headers=AGENT, stream=True)
    log.initialize("s2", headers=AGENT, principal=principal("root"))
    progress = note("notifications/progress", {"status": "running"})
    log.exchange(call(2, "dump"), progress, result(2, text("all")), session="s2", headers=AGENT, stream=True)
    found = told(log)
    assert [finding.rule.removeprefix("discovery/") for finding in found] == [
        "privileged-tools-exposed",
        "privileged-tools-exposed",
        "context-hopping",
        "admin-tool-by-guest",
    ]
    assert found[2].evidence == (11, 13, 22, 25)


def test_a_whole_story_of_the_modern_era() -> None:
    log = Log()
    listing, dump = modern(ask(1, "tools/list")), modern(call(2, "dump"))
    log.exchange(listing, result(1, {"tools": [roles.DUMP]}), headers=modern_headers(listing) | AGENT)
    log.exchange(dump, status=403, headers=modern_headers(dump) | AGENT)
    log.exchange(dump, result(2, text("all")), headers=modern_headers(dump) | AGENT)
    read = modern(ask(3, "resources/read", {"uri": "file:///etc/shadow"}))
    log.exchange(read, result(3, {"contents": []}), headers=modern_headers(read) | AGENT)
    assert [finding.rule.removeprefix("discovery/") for finding in told(log)] == [
        "privileged-tools-exposed",
        "bypass",
        "admin-tool-by-guest",
        "local-file-read",
    ]


def test_an_honest_guest_of_an_open_server_raises_nothing() -> None:
    log = Log()
    log.initialize("s1", headers=AGENT)
    lists = {"tools": [tool("read"), tool("write", annotations={"destructiveHint": False})]}
    log.exchange(ask(1, "tools/list"), result(1, lists), session="s1", headers=AGENT)
    uris = [{"uri": "file:///srv/a", "name": "a"}]
    log.exchange(ask(2, "resources/list"), result(2, {"resources": uris}), session="s1", headers=AGENT)
    log.exchange(ask(3, "resources/read", {"uri": "file:///srv/a"}), result(3), session="s1", headers=AGENT)
    for id in range(20):
        log.exchange(call(id, "read", path="../a"), result(id, text("ok")), session="s1", headers=AGENT)
    assert told(log) == []


def test_a_browser_tool_on_the_same_machine_is_low_and_the_cloud_behind_it_is_not() -> None:
    scene = Scene()
    scene.started()
    for pages in (["http://localhost:3000/"], ["http://localhost:3000/", "http://169.254.169.254/"]):
        scene.whole(call(1, "open", pages=pages), result(1, text("ok")), scene.session())
    assert [(found.severity.name, found.subject) for found in scene.of("discovery/ssrf")] == [
        ("LOW", "5e55 at files (loopback)"),
        ("LOW", "5e55 at files (loopback)"),
        ("HIGH", "5e55 at files (cloud metadata)"),
    ]
    far = Scene()
    far.started("https://mcp.example/")
    far.whole(call(1, "open", url="http://localhost:3000/"), result(1, text("ok")), far.session())
    assert [found.severity.name for found in far.of("discovery/ssrf")] == ["HIGH"]


def test_what_is_long_is_compared_as_well() -> None:
    log = Log()
    log.initialize("s1", headers=AGENT)
    long, other = "a" * 10_000, "b" * 10_000
    log.exchange(call(1, "dump", what=long), error(1, -32001, "Forbidden"), session="s1", headers=AGENT)
    log.exchange(call(2, "dump", what=other), result(2, text("ok")), session="s1", headers=AGENT)
    assert not [finding for finding in told(log) if finding.rule == "discovery/bypass"]
    log.exchange(call(3, "dump", what=long), result(3, text("ok")), session="s1", headers=AGENT)
    (found,) = [finding for finding in told(log) if finding.rule == "discovery/bypass"]
    assert found.severity is Severity.CRITICAL


def test_a_call_without_an_id_hides_nothing() -> None:
    log = Log()
    log.initialize("s1", headers=AGENT)
    params = {"name": "fetch", "arguments": {"url": "http://169.254.169.254/"}}
    log.exchange(note("tools/call", params), result(None, text("ok")), session="s1", headers=AGENT)
    (found,) = [finding for finding in told(log) if finding.rule == "discovery/ssrf"]
    assert found.severity is Severity.HIGH


def test_an_admin_tool_whose_caller_does_not_wait_may_have_done_it(scene: Scene) -> None:
    roles.listed(scene, roles.DUMP)
    roles.used(scene, "dump", state=CallState.TRUNCATED)
    found = only(scene, "discovery/admin-tool-by-guest")
    assert found.severity is Severity.MEDIUM
    assert found.reason.startswith('"dump" was asked by a guest, and nobody knows whether it did that; ')
