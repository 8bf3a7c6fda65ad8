"""The policy's file: what it says is what is meant, and what is wrong in it is told with its place."""

import re
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mcpwatch.detect.rules import CATALOGUE
from mcpwatch.errors import UsageError
from mcpwatch.model.alerts import Finding, Severity
from mcpwatch.model.identity import Covered
from mcpwatch.policy.file import (
    AllowKeys,
    MemberKeys,
    Part,
    PolicyKeys,
    RoleKeys,
    SeverityName,
    ToolKeys,
    UpstreamKeys,
)
from mcpwatch.policy.load import load, policy_of, read_keys
from mcpwatch.policy.members import Caller, Members, Role
from mcpwatch.policy.policy import Policy, is_of_feed
from mcpwatch.policy.template import SECTIONS, dump, keys, template
from mcpwatch.policy.terms import Signatures, Terms

WHOLE = """
signatures = "off"
max_age = 60

[upstream.files]
signatures = "required"
covers = ["body", "session"]
roles = ["user", "admin"]

[upstream.files.tool."delete_*"]
roles = ["admin"]
identities = ["ops"]

[upstream.files.tool."*"]
covers = []

[upstream.weather]

[role.admin]
identities = ["did:web:ops.example"]
principals = ["https://issuer.example root"]

[rule."identity/unsigned-call"]
severity = "low"

[rule."discovery/permission-probing"]
off = true
denials = 5

[[allow]]
rule = "discovery/*"
upstream = "files"
reason = "The scanner of our own."
until = 2027-01-01T00:00:00Z
"""


def read(tmp_path: Path, text: str) -> Policy:
    path = tmp_path / "policy.toml"
    path.write_text(text)
    return load(path, CATALOGUE)


def refused(tmp_path: Path, text: str) -> str:
    with pytest.raises(UsageError) as raised:
        read(tmp_path, text)
    assert "config template policy" in raised.value.hint
    return raised.value.title


def test_the_whole_file_is_what_it_says(tmp_path: Path) -> None:
    policy = read(tmp_path, WHOLE)
    files = Terms(Signatures.REQUIRED, (Covered.BODY, Covered.SESSION), 60.0, None, (Role.USER, Role.ADMIN))
    assert policy.terms("files") == files
    assert policy.terms("files", "read") == msgspec.structs.replace(files, covers=())
    assert policy.terms("files", "delete_all") == msgspec.structs.replace(
        files, members=Members(frozenset({"ops"}), frozenset()), roles=(Role.ADMIN,)
    )
    assert policy.terms("weather") == policy.terms("another") == Terms(Signatures.OFF, (Covered.BODY,), 60.0)
    assert policy.role(Caller()) is Role.GUEST
    assert policy.roles[Role.ADMIN].principals == {"https://issuer.example root"}
    assert policy.rules["identity/unsigned-call"].severity is Severity.LOW
    probing = policy.rules["discovery/permission-probing"]
    assert probing.off and probing.settings == {"denials": 5.0}


def test_an_empty_file_is_the_empty_policy(tmp_path: Path) -> None:
    assert read(tmp_path, "") == Policy()


def test_an_allowance_covers_what_it_says(tmp_path: Path) -> None:
    policy = read(tmp_path, WHOLE)
    found = Finding("discovery/bypass", Severity.HIGH, "s", "r.", (1,), upstream="files")
    before, after = (datetime(2027, 1, 1, tzinfo=UTC).timestamp() + step for step in (-1.0, 1.0))
    assert policy.allowance(found, before) is policy.allow[0]
    assert policy.allowance(found, after) is None
    assert policy.allowance(msgspec.structs.replace(found, upstream="weather"), before) is None
    assert policy.allowance(msgspec.structs.replace(found, rule="tool/poisoned"), before) is None


