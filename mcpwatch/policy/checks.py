"""What is wrong with values of the policy's file that have the right form. No value is quoted: it may be a secret."""

import math
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import cast

import msgspec

from mcpwatch.config_faults import Fault, called, form_faults, meant
from mcpwatch.model.alerts import RuleInfo, Severity
from mcpwatch.policy.file import AllowKeys, CallerKeys, OwnRuleKeys, PolicyKeys, SignatureKeys
from mcpwatch.policy.policy import is_of_feed
from mcpwatch.toml_text import Path

MAX_TEXT = 1_000
"""Characters."""
_ENOUGH = "list at least one text that is not empty, or be left out"

Rules = Mapping[str, RuleInfo]
"""Rule id -> its row in the catalogue."""


def value_faults(keys: PolicyKeys, rules: Rules) -> Iterator[Fault]:
    """The settings whose values make no sense."""
    for at, terms in _terms(keys):
        yield from _terms_faults(terms, at)
    for name, upstream in keys.upstream.items():
        if not _is_text(name):
            yield Fault(("upstream", name), "[upstream.NAME] needs the name of a server")
        for glob in upstream.tool:
            yield from _glob_faults(glob, ("upstream", name, "tool", glob))
    for role in ("admin", "user"):
        members = getattr(keys.role, role)
        if members is not None and not members.identities and not members.principals:
            yield Fault(("role", role), f"role.{role} must list identities or principals")
        if members is not None and not all(map(_is_text, (*members.identities, *members.principals))):
            yield Fault(("role", role), f"role.{role} must list texts that are not empty")
    for id, table in keys.rule.items():
        yield from _rule_faults(id, table, rules)
    for index, allowed in enumerate(keys.allow):
        yield from _allow_faults(allowed, ("allow", index), rules)


def rule_shape(info: RuleInfo) -> type[OwnRuleKeys]:
    """The keys of one rule: severity, off, and its thresholds."""
    own = [(row.name, float | None, None) for row in info.settings]
    shape = msgspec.defstruct("RuleKeys", own, bases=(OwnRuleKeys,), frozen=True, kw_only=True)
    return cast(type[OwnRuleKeys], shape)


def _terms(keys: PolicyKeys) -> Iterator[tuple[Path, SignatureKeys]]:
    yield (), keys
    for name, upstream in keys.upstream.items():
        yield ("upstream", name), upstream
        for glob, tool in upstream.tool.items():
            yield ("upstream", name, "tool", glob), tool


def _terms_faults(terms: SignatureKeys, at: Path) -> Iterator[Fault]:
    if terms.max_age is not None and not (math.isfinite(terms.max_age) and terms.max_age > 0):
        yield _must((*at, "max_age"), "be more than 0 seconds")
    if not isinstance(terms, CallerKeys):
        return
    lists: dict[str, Sequence[str] | None] = {
        "identities": terms.identities,
        "principals": terms.principals,
        "roles": terms.roles,
    }
    for name, listed in lists.items():
        if listed is not None and not (listed and all(map(_is_text, listed))):
            yield _must((*at, name), _ENOUGH)


def _rule_faults(id: str, table: Mapping[str, bool | float | str], rules: Rules) -> Iterator[Fault]:
    at = ("rule", id)
    info = rules.get(id)
    if info is None:
        yield Fault(at, f"{called((id,))} is no rule; {_meant_rule(id, rules)}")
        return
    shape = rule_shape(info)
    fault = None
    for fault in form_faults(table, shape, at):
        yield fault
    if fault is not None:
        return
    keys = msgspec.convert(table, shape)
    for row in info.settings:
        value = table.get(row.name)
        if isinstance(value, float | int) and not (math.isfinite(value) and value >= 0):
            yield _must((*at, row.name), "be 0 or more")
    if is_of_feed(id):
        if keys.off:
            yield Fault((*at, "off"), f"{id} cannot be switched off: it tells whether the log can be trusted")
        if keys.severity is not None and Severity[keys.severity.name] < info.severity:
            yield Fault((*at, "severity"), f"{id} cannot be lowered: it tells whether the log can be trusted")


def _allow_faults(allowed: AllowKeys, at: Path, rules: Rules) -> Iterator[Fault]:
    yield from _glob_faults(allowed.rule, (*at, "rule"))
    yield from _glob_faults(allowed.subject, (*at, "subject"))
    fitting = [id for id in rules if fnmatchcase(id, allowed.rule)]
    if not fitting:
        yield Fault((*at, "rule"), f"{called((*at, 'rule'))} fits no rule; {_meant_rule(allowed.rule, rules)}")
    elif all(map(is_of_feed, fitting)):
        yield Fault((*at, "rule"), "the rules on the feed cannot be silenced: they tell whether the log can be trusted")
    if not allowed.reason.strip() or len(allowed.reason) > MAX_TEXT:
        yield _must((*at, "reason"), "say why, in a sentence")
    if allowed.until is not None and allowed.until.tzinfo is None:
        yield _must((*at, "until"), "have its offset, such as 2026-12-31T18:00:00Z")


def _glob_faults(glob: str, at: Path) -> Iterator[Fault]:
    if not _is_text(glob):
        yield _must(at, f"be a glob, such as delete_*, of at most {MAX_TEXT:,} characters")
    elif _is_open(glob):
        yield Fault(at, f"{called(at)} has a [ that no ] closes; [[] stands for the character itself")


def _is_open(glob: str) -> bool:
    """Whether a set of characters is not closed: `fnmatch` then takes the bracket for itself."""
    at = glob.find("[")
    while at >= 0:
        first = at + 2 if glob[at + 1 : at + 2] == "!" else at + 1
        end = glob.find("]", first + 1)
        if end < 0:
            return True
        at = glob.find("[", end + 1)
    return False


def _meant_rule(id: str, rules: Rules) -> str:
    hint = meant(id, rules)
    return hint if hint.endswith("?") else "`mcpwatch rules` lists them"


def _is_text(text: str) -> bool:
    return bool(text.strip()) and len(text) <= MAX_TEXT


def _must(at: Path, what: str) -> Fault:
    return Fault(at, f"{called(at)} must {what}")
