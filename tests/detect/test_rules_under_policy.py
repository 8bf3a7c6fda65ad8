"""What a policy makes of the rules: how bad, off, allowed, by other thresholds; and none of it for the feed's own."""

import re

import cases_policy
import pytest
from msgspec.structs import replace
from rpc import call
from rule_scene import UNSIGNED, Scene, open_session
from verdicts import judged, verified

from mcpwatch.detect.engine import SWITCHED_OFF, Engine
from mcpwatch.detect.rules import CATALOGUE
from mcpwatch.detect.rules.shared_key import SharedKey
from mcpwatch.model.alerts import Severity
from mcpwatch.model.entries import Json
from mcpwatch.model.feed import FeedState, Gap
from mcpwatch.model.identity import Freshness, SignatureState, Verdict, Word
from mcpwatch.policy.policy import Allowance, Policy, RulePolicy
from mcpwatch.policy.terms import Signatures, Terms

REQUIRED = Policy(upstreams={"files": Terms(Signatures.REQUIRED)})


def of(verdict: Verdict, policy: Policy, rule: str) -> list[Severity]:
    scene = Scene()
    scene.engine.follow(policy)
    scene.request(call(1, "read"), verdict=verdict)
    scene.request(call(2, "read"), verdict=verdict, upstream="mail")
    return [finding.severity for finding in scene.of(rule)]


@pytest.mark.parametrize(
    ("rule", "verdict"),
    [
        ("identity/unsigned-call", UNSIGNED),
        ("identity/cannot-check", judged(Word.NO_CHECK, signature=SignatureState.UNSUPPORTED)),
        ("identity/cannot-check", judged(Word.NO_CHECK, "alice", SignatureState.UNRESOLVABLE)),
        ("identity/body-not-covered", verified("alice", word=Word.PARTIAL)),
    ],
)
def test_what_is_medium_is_high_where_signatures_are_required(rule: str, verdict: Verdict) -> None:
    assert of(verdict, REQUIRED, rule) == [Severity.HIGH, Severity.MEDIUM]


def test_anybody_may_open_a_session_where_no_signature_is_wanted() -> None:
    scene = Scene()
    scene.engine.follow(Policy(upstreams={"files": Terms(Signatures.OFF)}))
    open_session(scene, scene.session(), verdict=UNSIGNED)
    assert scene.findings == []
    scene.upstream = "mail"
    open_session(scene, scene.session(), verdict=UNSIGNED)
    assert [finding.subject for finding in scene.findings] == ['"agent 1.0" at mail']


def test_what_is_critical_stays_so() -> None:
    assert of(judged(Word.BAD_SIG, "alice"), REQUIRED, "identity/bad-signature") == [Severity.CRITICAL] * 2


def test_the_operator_has_the_last_word_on_a_severity() -> None:
    low = Policy({"identity/unsigned-call": RulePolicy(severity=Severity.LOW)}, upstreams=REQUIRED.upstreams)
    assert of(UNSIGNED, low, "identity/unsigned-call") == [Severity.LOW, Severity.LOW]


def test_a_body_that_is_covered_is_not_said_to_be_left_out() -> None:
    timeless = replace(verified("alice"), word=Word.PARTIAL, freshness=Freshness.UNDECIDABLE)
    assert of(timeless, Policy(), "identity/body-not-covered") == []


def test_the_reason_says_what_the_policy_wants() -> None:
    scene = Scene()
    cases_policy.a_signature_without_the_session_id_that_the_policy_wants(scene)
    cases_policy.a_signature_older_than_the_policy_allows(scene)
    cases_policy.a_user_who_deletes(scene)
    reasons = [finding.reason for finding in scene.findings]
    assert any("leaves out the session id" in reason for reason in reasons)
    assert any("is 31 s old; the policy allows 30 s." in reason for reason in reasons)
    assert any("its role is user, and it takes admin." in reason for reason in reasons)


def test_who_may_not_call_a_server_is_one_alert_and_each_guarded_tool_one_more() -> None:
    scene = Scene()
    scene.engine.follow(cases_policy.ONLY_ALICE)
    for number in range(5):
        scene.request(call(number, f"tool {number}"), verdict=verified("mallory"))
    assert len({finding.subject for finding in scene.of("policy/not-permitted")}) == 1
    scene = Scene()
    scene.engine.follow(cases_policy.ADMINS_DELETE)
    scene.request(call(1, "delete_a"), call(2, "delete_b"), verdict=verified("alice"))
    assert len({finding.subject for finding in scene.of("policy/not-permitted")}) == 2


