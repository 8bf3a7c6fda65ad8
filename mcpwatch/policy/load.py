"""From the policy's file to the policy."""

from pathlib import Path

import msgspec

from mcpwatch.config_faults import form_faults, read_file, refuse
from mcpwatch.errors import UsageError
from mcpwatch.model.alerts import Severity
from mcpwatch.model.identity import Covered
from mcpwatch.policy.checks import Rules, rule_shape, value_faults
from mcpwatch.policy.file import AllowKeys, CallerKeys, PolicyKeys, SignatureKeys
from mcpwatch.policy.members import Members, Role
from mcpwatch.policy.policy import Allowance, Policy, RulePolicy
from mcpwatch.policy.terms import ANY, Terms
from mcpwatch.program import program

NAME = "policy.toml"
"""The file beside `config.toml`."""


def load(path: Path, rules: Rules) -> Policy:
    """The policy in a file.

    Raises UsageError, which names file, line and column, when there is none or anything in it is wrong.
    """
    return policy_of(read_keys(path, rules), rules)


def read_keys(path: Path, rules: Rules) -> PolicyKeys:
    """The file as it is written; raises as `load` does."""
    hint = f"See: {program()} config template policy"
    try:
        text, document = read_file(path, hint)
    except FileNotFoundError:
        raise UsageError(f"there is no policy at {path}", hint) from None
    fault = next(form_faults(document, PolicyKeys), None)
    keys = PolicyKeys() if fault else msgspec.convert(document, PolicyKeys)
    fault = fault or next(value_faults(keys, rules), None)
    if fault:
        raise refuse(path, text, fault, hint)
    return keys


def policy_of(keys: PolicyKeys, rules: Rules) -> Policy:
    """The policy that a file without faults means."""
    everywhere = _terms(keys, ANY)
    upstreams = {name: _terms(upstream, everywhere) for name, upstream in keys.upstream.items()}
    return Policy(
        rules={id: _rule(id, table, rules) for id, table in keys.rule.items()},
        allow=tuple(map(_allowance, keys.allow)),
        roles={
            role: Members(frozenset(members.identities), frozenset(members.principals))
            for role, members in ((Role.ADMIN, keys.role.admin), (Role.USER, keys.role.user))
            if members is not None
        },
        upstreams=upstreams,
        tools={
            (name, glob): _terms(tool, upstreams[name])
            for name, upstream in keys.upstream.items()
            for glob, tool in upstream.tool.items()
        },
        everywhere=everywhere,
    )


def _terms(keys: SignatureKeys, above: Terms) -> Terms:
    """The terms that keys say, and of what they leave out those above them."""
    members, roles = above.members, above.roles
    if isinstance(keys, CallerKeys):
        before = members or Members()
        members = Members(
            before.identities if keys.identities is None else frozenset(keys.identities),
            before.principals if keys.principals is None else frozenset(keys.principals),
        )
        roles = roles if keys.roles is None else keys.roles
    return Terms(
        above.signatures if keys.signatures is None else keys.signatures,
        above.covers if keys.covers is None else tuple(Covered[part.name] for part in keys.covers),
        above.max_age if keys.max_age is None else keys.max_age,
        members if members is not None and (members.identities or members.principals) else None,
        roles,
    )


def _rule(id: str, table: dict[str, bool | float | str], rules: Rules) -> RulePolicy:
    info = rules[id]
    keys = msgspec.convert(table, rule_shape(info))
    return RulePolicy(
        keys.off,
        None if keys.severity is None else Severity[keys.severity.name],
        {row.name: float(table[row.name]) for row in info.settings if row.name in table},
    )


def _allowance(keys: AllowKeys) -> Allowance:
    until = None if keys.until is None else keys.until.timestamp()
    return Allowance(keys.rule, keys.reason, keys.subject, until, keys.upstream)
