"""Are the ids of sessions good, and do they stay where they belong?"""

from collections.abc import Iterable

from mcpwatch.detect.callers import caller
from mcpwatch.detect.phrases import cut, quote, subject_of, upstream_of
from mcpwatch.detect.recent import Recent
from mcpwatch.detect.rule import Rule
from mcpwatch.detect.rules.unsigned import asked_for
from mcpwatch.model.alerts import Finding, RuleInfo, Severity
from mcpwatch.model.entries import Leak, SessionForm
from mcpwatch.model.traffic import CallState, Observation, Session, SessionKey, SessionKind
from mcpwatch.policy.members import Caller
from mcpwatch.traffic.binding import same_signer
from mcpwatch.traffic.naming import legacy_key

_LEGACY = SessionKind.LEGACY
_SESSIONS = 10_000
_OPENING = 2_000
_HIJACKING = "MCP security best practices: session hijacking"

_WEAK: dict[SessionForm, str] = {
    "short": "that is shorter than 16 characters",
    "counter": "that counts on from those before it",
    "timestamp": "that is little more than the time of day",
    "time-uuid": "that is a UUID made of time and place",
    "fixed": "that is like those before it but for a few characters",
}


class WeakId(Rule):
    """What is wrong with an id is the gateway's word, since the log has a keyed hash. The server is the subject."""

    info = RuleInfo(
        id="session/weak-id",
        title="Weak session id",
        severity=Severity.HIGH,
        meaning="A server gives out session ids that others can guess. Who has an id has the session.",
        action="Let the server make ids from a secure random source, 128 bits or more, as the MCP specification asks.",
        references=(_HIJACKING,),
    )
    kinds = ("response",)

    def observe(self, seen: Observation) -> Iterable[Finding]:
        if seen.response is None or not seen.response.session_form:
            return ()
        reason = f"{cut(upstream_of(seen))} gave out a session id {_WEAK[seen.response.session_form]}."
        return (self.finding(seen, f"ids of {upstream_of(seen)}", reason),)


class IdCollision(Rule):
    """Ids that a server makes of the caller's name come again for the same caller, which is no collision."""

    info = RuleInfo(
        id="session/id-collision",
        title="Session id given twice",
        severity=Severity.CRITICAL,
        meaning="A server opened a session under the id of one that is still open, for somebody else or for nobody "
        "who can be told. Both are now in one session.",
        action="Take the server out of use until its ids are random. Look at what either caller did since.",
        references=(_HIJACKING,),
    )
    kinds = ("request", "response")

    def __init__(self) -> None:
        self._carried: Recent[tuple[str, int], str] = Recent(_OPENING)
        """Requests that open a session -> the hash of the id that they carry."""
        self._opened: Recent[SessionKey, tuple[Caller, int]] = Recent(_SESSIONS)

    def observe(self, seen: Observation) -> Iterable[Finding]:
        if seen.request is None:
            return self._answered(seen) if self._carried else ()
        for call in seen.opened:
            if call.method == "initialize":
                self._carried.put((seen.source, seen.index), seen.request.session)
        return ()

    def _answered(self, seen: Observation) -> Iterable[Finding]:
        exchange, session = seen.exchange, seen.session
        if exchange is None or session is None or session.kind is not _LEGACY:
            return
        carried = self._carried.pop((source := seen.source, exchange.index)) if exchange.calls else None
        if carried is None or legacy_key(exchange.upstream, carried) == session.key:
            return
        place, who = (source, session.key), caller(seen)
        known = self._opened.get(place)
        if known is None or session.initialized_at == seen.index:
            self._opened.put(place, (who, seen.index))
        elif not _same(known[0], who):
            first, since = known
            reason = (
                f"{cut(exchange.upstream)} gave {cut(str(who))} the id of the session that it opened at entry {since} "
                f"for {cut(str(first))}."
            )
            yield self.finding(seen, subject_of(seen), reason, since, exchange.index, seen.index)


