"""Where does data go, along a chain of calls?"""

import re
from collections.abc import Iterable

from msgspec.structs import replace

from mcpwatch.detect.lineage import ADDRESSES, PRIVATE, Learnt, Lineage, Parent, has, named, path
from mcpwatch.detect.phrases import who_of
from mcpwatch.detect.rule import Rule
from mcpwatch.model.alerts import Finding, RuleInfo, Setting, Severity
from mcpwatch.model.tools import ToolClass
from mcpwatch.model.traffic import Call, DataFlow, Observation, ValueKind
from mcpwatch.traffic.tool_class import words_of

_BACKENDS = frozenset(ToolClass) - {ToolClass.WRITE}
"""Writing is what most tools are for, and no backend of its own."""
_POWERFUL = frozenset({ToolClass.EXEC, ToolClass.TEMPLATE, ToolClass.XML, ToolClass.SECRETS})
"""Where a value does harm that was harmless before: it is run, or opens what is locked."""
_OUT = frozenset({ToolClass.SEND, ToolClass.FETCH, ToolClass.EXEC})
"""What can take data out: a request for a page does so by its address, a command as it likes."""
_CREDENTIAL = re.compile(
    r"\b(?:authori[sz]ation|auth|bearer|(?:api|access) ?key|cookie|passw(?:or)?d|secret|token|credential)s?\b"
)
"""Words of arguments by which a call says who makes it."""
_PUBLIC = frozenset({"id", "uuid", "guid", "digest", "hash", "sha", "sha256", "version", "revision", "commit", "etag"})
"""Last words of fields, even of a vault, that hold no secret."""
_SETTINGS = re.compile(r"\b(?:config|configuration|settings|preferences)\b")
_LOCKS = re.compile(r"\b(?:secret|credential|passw(?:or)?d|vault|keychain|token|key)s?\b")
"""What tools of secrets are called that give settings, and those that give what is locked away."""
_LOW = Severity.LOW
_TWO_OF_THREE = 2
_MAX_CASES = 8
"""Calls that brought untrusted content, and private reads, looked at for one call; the newest."""


class FlowRule(Rule):
    """Base of the rules that look at calls in the light of those that led to them."""

    kinds = ("request",)
    rejudges = True

    def __init__(self) -> None:
        self._lineage = Lineage()

    def observe(self, seen: Observation) -> Iterable[Finding]:
        learnt = self._lineage.learn(seen)
        return self.follows(seen, learnt) if learnt else ()

    def follows(self, seen: Observation, learnt: Iterable[Learnt]) -> Iterable[Finding]:
        """What is wrong with the calls that this entry makes known."""
        return ()


class AcrossBackends(FlowRule):
    """Counts calls that bring a class that none before them in the chain had, so that one tool of three classes is one.

    Honest agents do use many tools for one task. So a session is no chain, nor are calls that merely follow each other;
    and it is low unless a value of another backend, and more than a path, ends up where it is run or opens what is
    locked. What is low and a trifecta is told of as that alone.
    """

    info = RuleInfo(
        id="chain/across-backends",
        title="Chain across backends",
        severity=Severity.MEDIUM,
        meaning="One chain of calls reaches several kinds of backends, and what one gave is run or looked up by "
        "another. Each call alone may look harmless.",
        action="Follow the chain in the session. Split the tools between agents if no task needs them together.",
        references=("SAFE-T1703", "OWASP MCP02"),
        settings=(Setting("backends", 3, "kinds of backends in one chain"),),
    )

    def follows(self, seen: Observation, learnt: Iterable[Learnt]) -> Iterable[Finding]:
        for call, known, *_ in learnt:
            if not known or known >= _BACKENDS.intersection(call.classes):
                continue
            before = self._lineage.before(call)
            new = _new_backends([*(parent.call for parent in before), call])
            if len(new) < self.setting("backends") or new[-1] is not call:
                continue
            reason = f"{len(new)} kinds of backends in one chain: {path(new)}."
            evidence = sorted({one.index for one in new})
            found = self.finding(seen, f"{who_of(seen)}: {_names(new)}", reason, *evidence, call=call)
            if self._is_fed(call) and has(call, _POWERFUL):
                yield found
            elif not _is_trifecta(self._lineage, call, known):
                yield replace(found, severity=_LOW)

    def _is_fed(self, call: Call) -> bool:
        """Whether it takes a value of another backend; which file to work on is said from tool to tool all day."""
        sources = (self._lineage.find(flow.parent) for flow in call.flows if flow.kind is not ValueKind.PATH)
        return any(source is not None and set(source.classes) != set(call.classes) for source in sources)


