"""Does a web page talk to a server that is for this machine only?"""

from collections.abc import Iterable
from ipaddress import ip_address
from urllib.parse import urlsplit

from mcpwatch.detect.callers import caller
from mcpwatch.detect.phrases import host, quote
from mcpwatch.detect.recent import Recent
from mcpwatch.detect.rule import Rule
from mcpwatch.model.alerts import Finding, RuleInfo, Severity
from mcpwatch.model.traffic import Observation

_PAGES = 2_000
_WEB = frozenset({"http", "https"})
_GUARDED = frozenset({403, 421})
"""How an Origin (MCP 2025-11-25) and a Host (RFC 9110, section 15.5.20) that do not belong here are refused."""


class ForeignOrigin(Rule):
    """What passes is taken for let in on purpose where a signature or a token comes along: a page that attacks by a
    name of its own (DNS rebinding) has neither, since a browser sends nobody's secrets there.

    Origins that no web page has, such as those of desktop programs, do not count.
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
    kinds = ("request", "response")

    def __init__(self) -> None:
        self._pages: Recent[tuple[str, int], tuple[str, str, bool]] = Recent(_PAGES)
        """Requests of foreign pages -> origin, host, and whether it only asks what it may do."""

    def observe(self, seen: Observation) -> Iterable[Finding]:
        request, exchange = seen.request, seen.exchange
        if request is not None:
            for name, origin in request.headers:
                if name == "origin" and host(request.peer) == "loopback" and is_foreign(origin):
                    asks_first = request.method == "OPTIONS"
                    self._pages.put((seen.source, seen.index), (origin, request.authority, asks_first))
                    return
            return
        if not len(self._pages) or exchange is None or exchange.status is None:
            return
        page = self._pages.pop((seen.source, exchange.index))
        if page is None:
            return
        origin, authority, asks_first = page
        status = exchange.status
        refused = status in _GUARDED
        if refused or (status < 400 and not asks_first and caller(seen).is_nobody):
            what = "and was refused" if refused else "and was answered, with neither signature nor token,"
            reason = f"A page of {quote(origin)} called {quote(authority)} {what} with {status}."
            subject = f"{origin} at {exchange.upstream or 'the gateway'}"
            yield self.finding(seen, subject, reason, exchange.index, seen.index)


def is_foreign(origin: str) -> bool:
    """Whether an Origin is of a web page that does not come from this machine, or hides where it comes from."""
    if origin == "null":
        return True
    try:
        parts = urlsplit(origin)
        name = parts.hostname or ""
    except ValueError:
        return True
    return parts.scheme in _WEB and name != "localhost" and not _is_loopback(name)


def _is_loopback(name: str) -> bool:
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False