class ReInitialised(Rule):
    info = RuleInfo(
        id="session/re-initialised",
        title="Initialised again",
        severity=Severity.LOW,
        meaning="The handshake came again inside a running session, and the server took it. "
        "What was settled at first, such as a role, may be another now.",
        action="See whether the client restarted. If not, find out who sent the second handshake.",
    )
    kinds = ("request", "message", "end")
    methods = frozenset({"initialize"})

    def __init__(self) -> None:
        self._again: Recent[tuple[str, int], str] = Recent(_OPENING)
        """Handshakes that carry the id of a running session -> that session."""

    def observe(self, seen: Observation) -> Iterable[Finding]:
        session = seen.session
        if session is None or session.kind is not _LEGACY:
            return ()
        for call in seen.opened:
            if call.method == "initialize":
                self._again.put((seen.source, call.index), session.key)
        return self._answered(seen, session) if seen.updated else ()

    def _answered(self, seen: Observation, session: Session) -> Iterable[Finding]:
        for call in seen.updated:
            if call.method != "initialize" or call.ended is None:
                continue
            if self._again.pop((seen.source, call.index)) == session.key and call.state is CallState.DONE:
                since = session.initialized_at
                began = "" if since is None else f", which was initialised at entry {since}"
                evidence = (call.index, seen.index) if since is None else (since, call.index, seen.index)
                reason = f"A second handshake was answered in the session{began}."
                yield self.finding(seen, subject_of(seen), reason, *evidence, call=call)


class IdLeaked(Rule):
    """Where the id stands is the gateway's word, which alone knows it. Each place is a subject of its own."""

    info = RuleInfo(
        id="session/id-leaked",
        title="Session id leaked",
        severity=Severity.MEDIUM,
        meaning="The id of a session stands where others read it: in an address, in arguments, in an answer. "
        "Logs, models and other tools get it, and who has it has the session.",
        action="Find out what puts it there. The id belongs in the Mcp-Session-Id header field only.",
        references=("OWASP MCP01", _HIJACKING),
    )
    kinds = ("request", "message")

    def observe(self, seen: Observation) -> Iterable[Finding]:
        is_leaked = seen.leaked or (seen.request is not None and seen.request.leaked)
        return self._told(seen) if is_leaked else ()

    def _told(self, seen: Observation) -> Iterable[Finding]:
        if seen.leaked:
            call = next(iter(seen.updated or (seen.exchange.calls if seen.exchange else ())), None)
            what = (call.target or call.method) if call else next((part.method for part in seen.messages), "")
            where = f"answer to {quote(what)}" if call else "stream"
            reason = f"The {where} holds the session's id."
            yield self.finding(seen, f"{what or 'stream'} answers at {upstream_of(seen)}", reason, call=call)
        elif seen.request is not None and seen.request.leaked:
            for place in seen.request.leaked:
                what, reason = _leak(seen, place)
                yield self.finding(seen, f"{what} at {upstream_of(seen)}", reason)


def _leak(seen: Observation, place: Leak) -> tuple[str, str]:
    """What holds the id, and the sentence that says so."""
    if place == "target":
        return "address", "The session's id stands in the address of the request."
    target = next((call.target or call.method for call in seen.opened), "request")
    return f"{target} arguments", f"What {asked_for(seen) or 'the request'} sends holds the session's id."


def _same(one: Caller, other: Caller) -> bool:
    """Whether two callers are proven to be one."""
    if one.signer is not None and other.signer is not None:
        return same_signer(one.signer, other.signer)
    if one.is_nobody or other.is_nobody or one.principal is None or other.principal is None:
        return False
    if one.principal.subject or other.principal.subject:
        return (one.principal.issuer, one.principal.subject) == (other.principal.issuer, other.principal.subject)
    return one.principal.token_hash == other.principal.token_hash
