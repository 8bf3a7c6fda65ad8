"""Does a server fetch for a caller what is not its to give?"""

from collections.abc import Iterable
from typing import ClassVar

from mcpwatch.detect.addresses import Inside, inside, may_be_url, origin
from mcpwatch.detect.paths import (
    MAX_PADDED,
    SECRETS,
    SYSTEM,
    TRAVERSAL,
    climbs,
    is_file_uri,
    may_be_path,
    plain,
    resolved,
    trespass,
)
from mcpwatch.detect.phrases import host, quote
from mcpwatch.detect.recent import Recent
from mcpwatch.detect.rules.discovery_reach import Reach, ReachRule
from mcpwatch.model.alerts import Finding, RuleInfo, Severity
from mcpwatch.model.traffic import Call, EntryKind, Observation

_SERVERS = 1_000
_MAX_URL = 256
_REACHED = frozenset({"loopback", "private"})
"""What a program on the server's machine reaches as well as the server does."""
_WHY = {
    SECRETS: "a file that holds secrets",
    SYSTEM: "a file of the system",
    TRAVERSAL: "which climbs out of its folder",
}


class LocalFileRead(ReachRule):
    """What a server lists it may give, and so what is beside it.

    Of tool arguments only files of secrets count and paths that hide where they climb: working on files is what many
    tools are for.
    """

    info = RuleInfo(
        id="discovery/local-file-read",
        title="Local file read",
        severity=Severity.HIGH,
        meaning="A server was asked for a file that it does not offer: beside its resources, of the system, or secret.",
        action="See what came back and change any secret in it. Let the server give out the files that it lists only.",
        references=("OWASP MCP05", "SAFE-T1105"),
    )

    links = True

    def weigh(self, text: str) -> int:
        return min(len(text), MAX_PADDED) if may_be_path(text) else 0

    def of_uri(self, seen: Observation, call: Call, uri: str) -> Reach | None:
        is_file = is_file_uri(uri)
        if not is_file and (not climbs(uri) or origin(uri)):
            return None
        offer = self.offered.of(seen.source, call.upstream)
        if offer is not None and uri in offer.uris:
            return None
        kind = trespass(uri, is_uri=True)
        if kind:
            return Reach(kind, f"{quote(uri)}, {_WHY[kind]}")
        if offer is None or not offer.is_listed or offer.holds(resolved(plain(uri))):
            return None
        return Reach("unlisted file", f"{quote(uri)}, which is beside all that the server lists")

    def of_text(self, seen: Observation, call: Call, text: str) -> Reach | None:
        kind = trespass(text, is_uri=False)
        return Reach(kind, f"{quote(text)}, {_WHY[kind]}") if kind else None


class Ssrf(ReachRule):
    """Server-side request forgery. An address counts however it is spelled; one that the server lists does not.

    It is low where a tool of a server on this machine is used by a program on this machine, which is how one develops
    with a browser tool: both reach the same.
    """

    info = RuleInfo(
        id="discovery/ssrf",
        title="Inside address fetched",
        severity=Severity.HIGH,
        meaning="A server was asked to fetch from its own host or network, where the caller may not reach (SSRF).",
        action="See what came back. Let the server refuse such addresses; if a tool is meant for them, allow it.",
        references=("OWASP MCP05",),
    )
    kinds: ClassVar[tuple[EntryKind, ...]] = (*ReachRule.kinds, "gateway")

    def __init__(self) -> None:
        super().__init__()
        self._servers: Recent[tuple[str, str], tuple[bool, str]] = Recent(_SERVERS)
        """Whether a server is on the gateway's machine, and the origin that its callers know it by."""

    def observe(self, seen: Observation) -> Iterable[Finding]:
        if seen.started is not None:
            for upstream in seen.started.upstreams:
                at = inside(upstream.url)
                is_near = at is not None and at.kind == "loopback"
                self._servers.put((seen.source, upstream.name), (is_near, origin(seen.started.listen)))
        return super().observe(seen)

    def weigh(self, text: str) -> int:
        return min(len(text), _MAX_URL) if may_be_url(text) else 0

    def of_uri(self, seen: Observation, call: Call, uri: str) -> Reach | None:
        found = self._inside(seen, call, uri)
        return _reach(uri, found) if found is not None else None

    def of_text(self, seen: Observation, call: Call, text: str) -> Reach | None:
        found = self._inside(seen, call, text)
        if found is None:
            return None
        is_near, _ = self._servers.get((seen.source, call.upstream)) or (False, "")
        is_own = is_near and seen.exchange is not None and host(seen.exchange.peer) == "loopback"
        if not is_own or found.kind not in _REACHED:
            return _reach(text, found)
        return _reach(text, found)._replace(
            what=f"{quote(text)}, a {found.kind} address that its caller, on the same machine, reaches as well",
            severity=Severity.LOW,
        )

    def _inside(self, seen: Observation, call: Call, url: str) -> Inside | None:
        found = inside(url)
        if found is None:
            return None
        offer, at = self.offered.of(seen.source, call.upstream), origin(url)
        if offer is not None and (url in offer.uris or at in offer.origins):
            return None
        _, own = self._servers.get((seen.source, call.upstream)) or (False, "")
        return None if at == own else found


def _reach(url: str, found: Inside) -> Reach:
    spelled = f", which is {found.address}" if found.address and found.address != found.host else ""
    return Reach(found.kind, f"{quote(url)}{spelled}, a {found.kind} address")