def test_nothing_allows_what_the_feed_proves_of_itself(tmp_path: Path) -> None:
    policy = read(tmp_path, '[[allow]]\nrule = "*"\nreason = "A quiet day."\n')
    for rule in CATALOGUE:
        found = Finding(rule, Severity.HIGH, "s", "r.", (1,))
        assert (policy.allowance(found, 0.0) is None) is is_of_feed(rule)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a = [1,\n", "line 2, column 1 is no TOML: Invalid value"),
        ("\nsignatures = \n", "line 2, column 14 is no TOML"),
        ("[a]\n[a]\n", "line 2, column 3 is no TOML"),
        ("a = " + "[" * 5_000, "nested too deep"),
        ("a = " + "9" * 5_000, "a number in it is too long"),
        ("signatures = 'on'", "line 1, column 1: signatures must be one of these, in quotes: off, expected, required"),
        ("\nidentities = ['a']", "line 2, column 1: identities is not a setting of the whole"),
        ("[upsteam.a]", "line 1, column 2: [upsteam] is not a section; did you mean upstream?"),
        ("upstream = 1", "line 1, column 1: upstream must be a section: [upstream]"),
        ("[upstream]\na = 1", "line 2, column 1: upstream.a must be a section: [upstream.a]"),
        ("[upstream.'']", "line 1, column 2: [upstream.NAME] needs the name of a server"),
        ("[upstream.a]\n identites = ['x']", "line 2, column 2: upstream.a.identites is not a setting; did you mean"),
        ("[upstream.a]\nidentities = []", "line 2, column 1: upstream.a.identities must list at least one"),
        ("[upstream.a]\nroles = []", "line 2, column 1: upstream.a.roles must list at least one"),
        ("[upstream.a]\nprincipals = ['']", "line 2, column 1: upstream.a.principals must list at least one"),
        ("[upstream.a]\nroles = ['root']", "upstream.a.roles must be a list of these, in quotes: guest, user, admin"),
        ("covers = ['boddy']", "line 1, column 1: covers must be a list of these, in quotes: method, target"),
        ("max_age = 0", "line 1, column 1: max_age must be more than 0 seconds"),
        ("max_age = nan", "max_age must be more than 0"),
        ("max_age = inf", "max_age must be more than 0"),
        ("max_age = true", "max_age must be a number"),
        ("[upstream.a.tool.'del[e']\nroles = ['admin']", 'line 1, column 2: upstream.a.tool."del[e" has a [ that no ]'),
        ("upstream.a.tool.'' = {}", 'line 1, column 1: upstream.a.tool."" must be a glob'),
        ("upstream = {a = {tool = {b = {off = 1}}}}", "line 1, column 31: upstream.a.tool.b.off is not a setting"),
        ("[role.guest]\nidentities = ['x']", "line 1, column 2: role.guest is not a setting; there are: admin, user"),
        ("[role.admin]", "line 1, column 2: role.admin must list identities or principals"),
        ("[role.user]\nprincipals = [' ']", "line 1, column 2: role.user must list texts"),
        ("[rule.'identity/stal']\noff = true", '"identity/stal" is no rule; did you mean identity/stale?'),
        ("[rule.'zzz']\noff = true", "zzz is no rule; `mcpwatch rules` lists them"),
        ("[rule.'identity/stale']\noff = 'yes'", 'line 2, column 1: rule."identity/stale".off must be true or false'),
        ("[rule.'identity/stale']\nseverity = 'hi'", "severity must be one of these, in quotes: low, medium, high"),
        ("[rule.'discovery/permission-probing']\ndenial = 1", "denial is not a setting; did you mean denials?"),
        ("[rule.'discovery/permission-probing']\ndenials = -1", "line 2, column 1: rule"),
        ("[rule.'discovery/permission-probing']\ndenials = 'x'", "denials must be a number"),
        ("[rule.'feed/gap']\noff = true", "line 2, column 1: feed/gap cannot be switched off"),
        ("[rule.'feed/malformed']\nseverity = 'low'", "line 2, column 1: feed/malformed cannot be lowered"),
        ("[[allow]]\nrule = '*'", "line 1, column 3: allow[1] needs its reason"),
        ("[[allow]]\nrule = '*'\nreason = ' '", "line 3, column 1: allow[1].reason must say why"),
        ("[[allow]]\nreason = 'x'", "allow[1] needs its rule"),
        ("[[allow]]\nrule = 'feed/*'\nreason = 'x'", "line 2, column 1: the rules on the feed cannot be silenced"),
        ("[[allow]]\nrule = 'nothing/*'\nreason = 'x'", "line 2, column 1: allow[1].rule fits no rule"),
        ("[[allow]]\nrule = '[!]'\nreason = 'x'", "line 2, column 1: allow[1].rule has a [ that no ] closes"),
        (
            "[[allow]]\nrule = '*'\nreason = 'x'\nuntil = 2027-01-01T00:00:00",
            "line 4, column 1: allow[1].until must have",
        ),
        ("[[allow]]\nrule = '*'\nreason = 'x'\nuntil = 2027-01-01", "line 4, column 1: allow[1].until must be a date"),
        ("[[allow]]\nrule = '*'\nreason = 'x'\nuntil = 2027-13-01T00:00:00Z", "line 4, column 13 is no TOML"),
        ("allow = {}", "line 1, column 1: allow must be a list of sections: [[allow]]"),
        ("allow = [1]", "line 1, column 10: allow[1] must be a section"),
    ],
)
def test_what_is_wrong_is_said_with_line_and_column(tmp_path: Path, text: str, said: str) -> None:
    title = refused(tmp_path, text)
    assert said in title and str(tmp_path / "policy.toml") in title


