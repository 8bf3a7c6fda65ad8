"""Where does data go, along a chain of calls?"""

from collections.abc import Iterable

from msgspec.structs import replace

from mcpwatch.detect.injections import is_prose
from mcpwatch.detect.lineage import PRIVATE, Lineage, has, named, path
from mcpwatch.detect.phrases import who_of
from mcpwatch.detect.rule import Rule
from mcpwatch.model.alerts import Finding, RuleInfo, Setting, Severity
from mcpwatch.model.traffic import Call, DataFlow, Observation, ToolClass, ValueKind

_BACKENDS = frozenset(ToolClass) - {ToolClass.WRITE}
"""Writing is what most tools are for, and no backend of its own."""
_POWERFUL = frozenset({ToolClass.EXEC, ToolClass.TEMPLATE, ToolClass.XML, ToolClass.SECRETS})
"""Where a value does harm that was harmless before: it is run, or opens what is locked."""
_OUT = frozenset({ToolClass.SEND, ToolClass.FETCH, ToolClass.EXEC})
"""What can take data out: a request for a page does so by its address, a command as it likes."""
_ADDRESSES = frozenset({ValueKind.URL, ValueKind.MAIL})
_LOW = Severity.LOW
_TWO_OF_THREE = 2
_MAX_CASES = 8
"""Calls that brought untrusted content, and private reads, looked at for one call; the newest."""


class AcrossBackends(Rule):
    """Counts calls that bring a class that none before them in the chain had, so that one tool of three classes is one.

    Honest agents do use many tools for one task. So a session is no chain, nor are calls that merely follow each other;
    and it is low unless a value of another backend ends up where it is run or opens what is locked.
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
    kinds = ("request",)
    rejudges = True

    def __init__(self) -> None:
        self._lineage = Lineage()

    def observe(self, seen: Observation) -> Iterable[Finding]:
        for call, known, *_ in self._lineage.learn(seen):
            if not known or known >= _BACKENDS.intersection(call.classes):
                continue
            before = self._lineage.before(call)
            new = _new_backends([*(parent.call for parent in before), call])
            if len(new) < self.setting("backends") or new[-1] is not call:
                continue
            reason = f"{len(new)} kinds of backends in one chain: {path(new)}."
            evidence = sorted({one.index for one in new})
            found = self.finding(seen, f"{who_of(seen)}: {_names(new)}", reason, *evidence, call=call)
            fed = any(parent.by_value and set(parent.call.classes) != set(call.classes) for parent in before)
            yield found if fed and has(call, _POWERFUL) else replace(found, severity=_LOW)


class Exfiltration(Rule):
    """Without a value that is seen to leave there is nothing to tell: reading and then sending is what agents do.

    A secret, or anything but an address that a tool of secrets gave, is critical. That an id or a path goes into a
    message is daily work ("your order ... is on its way"), so it is low; and an address that was looked up is merely
    where the message goes. Whoever wraps the data in more than base64 is not seen.
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
    kinds = ("request",)
    rejudges = True

    def __init__(self) -> None:
        self._lineage = Lineage()

    def observe(self, seen: Observation) -> Iterable[Finding]:
        for call, *_ in self._lineage.learn(seen):
            if call.flows and has(call, _OUT):
                taken = [
                    (strength, flow, source) for flow in call.flows for strength, source in self._taken(call, flow)
                ]
                if taken:
                    strength, flow, source = max(taken, key=lambda each: each[0])
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
        if flow.kind is ValueKind.SECRET or (has(given, (ToolClass.SECRETS,)) and flow.kind is ValueKind.ID):
            yield self.info.severity, source
        elif has(call, (ToolClass.SEND,)) and flow.kind not in _ADDRESSES:
            yield _LOW, source

    def _told(self, seen: Observation, call: Call, flow: DataFlow, source: Call, severity: Severity) -> Finding:
        where = f"{flow.argument} of {named(call)}"
        what = flow.shown if flow.kind is ValueKind.SECRET else f"{flow.kind.value} {flow.shown}"
        whose = ", which another caller read," if flow.crosses else ""
        given = self._lineage.find(flow.parent) or source
        steps = list({one.id: one for one in (source, given, call)}.values())
        reason = f"The {what.removeprefix('a ')} in {flow.field or 'the result'} of {named(given)}{whose} is in {where}"
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


class LethalTrifecta(Rule):
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
        settings=(Setting("values", 5, "ids that have to go out at once"),),
    )
    kinds = ("request",)
    rejudges = True

    def __init__(self) -> None:
        self._lineage = Lineage()

    def observe(self, seen: Observation) -> Iterable[Finding]:
        for call, known, *_ in self._lineage.learn(seen):
            is_way_out = ToolClass.SEND in call.classes or (call.flows and ToolClass.FETCH in call.classes)
            if not is_way_out or ToolClass.FETCH not in known or not known & PRIVATE:
                continue
            before = self._lineage.before(call)
            untrusted = [each for each in before if has(each.call, (ToolClass.FETCH,))][-_MAX_CASES:]
            aiming = self._aiming(call)
            cases: list[tuple[bool, Call, Call, bool]] = []
            for private in [each.call for each in before if _is_private(each.call)][-_MAX_CASES:]:
                fed = self._feeding(private)
                leaves = {aims: self._leaves(call, private, aims) for aims in (True, False)}
                for source in untrusted:
                    if source.call.index < private.index:
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

    def _aiming(self, call: Call) -> set[str]:
        """The calls of which a value is the address that a call goes to, and not a link in what it says."""
        found: set[str] = set()
        for flow in call.flows:
            if flow.kind in _ADDRESSES and not is_prose(flow.argument):
                given = self._lineage.find(flow.parent)
                found |= {flow.parent} if given is None else {flow.parent, *self._feeding(given)}
        return found

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
