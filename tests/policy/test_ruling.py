"""What a policy lets reach a server: one function for the gateway that refuses and the rules that tell."""

import pytest
from msgspec.structs import replace
from verdicts import judged, principal, signer, unsigned, verified

from mcpwatch.model.identity import Covered, Freshness, Verdict, Word
from mcpwatch.policy.members import Caller, Members, Role
from mcpwatch.policy.policy import Policy
from mcpwatch.policy.ruling import ALLOWED, Facts, Ruling, facts_of
from mcpwatch.policy.terms import Signatures, Terms

NOW = 1_800_000_000.0
ALICE, BOB = signer("alice"), signer("bob")
REQUIRED = Terms(Signatures.REQUIRED)


def ruled(
    terms: Terms,
    verdict: Verdict | None = None,
    method: str | None = "tools/call",
    tool: str = "read",
    *,
    caller: Caller | None = None,
    **has: bool,
) -> Ruling:
    verdict = verified() if verdict is None else verdict
    policy = Policy(upstreams={"files": terms})
    return policy.ruling("files", method, tool, caller or Caller(verdict.signer), facts_of(verdict, NOW, **has))


def test_the_empty_policy_allows_everything() -> None:
    assert Policy().ruling("files", "tools/call", "read", Caller(), Facts()) == ALLOWED
    assert Policy().ruling("files", None, "", Caller(), Facts(Word.BAD_SIG)) == ALLOWED


@pytest.mark.parametrize("signatures", [Signatures.OFF, Signatures.EXPECTED])
@pytest.mark.parametrize("word", Word)
def test_what_is_expected_is_not_required(signatures: Signatures, word: Word) -> None:
    assert ruled(Terms(signatures, max_age=1.0), judged(word)).allowed


@pytest.mark.parametrize("word", sorted(set(Word) - {Word.VERIFIED, Word.PARTIAL}))
def test_a_required_signature_has_to_be_good(word: Word) -> None:
    ruling = ruled(REQUIRED, judged(word))
    assert not ruling.allowed and ruling.rule.startswith("identity/") and word.value in ruling.reason


def test_a_refusal_names_the_rule_that_tells_of_it() -> None:
    future = replace(judged(Word.STALE), freshness=Freshness.FUTURE)
    assert ruled(REQUIRED, unsigned()).rule == "identity/unsigned-call"
    assert ruled(REQUIRED, judged(Word.WRONG_KEY)).rule == "identity/wrong-key"
    assert ruled(REQUIRED, judged(Word.STALE)).rule == "identity/stale"
    assert ruled(REQUIRED, future).rule == "identity/from-the-future"


def test_what_may_have_been_sent_before_proves_nothing() -> None:
    undecided = replace(judged(Word.PARTIAL), freshness=Freshness.UNDECIDABLE)
    ann = Members(identities=frozenset({ALICE.id}))
    for terms in (REQUIRED, Terms(members=ann), Terms(roles=(Role.USER,))):
        ruling = ruled(terms, undecided, caller=Caller(ALICE))
        assert (ruling.allowed, ruling.rule) == (False, "identity/weak-replay-protection")
    assert ruled(Terms(), undecided).allowed


@pytest.mark.parametrize(
    ("method", "allowed"),
    [
        ("initialize", True),
        ("server/discover", True),
        ("ping", True),
        ("notifications/initialized", True),
        ("notifications/cancelled", True),
        ("", True),
        ("tools/list", False),
        ("tools/call", False),
        ("resources/read", False),
        ("notifications", False),
        ("Initialize", False),
        (" ping", False),
        (None, False),
    ],
)
def test_only_the_handshake_and_notifications_need_no_signature(method: str | None, allowed: bool) -> None:
    assert ruled(REQUIRED, unsigned(), method).allowed is allowed
    assert ruled(Terms(roles=(Role.ADMIN,)), unsigned(), method).allowed is allowed


def test_a_signature_has_to_cover_what_is_asked_for() -> None:
    partial = verified("alice", Covered.METHOD, word=Word.PARTIAL)
    assert ruled(REQUIRED, partial).rule == "identity/body-not-covered"
    assert ruled(Terms(Signatures.REQUIRED, covers=()), partial).allowed
    several = Terms(Signatures.REQUIRED, covers=(Covered.SESSION, Covered.TOKEN))
    assert ruled(several, partial).allowed
    assert not ruled(several, partial, has_session=True).allowed
    assert not ruled(several, partial, has_token=True).allowed
    arguments = Terms(Signatures.REQUIRED, covers=(Covered.ARGUMENTS,))
    assert ruled(arguments, verified()).allowed
    assert not ruled(arguments, partial).allowed