@pytest.mark.parametrize(
    "text",
    [
        "signatures = 'hunter2'",
        "[upstream.a]\nidentities = 'hunter2'",
        "[upstream.a]\nprincipals = ['hunter2', '']",
        "[rule.'identity/stale']\nseverity = 'hunter2'",
        "[[allow]]\nrule = 'hunter2'\nreason = 'x'",
        "[[allow]]\nrule = '[hunter2'\nreason = 'x'",
        "x = hunter2",
        "x = 'hunter2",
        "x = 1 hunter2",
    ],
)
def test_no_value_is_quoted(tmp_path: Path, text: str) -> None:
    assert "hunter2" not in refused(tmp_path, text)


def test_a_file_that_is_not_there_or_cannot_be_read_is_no_policy(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"there is no policy at .*gone\.toml"):
        load(tmp_path / "gone.toml", CATALOGUE)
    with pytest.raises(UsageError, match="Is a directory"):
        load(tmp_path, CATALOGUE)
    assert "is larger than" in refused(tmp_path, "#" * 1_100_000)
    (tmp_path / "latin.toml").write_bytes(b"\xff")
    with pytest.raises(UsageError, match="no text in UTF-8"):
        load(tmp_path / "latin.toml", CATALOGUE)


def test_the_template_uncommented_loads(tmp_path: Path) -> None:
    text = template(CATALOGUE)
    assert read(tmp_path, text) == Policy()
    policy = read(tmp_path, re.sub(r"(?m)^#(?! )", "", text))
    assert policy.terms("files").signatures is Signatures.REQUIRED
    assert policy.terms("files", "delete_all").roles == (Role.ADMIN,)
    assert {id for id, info in CATALOGUE.items() if info.settings} <= set(policy.rules)
    assert policy.allow and policy.roles.keys() == {Role.ADMIN, Role.USER}


def test_the_template_explains_every_key() -> None:
    text = " ".join(line.removeprefix("# ") for line in template(CATALOGUE).splitlines())
    for section in SECTIONS:
        assert set(section.example) == set(section.keys.__struct_fields__) - {"tool"}
    for key in keys():
        assert key.meaning.endswith(".") and key.meaning in text
    for info in CATALOGUE.values():
        assert all(row.meaning in text for row in info.settings)


TEXT = st.text(st.characters(codec="utf-8"), min_size=1, max_size=8).filter(str.strip)
GLOB = TEXT.map(lambda text: text.replace("[", "?"))
SIGNATURES = {
    "signatures": st.none() | st.sampled_from(Signatures),
    "covers": st.none() | st.lists(st.sampled_from(Part), max_size=3).map(tuple),
    "max_age": st.none() | st.floats(min_value=1e-3, max_value=1e12),
}
LISTED = st.none() | st.lists(TEXT, min_size=1, max_size=3).map(tuple)
ROLES = st.none() | st.lists(st.sampled_from(Role), min_size=1, max_size=3).map(tuple)
CALLERS = {**SIGNATURES, "identities": LISTED, "principals": LISTED, "roles": ROLES}
SOME = st.lists(TEXT, min_size=1, max_size=3).map(tuple)
MEMBERS = st.none() | st.builds(MemberKeys, identities=SOME, principals=SOME)
OWN = st.fixed_dictionaries(
    {}, optional={"off": st.booleans(), "severity": st.sampled_from([name.value for name in SeverityName])}
)
ALLOWED = st.builds(
    AllowKeys,
    rule=st.sampled_from(["*", "identity/*", "session/shared"]),
    subject=GLOB,
    upstream=TEXT,
    reason=TEXT,
    until=st.none() | st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)),
)
POLICIES = st.builds(
    PolicyKeys,
    **SIGNATURES,
    upstream=st.dictionaries(
        TEXT,
        st.builds(UpstreamKeys, **CALLERS, tool=st.dictionaries(GLOB, st.builds(ToolKeys, **CALLERS), max_size=2)),
        max_size=3,
    ),
    role=st.builds(RoleKeys, admin=MEMBERS, user=MEMBERS),
    rule=st.dictionaries(st.sampled_from([id for id in CATALOGUE if not is_of_feed(id)]), OWN, max_size=3),
    allow=st.lists(ALLOWED, max_size=2).map(tuple),
)


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(POLICIES)
def test_any_policy_dumps_and_loads_equal(tmp_path: Path, written: PolicyKeys) -> None:
    path = tmp_path / "policy.toml"
    path.write_text(dump(written))
    again = read_keys(path, CATALOGUE)
    assert again == written
    assert load(path, CATALOGUE) == policy_of(written, CATALOGUE)


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_broken_file_raises_nothing_else(tmp_path: Path, data: st.DataObject) -> None:
    text = data.draw(st.sampled_from([WHOLE, template(CATALOGUE).replace("\n#", "\n")]))
    at = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(at, min(at + 40, len(text))))
    path = tmp_path / "policy.toml"
    path.write_bytes(text[:at].encode() + data.draw(st.binary(max_size=12)) + text[end:].encode())
    try:
        assert isinstance(load(path, CATALOGUE), Policy)
    except UsageError as error:
        assert str(path) in error.title
