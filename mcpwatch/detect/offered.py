"""The resources that servers themselves offer."""

from collections.abc import Iterable

from msgspec import Struct, field

from mcpwatch.detect.addresses import origin
from mcpwatch.detect.paths import is_file_uri, plain, resolved
from mcpwatch.detect.recent import Recent
from mcpwatch.model.entries import Json
from mcpwatch.model.traffic import Observation
from mcpwatch.traffic.claims import fields, text

_SERVERS = 1_000
_URIS = 2_000
"""Remembered of one server."""
_LISTS = {"resources/list": ("resources", "uri"), "resources/templates/list": ("resourceTemplates", "uriTemplate")}
_LINKS = frozenset({"resource_link", "resource"})


class Offer(Struct):
    """What one server lists, or links to in results."""

    uris: set[str] = field(default_factory=set)
    folders: set[str] = field(default_factory=set)
    """Paths of the listed files, of the folders that they are in but for the root, and of those that templates name."""
    origins: set[str] = field(default_factory=set)
    """Of listed web addresses."""
    is_listed: bool = False
    """Whether a list of it was seen that is not empty, and is remembered to the end."""

    def holds(self, path: str) -> bool:
        """Whether a resolved path is in one of the folders."""
        while path not in self.folders:
            if path in ("", "/"):
                return False
            path = path.rpartition("/")[0] or "/"
        return True


class Offered:
    """Resources by feed and server, with no regard to who was told of them; bounded."""

    def __init__(self, links: bool) -> None:
        """`links` tells whether what results of tools link to counts as offered too."""
        self._links = links
        self._offers: Recent[tuple[str, str], Offer] = Recent(_SERVERS)

    def of(self, source: str, upstream: str) -> Offer | None:
        """What a server offers; None where nothing is known."""
        return self._offers.get((source, upstream))

    def learn(self, seen: Observation) -> None:
        """Take in the lists and links of an answer."""
        for call in seen.updated:
            method = call.method
            if method in _LISTS:
                for message in seen.messages:
                    self._list(seen.source, call.upstream, message.result, *_LISTS[method])
            elif self._links and method == "tools/call":
                for message in seen.messages:
                    result = message.result
                    content = result.get("content") if type(result) is dict else None
                    if type(content) is list:
                        self._link(seen.source, call.upstream, content)

    def _list(self, source: str, upstream: str, result: Json, under: str, name: str) -> None:
        listed = fields(result).get(under)
        uris = [text(fields(each).get(name)) for each in listed] if isinstance(listed, list) else []
        if uris:
            offer = self._offer(source, upstream)
            for uri in uris:
                _add(offer, uri)
            offer.is_listed = not fields(result).get("nextCursor") and len(offer.uris) < _URIS

    def _link(self, source: str, upstream: str, content: Iterable[Json]) -> None:
        for block in content:
            if type(block) is dict and block.get("type") in _LINKS:
                uri = text(block.get("uri") or fields(block.get("resource")).get("uri"))
                offer = self._offer(source, upstream)
                if uri and len(offer.uris) < _URIS:
                    offer.uris.add(uri)

    def _offer(self, source: str, upstream: str) -> Offer:
        return self._offers.get((source, upstream)) or self._offers.put((source, upstream), Offer())


def _add(offer: Offer, uri: str) -> None:
    if len(offer.uris) >= _URIS:
        return
    offer.uris.add(uri)
    if is_file_uri(uri):
        fixed, _, rest = uri.partition("{")
        path = plain(fixed)
        above = resolved(path.rpartition("/")[0] or "/")
        offer.folders |= {above} if rest or above != "/" else set()
        offer.folders |= set() if rest else {resolved(path)}
    elif of := origin(uri):
        offer.origins.add(of)
