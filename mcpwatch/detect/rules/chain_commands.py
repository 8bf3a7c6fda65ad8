"""What is run on somebody's behalf?"""

from collections.abc import Iterable

from msgspec.structs import replace

from mcpwatch.detect.callers import caller_behind, is_unchecked, is_unsettled
from mcpwatch.detect.injections import Injection, injections, pollutes
from mcpwatch.detect.lineage import ADDRESSES, MAX_CALLS, Lineage, has, named, path
from mcpwatch.detect.phrases import cut, quote, who_of
from mcpwatch.detect.recent import Recent
from mcpwatch.detect.rule import ANY_CALL, Rule
from mcpwatch.model.alerts import Finding, RuleInfo, Severity
from mcpwatch.model.tools import ToolClass
from mcpwatch.model.traffic import Call, CallState, Direction, Exchange, Observation, RpcMessage
from mcpwatch.policy.ruling import TOOL_CALL, refused_caller
from mcpwatch.policy.terms import Signatures

_HELD_OFF = frozenset({CallState.DENIED, CallState.RPC_ERROR, CallState.HTTP_ERROR, CallState.INPUT_REQUIRED})
"""What a call comes to that was not run, or not yet."""
_EXCERPT = 60
_TO_SERVER = Direction.TO_SERVER
_EXEC = ToolClass.EXEC


class CommandExecution(Rule):
    """Each caller of a tool that runs commands is shown, once for each tool, with a count: low, for a proven caller.

    High where nobody is proven, where the policy lists callers and this is none of them, and where an address out of
    content that anybody may have written is in what is run. Whom the policy lists for the tool is not shown. Told when
    it runs: at the first sign of life, and never for what the server refused.
    """

    info = RuleInfo(
        id="chain/command-execution",
        title="Command execution",
        severity=Severity.HIGH,
        meaning="A tool ran a command or code for somebody who is not proven or not listed, or with an address in it "
        "that came from outside.",
        action="Read what was run. Name in the policy who may use the tool, so that others stand out or are refused.",
        references=("OWASP MCP05", "SAFE-T1101"),
    )
    kinds = ("request", "message", "end")
    methods = ANY_CALL
    rejudges = True

    def __init__(self) -> None:
        self._lineage = Lineage()
        self._told: Recent[str, bool] = Recent(MAX_CALLS)

    def observe(self, seen: Observation) -> Iterable[Finding]:
        if seen.kind != "request":
            return self._running(seen)
        self._lineage.learn(seen)
        return ()

    def _running(self, seen: Observation) -> list[Finding]:
        found: list[Finding] = []
        for call in seen.updated:
            if _EXEC not in call.classes or call.state in _HELD_OFF or call.id in self._told:
                continue
            self._told.put(call.id, True)
            if seen.exchange is not None and call.direction is _TO_SERVER:
                found += self._judged(seen, seen.exchange, call)
        return found

    def _judged(self, seen: Observation, exchange: Exchange, call: Call) -> Iterable[Finding]:
        outside = self._outside(call)
        subject = f"{who_of(seen)}: {named(call)}"
        why = self._unlisted(exchange, call)
        if outside is not None:
            reason = f"An address out of untrusted content is in what is run: {path([outside, call])}."
            yield self.finding(seen, f"{subject}, from outside", reason, outside.index, call.index, call=call)
        elif why is None or why:
            found = self.finding(
                seen, subject, f"{quote(call.target)} ran{why or ''}.", call.index, seen.index, call=call
            )
            yield found if why else replace(found, severity=Severity.LOW)

    def _outside(self, call: Call) -> Call | None:
        """The newest call that brought an address in what is run from outside.

        The file or the commit that an issue names is in what a coding agent runs all day, and fetches nothing.
        """
        sources = [self._lineage.find(flow.parent) for flow in call.flows if flow.kind in ADDRESSES]
        return max(
            (one for one in sources if one is not None and has(one, (ToolClass.FETCH,))),
            key=lambda one: one.index,
            default=None,
        )

    def _unlisted(self, exchange: Exchange, call: Call) -> str | None:
        """Why nobody may run this in the eyes of the policy; empty for whom it lists, None where it says nothing."""
        who, terms = caller_behind(exchange), self.policy.terms(call.upstream, call.target)
        if not terms.is_open:
            refused = refused_caller(terms, who, self.policy.role(who))
            return "" if refused.allowed else f", though {refused.reason}"
        nobody = who.signer is None and who.principal is None
        if nobody and terms.signatures is not Signatures.OFF and not (is_unsettled(exchange) or is_unchecked(exchange)):
            return " for somebody whom neither a signature nor a token names"
        return None


class InjectionInArguments(Rule):
    """Scoped by what the tool runs, so that code in a document and SQL in a question are what they are."""

    info = RuleInfo(
        id="chain/injection-in-arguments",
        title="Injection in arguments",
        severity=Severity.HIGH,
        meaning="An argument holds what its backend would run: SQL, a command, a template, an XML entity, a prototype. "
        "Somebody wants more from the tool than it offers.",
        action="Read the argument and find out who wrote it: the agent, or something it read. Make the tool refuse it.",
        references=("OWASP MCP05", "SAFE-T1101"),
    )
    kinds = ("request",)

    def observe(self, seen: Observation) -> Iterable[Finding]:
        found: list[Finding] = []
        for call in seen.opened:
            if call.method != TOOL_CALL or call.direction is not _TO_SERVER:
                continue
            arguments = _arguments(seen.messages, call)
            if type(arguments) is not dict or not arguments:
                continue
            if call.classes:
                told: dict[str, Injection] = {}
                for hit in injections(arguments, call.classes):
                    told.setdefault(hit.what, hit)
                found += [self._found(seen, call, hit) for hit in told.values()]
            if member := pollutes(arguments):
                reason = (
                    f"The arguments of {quote(call.target)} have a member {quote(member)}, which every object inherits."
                )
                found.append(self.finding(seen, f"{who_of(seen)}: a prototype in {named(call)}", reason, call=call))
        return found

    def _found(self, seen: Observation, call: Call, hit: Injection) -> Finding:
        where = str(hit.found.path) if hit.found.path is not None else "arguments"
        said = quote(cut(hit.found.text, _EXCERPT))
        reason = f"{cut(where)} of {quote(call.target)}, {_kinds(call)}, holds {hit.what}: {said}."
        return self.finding(seen, f"{who_of(seen)}: {hit.what} in {named(call)}", reason, call=call)


def _kinds(call: Call) -> str:
    return f"a tool of {' and '.join(call.classes)}"


def _arguments(messages: tuple[RpcMessage, ...], call: Call) -> object:
    """The arguments of a call; None where they did not travel."""
    for message in messages:
        if message.id == call.rpc_id and message.method == call.method and type(message.params) is dict:
            return message.params.get("arguments")
    return None