class Exfiltration(FlowRule):
    """Without a value that is seen to leave there is nothing to tell: reading and then sending is what agents do.

    A secret, or what looks like one and comes from a tool of secrets, is critical; medium in a command, which may
    well stay inside. Low where the call says by it who makes it, as in a header, unless content from outside says where
    the call goes: so does each agent that deploys with the token of its configuration. That an id or a path goes into a
    message is daily work ("your order ... is on its way"), so it is low, and where it is a trifecta told of as that
    alone; and an address that was looked up is merely where the message goes. Whoever wraps the data in more than
    base64 is not seen.
    """

    info = RuleInfo(
        id="chain/exfiltration",
        title="Exfiltration",
        severity=Severity.CRITICAL,
        meaning="A call takes out what an earlier call read: a secret, or what a tool of secrets gave, is in the "
        "arguments of a tool that sends or fetches.",
        action="Stop the agent. Replace what was taken out. Look at where it went and at what the agent read before.",
        references=("ATLAS T0086", "SAFE-T1911", "SAFE-T1913"),
    )

    def follows(self, seen: Observation, learnt: Iterable[Learnt]) -> Iterable[Finding]:
        for call, known, *_ in learnt:
            if call.flows and has(call, _OUT):
                taken = [
                    (strength, flow, source) for flow in call.flows for strength, source in self._taken(call, flow)
                ]
                if taken:
                    strength, flow, source = max(taken, key=lambda each: each[0])
                    if strength is not _LOW or not _is_trifecta(self._lineage, call, known):
                        yield self._told(seen, call, flow, source, strength)

    def _taken(self, call: Call, flow: DataFlow) -> Iterable[tuple[Severity, Call]]:
        """How bad it is that this value goes out, and the private read that it comes from."""
        given = self._lineage.find(flow.parent)
        if given is None:
            return
        sources = [given, *self._lineage.fed(given)]
        source = next((one for one in sources if has(one, PRIVATE)), None)
        if source is None:
            return
        if flow.kind is ValueKind.SECRET or _is_locked(given, flow):
            yield self._weigh(call, flow), source
        elif has(call, (ToolClass.SEND,)) and flow.kind not in ADDRESSES:
            yield _LOW, source

    def _weigh(self, call: Call, flow: DataFlow) -> Severity:
        if flow.crosses or self._lineage.aimed(call):
            return self.info.severity
        if _is_credential(flow):
            return _LOW
        return self.info.severity if has(call, (ToolClass.SEND, ToolClass.FETCH)) else Severity.MEDIUM

    def _told(self, seen: Observation, call: Call, flow: DataFlow, source: Call, severity: Severity) -> Finding:
        where = f"{flow.argument} of {named(call)}"
        what = flow.shown if flow.kind is ValueKind.SECRET else f"{flow.kind.value} {flow.shown}"
        whose = ", which another caller read," if flow.crosses else ""
        given = self._lineage.find(flow.parent) or source
        steps = list({one.id: one for one in (source, given, call)}.values())
        reason = f"The {what.removeprefix('a ')} in {flow.field or 'the result'} of {named(given)}{whose} is in {where}"
        if severity is _LOW and _is_credential(flow):
            reason += ", which says who makes the call"
        evidence = [
            index for one in steps for index in ((one.index, one.last_index) if one is not call else (one.index,))
        ]
        found = self.finding(
            seen,
            f"{who_of(seen)}: {named(source)} → {named(call)}",
            f"{reason}: {path(steps)}.",
            *sorted(set(evidence)),
            call=call,
        )
        return replace(found, severity=severity)


