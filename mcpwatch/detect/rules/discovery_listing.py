"""Does somebody list everything and use nothing?"""

from collections.abc import Iterable, Sequence

from msgspec import Struct

from mcpwatch.detect.callers import caller
from mcpwatch.detect.phrases import caller_of, host, quote, signer_subject, together, upstream_of
from mcpwatch.detect.recent import Recent
from mcpwatch.detect.rule import Rule
from mcpwatch.model.alerts import Finding, RuleInfo, Setting, Severity
from mcpwatch.model.traffic import Observation
from mcpwatch.text import count
from mcpwatch.traffic.claims import fields

_CALLERS = 10_000
_ROUNDS = 200
"""Remembered of one caller."""
_LISTS = frozenset({"tools/list", "resources/list", "resources/templates/list", "prompts/list"})
_USES = frozenset({"tools/call", "resources/read", "prompts/get", "completion/complete", "resources/subscribe"})
_ROUND_S = 10.0
_KINDS = 2
_SHOWN = 16

Place = tuple[str, str, str]
"""Feed, server and caller."""


class Round(Struct):
    """Lists of several kinds, one after the other in one session."""

    begun: float
    entry: int
    session: str
    methods: set[str]


class Enumeration(Rule):
    """Counts rounds of two or more kinds of list by a caller who uses nothing of what is listed.

    One use of anything forgives all: a program that connects for each task lists often and calls now and then. A round
    counts when it is some seconds old, since many agents may start together before the first of them calls.
    """

    info = RuleInfo(
        id="discovery/enumeration",
        title="Enumeration",
        severity=Severity.MEDIUM,
        meaning="A caller lists tools, resources and prompts over and over and uses none of them.",
        action="Find out who it is. A health check that lists can be allowed in the policy; a scanner has to stop.",
        references=("ATLAS T0084.001", "SAFE-T1601", "SAFE-T1602"),
        settings=(
            Setting("rounds", 10, "how many rounds of lists without any use"),
            Setting("within", 300, "in how many seconds"),
            Setting("patience", 10, "for how many seconds a caller who has listed may be about to call"),
        ),
    )
    kinds = ("request",)

    def __init__(self) -> None:
        self._rounds: Recent[Place, list[Round]] = Recent(_CALLERS)

    def observe(self, seen: Observation) -> Iterable[Finding]:
        found: list[Finding] = []
        for call in seen.opened:
            if call.method in _LISTS:
                if not any(fields(message.params).get("cursor") for message in seen.messages):
                    found += self._listed(seen, call.method)
            elif call.method in _USES and self._rounds:
                self._rounds.pop(_place(seen))
        return found

    def _listed(self, seen: Observation, method: str) -> Iterable[Finding]:
        place = _place(seen)
        rounds = self._rounds.get(place) or self._rounds.put(place, [])
        session = seen.session.key if seen.session is not None else ""
        here = next((each for each in reversed(rounds) if each.session == session), None)
        if here is not None and method not in here.methods and seen.time - here.begun <= _ROUND_S:
            here.methods.add(method)
        else:
            while rounds and seen.time - rounds[0].begun > self.setting("within"):
                del rounds[0]
            if len(rounds) < _ROUNDS:
                rounds.append(Round(seen.time, seen.index, session, {method}))
        before = seen.time - self.setting("patience")
        whole = [each for each in rounds if each.begun <= before and len(each.methods) >= _KINDS]
        if len(whole) >= self.setting("rounds"):
            yield self._tell(seen, whole)

    def _tell(self, seen: Observation, rounds: Sequence[Round]) -> Finding:
        who, upstream = _name(seen), upstream_of(seen)
        sessions = count(len({each.session for each in rounds}), "session")
        lists = together(sorted({method for each in rounds for method in each.methods}))
        took = seen.time - rounds[0].begun
        reason = f"{who} asked for {lists} {len(rounds)} times in {sessions} and {took:.0f} s, and used nothing."
        entries = [each.entry for each in rounds[-_SHOWN:]]
        return self.finding(seen, f"{who} at {upstream}", reason, *entries, seen.index)


def _place(seen: Observation) -> Place:
    behind, exchange = caller(seen), seen.exchange
    if exchange is None:
        return seen.source, "", ""
    if behind.signer is not None:
        who = behind.signer.fingerprint or behind.signer.id
    elif behind.principal is not None:
        principal = behind.principal
        who = f"{principal.issuer} {principal.subject or principal.token_hash}"
    else:
        who = f"{host(exchange.peer)} {_agent(seen)}"
    return seen.source, exchange.upstream, who


def _agent(seen: Observation) -> str:
    headers = seen.request.headers if seen.request is not None else ()
    return next((value for name, value in headers if name == "user-agent"), "")


def _name(seen: Observation) -> str:
    signer = caller(seen).signer
    if signer is not None:
        return signer_subject(signer)
    agent = _agent(seen)
    return f"{caller_of(seen)} with {quote(agent)}" if agent else caller_of(seen)
