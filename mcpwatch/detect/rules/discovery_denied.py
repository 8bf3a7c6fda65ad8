"""Is what was denied let through at another try?"""

from abc import abstractmethod
from collections.abc import Iterable
from typing import NamedTuple

from msgspec.structs import replace

from mcpwatch.detect.callers import caller_behind, is_unsettled
from mcpwatch.detect.credentials import unread
from mcpwatch.detect.phrases import cut, host, quote, session_label, subject_of, together
from mcpwatch.detect.recent import Recent
from mcpwatch.detect.refusals import ACTING, came_through, is_of_caller, names_target, was_denied
from mcpwatch.detect.rule import Rule
from mcpwatch.model.alerts import Finding, RuleInfo, Setting, Severity
from mcpwatch.model.entries import Header, Principal
from mcpwatch.model.traffic import Call, Direction, Exchange, Observation, RpcMessage, SessionKind

_PLACES = 10_000
_OPEN = 4_000
_TARGETS = 64
"""Denied ones remembered of one session or client."""

_NOBODY = ("", "", "", "")

Place = tuple[str, str, str]


class Asked(NamedTuple):
    """A request for something by its name."""

    exchange: Exchange
    headers: tuple[Header, ...]
    unread: tuple[str, ...]
    arguments: int | None
    """A hash; None where values were masked, so that nobody can compare them."""

    def caller(self) -> tuple[str, str, str, str]:
        """Who called: signer, and the token's issuer, subject and hash; of a token that is not signed, nothing."""
        caller = caller_behind(self.exchange)
        if caller.is_nobody:
            return _NOBODY
        signer, token = caller.signer, caller.principal
        name = (signer.fingerprint or signer.id) if signer is not None else ""
        return (name, token.issuer, token.subject, token.token_hash) if token is not None else (name, "", "", "")

    def client(self) -> str:
        """The program that called: its key, else its address and user agent."""
        signer = caller_behind(self.exchange).signer
        if signer is not None:
            return signer.fingerprint or signer.id
        agent = next((value for name, value in self.headers if name == "user-agent"), "")
        return f"{host(self.exchange.peer)} {agent}"


class Denied(NamedTuple):
    """A request that was denied."""

    asked: Asked
    time: float
    entry: int
    session: str
    label: str
    """The session in a sentence."""
    is_about_target: bool
    """Whether the denial names what was asked for, so that other arguments would have been denied as well."""


class SecondTry(Rule):
    """Base of the rules that hold what is let through against what was denied.

    The same arguments, or a denial that names the tool: a server that denies one path and reads another is no finding.
    """

    kinds = ("request", "response", "message", "end")

    def __init__(self) -> None:
        self._asked: Recent[str, Asked] = Recent(_OPEN)
        self._denied: Recent[Place, dict[tuple[str, str], Denied]] = Recent(_PLACES)

    @abstractmethod
    def place(self, seen: Observation, call: Call, asked: Asked) -> Place:
        """Where a denial is looked for."""

    @abstractmethod
    def compare(self, seen: Observation, call: Call, asked: Asked, denied: Denied) -> Finding | None:
        """What is wrong with a call that came through after that denial."""

    def observe(self, seen: Observation) -> Iterable[Finding]:
        if seen.kind == "request":
            for call in seen.opened:
                if call.method in ACTING and call.target and call.direction is Direction.TO_SERVER:
                    self._ask(seen, call)
            return
        for call in seen.updated:
            asked = self._asked.pop(call.id) if call.ended is not None else None
            if asked is None or is_unsettled(asked.exchange):
                continue
            if was_denied(call):
                if is_of_caller(call, asked.exchange.principal is not None):
                    self._deny(seen, call, asked)
            elif self._denied and came_through(seen, call):
                denied = (self._denied.get(self.place(seen, call, asked)) or {}).get((call.method, call.target))
                if denied is not None and (denied.is_about_target or _same(denied.asked.arguments, asked.arguments)):
                    finding = self.compare(seen, call, asked, denied)
                    if finding is not None:
                        yield finding

    def _ask(self, seen: Observation, call: Call) -> None:
        request, exchange = seen.request, seen.exchange
        if request is None or exchange is None:
            return
        masked = request.body is None or request.body.masked or request.body.text is None
        arguments = None if masked else _arguments(seen.messages, call)
        self._asked.put(call.id, Asked(exchange, request.headers, unread(request), arguments))

    def _deny(self, seen: Observation, call: Call, asked: Asked) -> None:
        place = self.place(seen, call, asked)
        denied = self._denied.get(place) or self._denied.put(place, {})
        key = (call.method, call.target)
        denied.pop(key, None)
        label = session_label(seen.session) if seen.session is not None else ""
        denied[key] = Denied(asked, seen.time, seen.index, call.session, label, names_target(call))
        if len(denied) > _TARGETS:
            del denied[next(iter(denied))]


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
        if after > self.setting("within") or asked.caller() != denied.asked.caller():
            return None
        if asked.unread != denied.asked.unread:
            return None
        reason = f"{quote(call.target)} was denied at entry {denied.entry} and let through {_ago(after)} later"
        evidence = (denied.asked.exchange.index, denied.entry, call.index, seen.index)
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
        if session is None or call.session == denied.session or asked.unread or denied.asked.unread:
            return None
        if asked.caller() == denied.asked.caller():
            if after > self.setting("within") or session.kind is not SessionKind.LEGACY:
                return None
            how = "where nothing else says who calls" if asked.caller() == _NOBODY else "with the same signer and token"
        else:
            before, now = denied.asked.exchange.principal, asked.exchange.principal
            is_quick = after <= self.setting("switch") and session.started >= denied.time
            if before is None or now is None or not is_quick or not _differ(before, now):
                return None
            how = f"as {_subject_of(now)} after {_subject_of(before)}"
        there = f" in session {cut(denied.label)}" if denied.label else ""
        reason = (
            f"{quote(call.target)} was denied{there} at entry {denied.entry}; {_ago(after)} later "
            f"the same client got it in session {session_label(session)}, {how}."
        )
        evidence = (denied.asked.exchange.index, denied.entry, call.index, seen.index)
        return self.finding(seen, subject_of(seen), reason, *evidence, call=call)


def _arguments(messages: tuple[RpcMessage, ...], call: Call) -> int | None:
    message = next((message for message in messages if message.id == call.rpc_id), None)
    params = message.params if message is not None else None
    return hash(repr(params.get("arguments"))) if isinstance(params, dict) else None


def _same(before: int | None, now: int | None) -> bool:
    return before is not None and before == now


def _differ(before: Principal, now: Principal) -> bool:
    return bool(before.subject and now.subject) and (before.issuer, before.subject) != (now.issuer, now.subject)


def _subject_of(principal: Principal) -> str:
    return quote(principal.subject)


def _subject(seen: Observation, call: Call) -> str:
    return f"{subject_of(seen)} ({call.target})"


def _ago(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