class LethalTrifecta(FlowRule):
    """Untrusted content, then private data, then a way out, in one chain; across sessions of one caller.

    That an agent has all three is how it was built, and one that answers the mail of customers uses all three each
    day: low. Critical where what came from outside is seen to steer it, a value of it being in the arguments of the
    private read or the address that it goes to, and what was read is seen to go out: a secret, or ids of which two of
    three are so: they go to an address from outside, they are out of a file or a tool of secrets, they are many. One is
    not enough, since the order that a customer names is looked up and told of all day, with a link to the talk.
    """

    info = RuleInfo(
        id="chain/lethal-trifecta",
        title="Lethal trifecta",
        severity=Severity.CRITICAL,
        meaning="In one chain an agent read what anybody may have written, then private data, then sent some of "
        "it out, and values of the first are in what followed.",
        action="Take it for an injected instruction until shown otherwise: stop the agent, read the untrusted content, "
        "and see what was sent.",
        references=("SAFE-T1102", "ATLAS T0051.001", "ATLAS T0086"),
        settings=(
            Setting(
                "values",
                5,
                "ids out of one read that are many; critical are two of three: they are many, from a file or a tool of "
                "secrets, or go to an address from outside",
            ),
        ),
    )

    def follows(self, seen: Observation, learnt: Iterable[Learnt]) -> Iterable[Finding]:
        for call, known, *_ in learnt:
            is_way_out = ToolClass.SEND in call.classes or (call.flows and ToolClass.FETCH in call.classes)
            reads = _reads_in_order(self._lineage, call, known) if is_way_out else []
            aiming = self._lineage.aiming(call) if reads else ()
            cases: list[tuple[bool, Call, Call, bool]] = []
            for private, sources in reads:
                fed = self._feeding(private)
                leaves = {aims: self._leaves(call, private, aims) for aims in (True, False)}
                for source in sources:
                    aims = source.call.id in aiming
                    steers = aims or source.call.id in fed
                    cases.append((steers and leaves[aims], source.call, private, steers or source.by_value))
            if cases:
                critical, origin, private, steers = max(cases, key=lambda case: (case[0], case[3], case[2].index))
                if critical or has(call, (ToolClass.SEND,)):
                    yield self._told(seen, [origin, private, call], steers, critical)

    def _feeding(self, call: Call) -> set[str]:
        """The calls of which a value came to this one."""
        return {source.id for source in self._lineage.fed(call)}

    def _leaves(self, call: Call, private: Call, aims: bool) -> bool:
        """Whether enough of what a private read gave goes out with a call, which `aims` where somebody outside said."""
        guarded = has(private, (ToolClass.FILE, ToolClass.SECRETS))
        for flow in call.flows:
            given = self._lineage.find(flow.parent)
            if given is None or (given is not private and private.id not in self._feeding(given)):
                continue
            if flow.kind is ValueKind.SECRET:
                return True
            if flow.kind is ValueKind.ID:
                many = flow.values >= self.setting("values")
                if sum((aims, guarded, many)) >= _TWO_OF_THREE:
                    return True
        return False

    def _told(self, seen: Observation, steps: list[Call], steers: bool, critical: bool) -> Finding:
        how = "values of the first are in what followed" if steers else "no value of the first is seen in what followed"
        what = "some of the private data went out" if critical else "no private data is seen to go out"
        reason = f"Untrusted content, private data and a way out in one chain: {path(steps)}; {how}, and {what}."
        evidence = {index for one in steps[:2] for index in (one.index, one.last_index)} | {steps[-1].index}
        subject = f"{who_of(seen)}: {_names(steps)}"
        found = self.finding(seen, subject, reason, *sorted(evidence), call=steps[-1])
        return found if critical else replace(found, severity=_LOW)


def _is_credential(flow: DataFlow) -> bool:
    """Whether a call says by this value who makes it."""
    return _CREDENTIAL.search(words_of(flow.argument)) is not None


def _is_locked(given: Call, flow: DataFlow) -> bool:
    """Whether a value that looks like an id may be what a tool of secrets keeps."""
    if flow.kind is not ValueKind.ID or not has(given, (ToolClass.SECRETS,)):
        return False
    name, field = words_of(given.target), words_of(flow.field)
    if field.rstrip(" 0123456789").rpartition(" ")[2] in _PUBLIC:
        return False
    return _SETTINGS.search(name) is None or _LOCKS.search(f"{name} {field}") is not None


def _reads_in_order(lineage: Lineage, call: Call, known: frozenset[ToolClass]) -> list[tuple[Call, list[Parent]]]:
    """The private reads that led to a call, each with the calls before it that brought untrusted content, if any did.

    `known` are the classes that the call's chain had reached.
    """
    if ToolClass.FETCH not in known or not known & PRIVATE:
        return []
    before = lineage.before(call)
    untrusted = [each for each in before if has(each.call, (ToolClass.FETCH,))][-_MAX_CASES:]
    private = [each.call for each in before if _is_private(each.call)][-_MAX_CASES:]
    reads = [(read, [source for source in untrusted if source.call.index < read.index]) for read in private]
    return [(read, sources) for read, sources in reads if sources]


def _is_trifecta(lineage: Lineage, call: Call, known: frozenset[ToolClass]) -> bool:
    """Whether chain/lethal-trifecta tells of this call, be it as low."""
    return has(call, (ToolClass.SEND,)) and bool(_reads_in_order(lineage, call, known))


def _is_private(call: Call) -> bool:
    """Whether it reads private data and nothing that anybody may have written."""
    return has(call, PRIVATE) and not has(call, (ToolClass.FETCH,))


def _new_backends(calls: list[Call]) -> list[Call]:
    """The calls, in order, that reach a class that none before them did."""
    known: set[ToolClass] = set()
    new: list[Call] = []
    for call in calls:
        classes = _BACKENDS.intersection(call.classes)
        if classes - known:
            new.append(call)
            known |= classes
    return new


def _names(calls: list[Call]) -> str:
    return " → ".join(named(call) for call in calls)
