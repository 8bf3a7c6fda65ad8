"""Does a web page talk to a server that is for this machine only?"""

from collections.abc import Iterable
from urllib.parse import urlsplit

from msgspec.structs import replace

from mcpwatch.detect.callers import caller
from mcpwatch.detect.phrases import host, quote
from mcpwatch.detect.recent import Recent
from mcpwatch.detect.rule import Rule
from mcpwatch.detect.rules.session_tokens import taken
from mcpwatch.hosts import leads_here
from mcpwatch.model.alerts import Finding, RuleInfo, Severity
from mcpwatch.model.entries import Request
from mcpwatch.model.identity import SignatureState
from mcpwatch.model.traffic import Exchange, Observation

_PAGES = 2_000
_SERVERS = 1_000
_WEB = frozenset({"http", "https"})
_GUARDED = frozenset({403, 421})
"""How an Origin (MCP 2025-11-25) and a Host (RFC 9110, section 15.5.20) that do not belong here are refused."""


class ForeignOrigin(Rule):
    """What passes is taken for let in on purpose where a signature comes along, or a token that the server needs.

    A page that attacks by a name of its own (DNS rebinding) has neither, since a browser sends nobody's secrets there.
    It can make up a token for a server that does without. Origins that no web page has, such as those of desktop
    programs, do not count.
    """

    info = RuleInfo(
        id="protocol/foreign-origin",
        title="Foreign web page",
        severity=Severity.HIGH,
        meaning="A page of another site called a server from a browser on this machine. "
        "DNS rebinding looks like this: a page reaches what only this machine should.",
        action="Close the page. If it was let in on purpose, allow it in the policy; else let the server check Origin.",
        references=("OWASP MCP07",),
    )
    kinds = ("request", "response", "message", "end")

    def __init__(self) -> None:
        self._pages: Recent[tuple[str, int], tuple[str, str, bool]] = Recent(_PAGES)
        """Requests of foreign pages -> origin, host, and whether it only asks what it may do."""
        self._open: Recent[tuple[str, str], bool] = Recent(_SERVERS)
        """Servers that do what nobody asks them to."""

    def observe(self, seen: Observation) -> Iterable[Finding]:
        request, exchange = seen.request, seen.exchange
        if request is not None:
            self._meet(seen, request)
        elif exchange is not None and seen.kind == "message":
            if seen.updated and exchange.principal is None:
                self._learn(seen, exchange)
        elif exchange is not None and self._pages:
            return self._answered(seen, exchange)
        return ()

    def _meet(self, seen: Observation, request: Request) -> None:
        """Note a request of a foreign page."""
        for name, origin in request.headers:
            if name == "origin" and host(request.peer) == "loopback" and is_foreign(origin):
                asks_first = request.method == "OPTIONS"
                self._pages.put((seen.source, seen.index), (origin, request.authority, asks_first))
                return

    def _answered(self, seen: Observation, exchange: Exchange) -> Iterable[Finding]:
        page = self._pages.pop((seen.source, exchange.index))
        if page is not None:
            origin, authority, asks_first = page
            what, severity = self._became(seen, exchange, asks_first)
            if what:
                reason = f"A page of {quote(origin)} called {quote(authority)} {what}."
                subject = f"{origin} at {exchange.upstream or 'the gateway'}"
                yield replace(self.finding(seen, subject, reason, exchange.index, seen.index), severity=severity)

    def _learn(self, seen: Observation, exchange: Exchange) -> None:
        """Note a server that answers more than a handshake to callers who bring nothing."""
        place = (seen.source, exchange.upstream)
        if place in self._open or exchange.verdict.signature is not SignatureState.ABSENT:
            return
        if any(call.method != "initialize" for call in taken(seen)):
            self._open.put(place, True)

    def _became(self, seen: Observation, exchange: Exchange, asks_first: bool) -> tuple[str, Severity]:
        """What became of a page's request, and how bad that is; empty for nothing to tell."""
        status, severity = exchange.status, self.info.severity
        if status in _GUARDED:
            return f"and was refused with {status}", Severity.MEDIUM
        if asks_first or (status is not None and status >= 400):
            return "", severity
        how = "and left before the answer" if status is None else f"and was answered with {status}"
        if caller(seen).is_nobody:
            return f"with neither signature nor token {how}", severity
        if exchange.principal is not None and self._open.get((seen.source, exchange.upstream)):
            return f"with a token {how}; the server does without tokens, so that it proves nothing", severity
        return "", severity


def is_foreign(origin: str) -> bool:
    """Whether an Origin is of a web page that does not come from this machine, or hides where it comes from."""
    if origin == "null":
        return True
    try:
        parts = urlsplit(origin)
        name = parts.hostname or ""
    except ValueError:
        return True
    return parts.scheme in _WEB and not name.endswith(".localhost") and not leads_here(name)
