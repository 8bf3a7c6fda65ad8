"""Is it the protocol that it claims to be?"""

from collections.abc import Iterable, Sequence

from mcpwatch.detect.phrases import cut, quote, subject_of
from mcpwatch.detect.recent import Recent
from mcpwatch.detect.rule import ANY_CALL, Rule
from mcpwatch.detect.rules.origin import ForeignOrigin
from mcpwatch.encoding import decode_base64
from mcpwatch.model.alerts import Finding, RuleInfo, Severity
from mcpwatch.model.entries import MASK, Request
from mcpwatch.model.traffic import Era, Observation, RpcMessage
from mcpwatch.traffic.claims import PROTOCOL_VERSION, TARGET_KEYS, fields, meta

_MODERN = Era.MODERN
HEADER_MISMATCH = -32020
"""JSON-RPC error code of MCP 2026-07-28."""

_NAMED_IN_HEADER = frozenset(
    {"tools/call", "prompts/get", "resources/read", "tasks/get", "tasks/update", "tasks/cancel"}
)
"""Methods whose target Mcp-Name repeats (SEP-2243, SEP-2663)."""
_PARAMETER = "mcp-param-"
_OPEN, _CLOSE = "=?base64?", "?="
_REMEMBERED = 10_000


class HeaderMismatch(Rule):
    """Holds the three header fields of MCP 2026-07-28 against the body.

    Also fires where a server refused for what `Mcp-Param-*` fields say. Where none came, nothing was said: a client
    that has not listed the tool cannot know that a field is wanted, and lists it once it is told so.
    """

    info = RuleInfo(
        id="protocol/header-mismatch",
        title="Header and body disagree",
        severity=Severity.HIGH,
        meaning="The header says one method or name and the body another. "
        "What routes or permits by the header lets through what the body does.",
        action="Look at what the body calls. An honest client cannot do this by accident.",
        references=("MCP 2026-07-28 (SEP-2243)",),
    )
    kinds = ("request", "message")
    methods = ANY_CALL

    def __init__(self) -> None:
        self._unclear: Recent[tuple[str, int], bool] = Recent(_REMEMBERED)
        """Requests whose parameters stand in header fields too, and that nothing was told of."""

    def observe(self, seen: Observation) -> Iterable[Finding]:
        request, exchange = seen.request, seen.exchange
        if request is None or exchange is None:
            return self._refused(seen) if seen.updated else ()
        for message in seen.messages:
            if message.method:
                faults = _faults(request, message, exchange.era)
                if faults:
                    return [self.finding(seen, subject_of(seen), " ".join(faults))]
        if request.withheld and _has_parameters(request):
            self._unclear.put((seen.source, seen.index), True)
        return ()

    def _refused(self, seen: Observation) -> list[Finding]:
        found: list[Finding] = []
        for call in seen.updated:
            if call.error_code == HEADER_MISMATCH and self._unclear.pop((seen.source, call.exchange)):
                reason = f"The server refused {cut(call.method)}: {quote(call.error_text)}."
                found.append(self.finding(seen, subject_of(seen), reason, call.index, seen.index, call=call))
        return found


def _has_parameters(request: Request) -> bool:
    """Whether header fields repeat parameters of a tool; the log withholds what they say."""
    return any(name.startswith(_PARAMETER) for name in request.withheld)


def _faults(request: Request, message: RpcMessage, era: Era) -> list[str]:
    """What is wrong with the header fields, in sentences."""
    version = _version(message)
    masked = request.body is not None and request.body.masked > 0
    headers: dict[str, list[str]] = {}
    for name, value in request.headers:
        if name in _SPELLED:
            headers.setdefault(name, []).append(value)
    required = message.id is not None and (era is _MODERN or bool(version))
    if not headers and not required:
        return []
    faults: list[str] = []
    for name, expected in _expected(message, version, masked):
        if name in headers or required:
            fault = _fault(name, headers.get(name, ()), expected)
            if fault:
                faults.append(fault)
    return faults


def _expected(message: RpcMessage, version: str | None, masked: bool) -> list[tuple[str, str | None]]:
    """Header field -> what the body says; None where it says nothing, or what it says was masked."""
    expected = [("mcp-protocol-version", version), ("mcp-method", message.method)]
    if message.method in _NAMED_IN_HEADER:
        value = fields(message.params).get(TARGET_KEYS[message.method])
        expected.append(("mcp-name", value if isinstance(value, str) and not (masked and MASK in value) else None))
    return expected


def _fault(name: str, values: Sequence[str], expected: str | None) -> str:
    if len(values) == 1 and values[0] == expected:
        return ""
    spelled = _SPELLED[name]
    if not values:
        return f"{spelled} is missing." if expected is not None else ""
    if len(values) > 1:
        return f"{spelled} came {len(values)} times."
    value = values[0].strip(" \t")
    if expected is None or value == expected:
        return ""
    if value.startswith(_OPEN) and value.endswith(_CLOSE):
        decoded = _decode(value)
        if decoded is None:
            return f"{spelled} says {quote(value)}, which is not proper base64."
        if decoded == expected:
            return ""
        value = decoded
    return f"{spelled} says {quote(value)}, the body {quote(expected)}."


def _decode(value: str) -> str | None:
    """The text behind the sentinel form; None where it is not canonical base64 of UTF-8."""
    inner = value[len(_OPEN) : -len(_CLOSE)]
    data = decode_base64(inner)
    try:
        return None if data is None else data.decode()
    except UnicodeDecodeError:
        return None


def _version(message: RpcMessage) -> str | None:
    """The protocol version in the body's `_meta`."""
    version = meta(message.params).get(PROTOCOL_VERSION)
    return version if isinstance(version, str) else None


_SPELLED = {"mcp-protocol-version": "MCP-Protocol-Version", "mcp-method": "Mcp-Method", "mcp-name": "Mcp-Name"}


class SessionIdInModernEra(Rule):
    """One alert a server and side, since it is the same program that sends it each time."""

    info = RuleInfo(
        id="protocol/session-id-in-modern-era",
        title="Session id out of time",
        severity=Severity.LOW,
        meaning="MCP 2026-07-28 has no sessions, and still an Mcp-Session-Id came. "
        "What goes by it keeps a state that the protocol does not know.",
        action="Update the program that sends it. Do not let a server decide by it.",
        references=("MCP 2026-07-28 (SEP-2567)",),
    )
    kinds = ("request", "response")

    def observe(self, seen: Observation) -> Iterable[Finding]:
        if seen.exchange is None or seen.exchange.era is not _MODERN:
            return ()
        sent = seen.request or seen.response
        if sent is None or not sent.session:
            return ()
        who = "client" if seen.request is not None else "server"
        reason = f"The {who} sent an Mcp-Session-Id with a message of protocol 2026-07-28."
        return (self.finding(seen, f"{who} of {seen.exchange.upstream}", reason),)


PROTOCOL: tuple[type[Rule], ...] = (HeaderMismatch, ForeignOrigin, SessionIdInModernEra)