def test_what_is_off_or_allowed_is_counted_and_not_told() -> None:
    scene = Scene()
    scene.engine = Engine(policy=Policy({"identity/unsigned-call": RulePolicy(off=True)}))
    scene.request(call(1, "read"), verdict=UNSIGNED)
    assert not scene.of("identity/unsigned-call")
    scene.engine.follow(Policy(allow=(Allowance("identity/*", "The night's build.", upstream="files"),)))
    scene.request(call(2, "read"), verdict=UNSIGNED)
    scene.request(call(3, "read"), verdict=UNSIGNED, upstream="mail")
    (told,) = scene.of("identity/unsigned-call")
    assert told.upstream == "mail"
    quiet = {(quiet.rule, quiet.reason): (quiet.count, quiet.last_index) for quiet in scene.engine.quiet.values()}
    assert quiet == {
        ("identity/unsigned-call", SWITCHED_OFF): (1, 0),
        ("identity/unsigned-call", "The night's build."): (1, 1),
    }


def test_an_allowance_that_is_over_keeps_nothing_quiet() -> None:
    scene = Scene()
    scene.engine.follow(Policy(allow=(Allowance("*", "Until then.", until=scene.now + 5.0),)))
    scene.request(call(1, "read"), verdict=UNSIGNED)
    assert not scene.findings
    scene.now += 10.0
    scene.request(call(2, "read"), verdict=UNSIGNED)
    assert scene.of("identity/unsigned-call")


def test_nothing_keeps_the_feeds_own_rules_quiet() -> None:
    off = {id: RulePolicy(off=True) for id in CATALOGUE}
    scene = Scene()
    scene.engine = Engine(policy=Policy(off, (Allowance("*", "Quiet."), Allowance("feed/*", "Quiet."))))
    scene.malformed()
    scene.feed(FeedState.BROKEN, gaps=(Gap(1, 2, "lost"),))
    scene.request(call(1, "read"), verdict=UNSIGNED)
    assert {finding.rule for finding in scene.findings} == {"feed/malformed", "feed/broken", "feed/gap"}
    assert not any(rule.startswith("feed/") for rule, _ in scene.engine.quiet)


def test_what_the_policy_changes_leaves_what_rules_remember() -> None:
    scene = Scene()
    session = scene.session()
    scene.request(call(1, "read"), session=session)
    scene.engine.follow(Policy(everywhere=Terms(Signatures.OFF)))
    scene.request(call(2, "read"), session=session, agent="other", peer="192.0.2.1:5")
    assert scene.of("session/shared")


def test_reasons_that_change_all_the_time_are_not_kept_apart_for_ever() -> None:
    scene = Scene()
    for number in range(1_100):
        scene.engine.follow(Policy(allow=(Allowance("*", f"Reason {number}."),)))
        scene.request(call(number, "read"), verdict=UNSIGNED)
    assert len(scene.engine.quiet) <= 1_010
    unsigned = (quiet.count for quiet in scene.engine.quiet.values() if quiet.rule == "identity/unsigned-call")
    assert sum(unsigned) == 1_100


def test_a_threshold_is_the_policys_or_the_catalogues() -> None:
    rule = SharedKey()
    assert rule.setting("within") == 60.0
    rule.follow(Policy({"identity/shared-key": RulePolicy(settings={"within": 5.0})}))
    assert rule.setting("within") == 5.0
    rule.follow(Policy())
    assert rule.setting("within") == 60.0


def test_thresholds_have_names_that_a_file_can_have() -> None:
    for info in CATALOGUE.values():
        names = [row.name for row in info.settings]
        assert len(set(names)) == len(names) and not {"off", "severity"} & set(names)
        assert all(re.fullmatch(r"[a-z]+(_[a-z]+)*", name) for name in names)
        assert all(row.default >= 0 and row.meaning and not row.meaning.endswith(".") for row in info.settings)


@pytest.mark.parametrize(
    ("calls", "told"),
    [
        ([call(1, "drop")], 'refused tools/call "drop" at files: denied'),
        ([call(1, "drop"), call(2, "read")], 'refused tools/call "drop" and 1 more at files: denied'),
        ([], "refused a POST at files: denied"),
    ],
)
def test_what_a_gateway_refused_is_named(calls: list[Json], told: str) -> None:
    scene = Scene()
    exchange = scene.request(*calls, session=scene.session())
    scene.end(exchange, rule="policy/not-permitted", reason="denied by the policy")
    assert [told in finding.reason for finding in scene.of("policy/not-permitted")] == [True]