def test_a_signature_may_be_as_old_as_the_policy_says() -> None:
    terms = Terms(Signatures.REQUIRED, max_age=30.0)
    assert ruled(terms, replace(verified(), signed_at=NOW - 30)).allowed
    assert ruled(terms, replace(verified(), signed_at=NOW - 30.1)).rule == "identity/stale"
    assert ruled(terms, verified()).rule == "identity/stale"


def test_a_tool_has_terms_of_its_own() -> None:
    policy = Policy(
        upstreams={"files": Terms(Signatures.OFF)},
        tools={("files", "delete_*"): REQUIRED, ("files", "*"): Terms()},
        everywhere=REQUIRED,
    )
    facts = Facts()
    assert not policy.ruling("files", "tools/call", "delete_all", Caller(), facts).allowed
    assert policy.ruling("files", "tools/call", "read", Caller(), facts).allowed
    assert policy.ruling("files", "resources/read", "delete_all", Caller(), facts).allowed
    assert not policy.ruling("another", "tools/call", "read", Caller(), facts).allowed
    assert policy.terms("files", "delete_all") is policy.terms("files", "delete_all") is REQUIRED


def test_names_that_callers_make_up_are_not_kept_for_ever() -> None:
    policy = Policy(tools={("files", "delete_*"): REQUIRED})
    for number in range(25_000):
        policy.terms("files", f"tool {number}")
    assert policy.terms("files", "delete_" + "x" * 100_000) is REQUIRED
    assert len(policy._known) <= 10_000
    assert max(len(tool) for _, tool in policy._known) < 1_000


def test_only_listed_identities_may_call() -> None:
    for listed in (ALICE.id, ALICE.fingerprint, "Alice"):
        terms = Terms(members=Members(identities=(listed,)))
        named = replace(verified(), signer=replace(ALICE, name="Alice"))
        assert ruled(terms, named).allowed
        assert ruled(terms, verified("bob")).rule == "policy/not-permitted"
        assert not ruled(terms, unsigned()).allowed


@pytest.mark.parametrize("word", sorted(set(Word) - {Word.VERIFIED, Word.PARTIAL}))
def test_a_claimed_identity_is_none_of_those_that_may(word: Word) -> None:
    terms = Terms(members=Members(identities=(ALICE.id,)))
    assert ruled(terms, judged(word, "alice")).rule == "policy/not-permitted"


def test_a_signer_without_a_name_or_key_is_nobody_listed() -> None:
    terms = Terms(members=Members(identities=("",)))
    assert not ruled(terms, replace(verified(), signer=replace(ALICE, fingerprint=""))).allowed


def test_both_lists_have_to_hold_the_caller() -> None:
    ann, mallory = principal("ann"), principal("mallory")
    terms = Terms(members=Members((ALICE.id,), ("https://login.example ann",)))
    assert ruled(terms, caller=Caller(ALICE, ann)).allowed
    assert not ruled(terms, caller=Caller(ALICE, mallory)).allowed
    assert not ruled(terms, caller=Caller(BOB, ann)).allowed
    assert not ruled(terms, caller=Caller(None, ann)).allowed


def test_roles_are_what_the_policy_says() -> None:
    policy = Policy(
        roles={Role.ADMIN: Members(("did:web:ops.example",), ("root",)), Role.USER: Members((ALICE.id,))},
        upstreams={"files": Terms(roles=(Role.USER, Role.ADMIN))},
    )
    root = principal("root")
    assert policy.role(Caller(ALICE)) is Role.USER
    assert policy.role(Caller(ALICE, root)) is Role.ADMIN
    assert policy.role(Caller(BOB)) is Role.GUEST
    assert policy.role(Caller(None, replace(root, algorithm="NONE"))) is Role.GUEST
    assert policy.role(Caller(None, replace(root, algorithm=" none"))) is Role.GUEST
    assert policy.ruling("files", "tools/list", "", Caller(ALICE), Facts(Word.VERIFIED)).allowed
    refused = policy.ruling("files", "tools/list", "", Caller(BOB), Facts(Word.VERIFIED))
    assert not refused.allowed and "guest" in refused.reason and "user or admin" in refused.reason


def test_without_listed_users_everybody_who_is_somebody_is_one() -> None:
    policy = Policy(roles={Role.ADMIN: Members(("did:web:ops.example",))})
    assert policy.role(Caller(BOB)) is Role.USER
    assert policy.role(Caller(None, principal())) is Role.USER
    assert policy.role(Caller(None, replace(principal(), algorithm="none"))) is Role.GUEST
    assert policy.role(Caller()) is Role.GUEST


def test_a_reason_is_bounded() -> None:
    long = replace(judged(Word.BAD_SIG), reasons=("x" * 5_000,))
    assert len(ruled(REQUIRED, long).reason) < 300
    terms = Terms(members=Members((ALICE.id,)))
    assert len(ruled(terms, caller=Caller(replace(BOB, id="did:web:" + "b" * 5_000))).reason) < 300
