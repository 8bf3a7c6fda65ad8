"""Is what was denied let through at another try?"""

from msgspec.structs import replace

from mcpwatch.detect.phrases import cut, quote, session_label, subject_of, together
from mcpwatch.detect.rules.discovery_retry import NOBODY, Asked, Denied, Place, SecondTry
from mcpwatch.model.alerts import Finding, RuleInfo, Setting, Severity
from mcpwatch.model.entries import Principal
from mcpwatch.model.traffic import Call, Observation, SessionKind


class Bypass(SecondTry):
    """A token that was renewed, another signer or another role is no bypass: then somebody else asks."""

    info = RuleInfo(
        id="discovery/bypass",
        title="Denied, then allowed",
        severity=Severity.CRITICAL,
        meaning="A session was denied something and then got it, with the same signer and the same token.",
        action="Find out what changed: a right that somebody granted, or a way around the check. Compare both calls.",
        references=("OWASP MCP02",),
        settings=(Setting("within", 3_600, "how long after the denial, in seconds"),),
    )

    def place(self, seen: Observation, call: Call, asked: Asked) -> Place:
        return (seen.source, call.upstream, call.session or subject_of(seen))

    def compare(self, seen: Observation, call: Call, asked: Asked, denied: Denied) -> Finding | None:
        after = seen.time - denied.time
        if after > self.setting("within") or asked.caller() != denied.caller:
            return None
        if asked.unread != denied.unread:
            return None
        reason = f"{quote(call.target)} was denied at entry {denied.entry} and let through {_ago(after)} later"
        evidence = (denied.request, denied.entry, call.index, seen.index)
        if not asked.unread:
            return self.finding(seen, _subject(seen, call), f"{reason}; the caller is the same.", *evidence, call=call)
        doubt = f"{reason}; the caller seems the same, but for what {together(list(asked.unread))} may say."
        found = self.finding(seen, _subject(seen, call), doubt, *evidence, call=call)
        return replace(found, severity=Severity.MEDIUM)


class ContextHopping(SecondTry):
    """Fires where a client changes its session, and not where a guest logs in or a token is renewed.

    - Nothing of the caller changed but the session: the session has the right, and not who is in it.
    - The client opened a session as somebody else right after the denial, which an agent of many users does not do
      for the same thing.
    """

    info = RuleInfo(
        id="discovery/context-hopping",
        title="Context hopping",
        severity=Severity.HIGH,
        meaning="A client was denied something in one session and got it in another, as the same or as somebody else.",
        action="Find out whose the second session is. If the client had no right to it, end it and renew its token.",
        references=("OWASP MCP02", "OWASP ASI03"),
        settings=(
            Setting("within", 600, "how long after the denial, in seconds, where only the session changed"),
            Setting("switch", 60, "how long after the denial, in seconds, where the token's subject changed too"),
        ),
    )

    def place(self, seen: Observation, call: Call, asked: Asked) -> Place:
        return (seen.source, call.upstream, asked.client())

    def compare(self, seen: Observation, call: Call, asked: Asked, denied: Denied) -> Finding | None:
        session, after = seen.session, seen.time - denied.time
        if session is None or call.session == denied.session or asked.unread or denied.unread:
            return None
        if asked.caller() == denied.caller:
            if after > self.setting("within") or session.kind is not SessionKind.LEGACY:
                return None
            how = "where nothing else says who calls" if asked.caller() == NOBODY else "with the same signer and token"
        else:
            before, now = denied.principal, asked.exchange.principal
            is_quick = after <= self.setting("switch") and session.started >= denied.time
            if before is None or now is None or not is_quick or not _differ(before, now):
                return None
            how = f"as {_subject_of(now)} after {_subject_of(before)}"
        there = f" in session {cut(denied.label)}" if denied.label else ""
        reason = (
            f"{quote(call.target)} was denied{there} at entry {denied.entry}; {_ago(after)} later "
            f"the same client got it in session {session_label(session)}, {how}."
        )
        evidence = (denied.request, denied.entry, call.index, seen.index)
        return self.finding(seen, subject_of(seen), reason, *evidence, call=call)


def _differ(before: Principal, now: Principal) -> bool:
    return bool(before.subject and now.subject) and (before.issuer, before.subject) != (now.issuer, now.subject)


def _subject_of(principal: Principal) -> str:
    return quote(principal.subject)


def _subject(seen: Observation, call: Call) -> str:
    return f"{subject_of(seen)} ({call.target})"


def _ago(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
