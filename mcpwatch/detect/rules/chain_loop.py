"""Does it go round and round?"""

import re
from collections.abc import Iterable
from functools import lru_cache

import msgspec
from msgspec import Struct

from mcpwatch.detect.lineage import named
from mcpwatch.detect.phrases import quote, subject_of, who_of
from mcpwatch.detect.recent import Recent
from mcpwatch.detect.rule import Rule
from mcpwatch.model.alerts import Finding, RuleInfo, Setting, Severity
from mcpwatch.model.entries import Json
from mcpwatch.model.traffic import Call, Direction, Observation
from mcpwatch.traffic.chains import BY_TIME
from mcpwatch.traffic.records import good_signer

_CALLERS = 10_000
_CALLS = 4
"""Different calls kept of one caller; a loop has few."""
_MAX_BODY = 65_536
"""Octets of a request whose arguments are compared."""
_NAMES = 4_096
_POLLS = re.compile(
    r"(?<![a-z])(?:status|state|progress|poll|wait|health|ping|heartbeat|alive|ready|watch|tail|time|now|clock"
    r"|next|pop|dequeue|receive|consume|job|task)s?(?![a-z])"
)
_TO_SERVER = Direction.TO_SERVER
_WORDS = re.compile(r"(?<=[a-z])(?=[A-Z])")


class _Run(Struct):
    """The same call over and over, since `start`."""

    start: float
    first: int
    count: int = 0


class Loop(Rule):
    """Calls whose names say that they are asked again and again, for a status or the next item, are no loop.

    The window begins with the first of the calls and, once it is over, anew.
    """

    info = RuleInfo(
        id="chain/loop",
        title="Loop",
        severity=Severity.MEDIUM,
        meaning="An agent makes the same call with the same arguments over and over. It is stuck, or drains something.",
        action="Look at what the call answers and stop the agent if nobody waits for it. Limit the rate at the server.",
        references=("ATLAS T0034.002", "SAFE-T1106"),
        settings=(
            Setting("repeats", 20, "identical calls that are still fine within the window"),
            Setting("window", 60.0, "seconds"),
        ),
    )
    kinds = ("request",)

    def __init__(self) -> None:
        self._runs: Recent[tuple[str, str], dict[int, _Run]] = Recent(_CALLERS)

    def observe(self, seen: Observation) -> Iterable[Finding]:
        body = seen.request.body if seen.request is not None else None
        if not seen.opened or body is None or body.size > _MAX_BODY:
            return ()
        found: list[Finding] = []
        for call in seen.opened:
            if call.method in BY_TIME and call.direction is _TO_SERVER and not _polls(call.target):
                told = self._again(seen, call)
                if told is not None:
                    found.append(told)
        return found

    def _again(self, seen: Observation, call: Call) -> Finding | None:
        print_ = _print(seen, call)
        if print_ is None:
            return None
        signer = good_signer(call.verdict)
        place = (seen.source, signer.id if signer is not None else call.session or subject_of(seen))
        runs = self._runs.get(place)
        if runs is None:
            runs = self._runs.put(place, {})
        run = runs.pop(print_, None)
        if run is None or not 0 <= seen.time - run.start <= self.setting("window"):
            run = _Run(seen.time, seen.index)
        runs[print_] = run
        if len(runs) > _CALLS:
            del runs[next(iter(runs))]
        run.count += 1
        repeats = max(int(self.setting("repeats")), 1)
        if run.count <= repeats or run.count % repeats != 1 % repeats:
            return None
        reason = (
            f"{quote(call.target)} was called {run.count} times with the same arguments"
            f" within {seen.time - run.start:.0f} s."
        )
        return self.finding(seen, f"{who_of(seen)}: {named(call)}", reason, run.first, seen.index, call=call)


def _print(seen: Observation, call: Call) -> int | None:
    """What tells a call from others: its server, its target and its arguments; None where those did not travel."""
    for message in seen.messages:
        if message.id == call.rpc_id and message.method == call.method and type(message.params) is dict:
            return hash((call.upstream, call.method, call.target, _text(message.params.get("arguments"))))
    return None


def _text(arguments: Json) -> bytes | str:
    try:
        return msgspec.json.encode(arguments)
    except UnicodeEncodeError:
        # Half a surrogate pair, which UTF-8 cannot carry.
        return repr(arguments)


@lru_cache(_NAMES)
def _polls(target: str) -> bool:
    """Whether a tool's name says that it is to be asked again and again."""
    return _POLLS.search(_WORDS.sub("_", target[:200]).lower()) is not None
