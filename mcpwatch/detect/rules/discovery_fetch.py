"""Does a server fetch for a caller what is not its to give?"""

from mcpwatch.detect.addresses import inside, origin
from mcpwatch.detect.paths import SECRETS, SYSTEM, TRAVERSAL, climbs, is_file_uri, plain, resolved, trespass
from mcpwatch.detect.phrases import quote
from mcpwatch.detect.rules.discovery_reach import Reach, ReachRule
from mcpwatch.model.alerts import RuleInfo, Severity
from mcpwatch.model.traffic import Call, Observation

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
    """Server-side request forgery. An address counts however it is spelled; one that the server lists does not."""

    info = RuleInfo(
        id="discovery/ssrf",
        title="Inside address fetched",
        severity=Severity.HIGH,
        meaning="A server was asked to fetch from its own host or network, where the caller may not reach (SSRF).",
        action="See what came back. Let the server refuse such addresses; if a tool is meant for them, allow it.",
        references=("OWASP MCP05",),
    )

    def of_uri(self, seen: Observation, call: Call, uri: str) -> Reach | None:
        return self.of_text(seen, call, uri)

    def of_text(self, seen: Observation, call: Call, text: str) -> Reach | None:
        found = inside(text)
        if found is None:
            return None
        offer = self.offered.of(seen.source, call.upstream)
        at = origin(text)
        if offer is not None and (text in offer.uris or at in offer.origins):
            return None
        if seen.request is not None and at.partition("//")[2] == seen.request.authority:
            return None
        spelled = f", which is {found.address}" if found.address and found.address != found.host else ""
        return Reach(found.kind, f"{quote(text)}{spelled}, a {found.kind} address")
