"""A request as a verifier needs it: fields by name, the parts of the target, the body's digests."""

import re
from collections.abc import Iterator
from hashlib import sha256, sha512

from msgspec import Struct
from msgspec.structs import replace

from mcpwatch.encoding import decode_base64
from mcpwatch.model.entries import MASKED_PATH, MASKED_QUERY, NOTHING_CARRIED, Body, Request

EMPTY_SHA256 = sha256(b"").hexdigest()
_EMPTY_SHA512 = sha512(b"").hexdigest()
_OWS = " \t"
DEFAULT_PORTS = {"http": ":80", "https": ":443"}
_TLS_ENDED = "signed for https: TLS ends before the gateway"
_SCHEME_AND_AUTHORITY = re.compile(r"[^:/?#]+://[^/?#]*")


class BodyView(Struct, frozen=True, gc=False):
    """What can be said about the body's octets."""

    sha256: str
    """Lower-case hex, as the feed states it."""
    octets: bytes | None
    """The very octets, when the feed carries all of them unmasked."""
    sha512: str | None = None
    """As the feed states it, where it does."""
    fault: str = ""
    """Why the octets are not those that the feed's digest is of."""

    def digest(self, algorithm: str) -> str | None:
        """The hex digest for an RFC 9530 algorithm name; None when it cannot be had."""
        if algorithm == "sha-256":
            return self.sha256
        if algorithm == "sha-512":
            return self.sha512 if self.octets is None else sha512(self.octets).hexdigest()
        return None


_NO_BODY = BodyView(EMPTY_SHA256, b"", _EMPTY_SHA512)


class SignedRequest:
    """A request from the feed, with its header fields combined by name (RFC 9110 section 5.3)."""

    __slots__ = ("_body", "fields", "repeated", "request")

    def __init__(self, request: Request) -> None:
        self.request = request
        self.fields = {name: value.strip(_OWS) for name, value in request.headers}
        """Values by name, lower-case as in the feed; several lines of one name are joined by a comma and a space.

        A field that the feed also names as withheld is not as it was sent, and left out.
        """
        self.repeated: frozenset[str] = frozenset()
        """Names that came on more than one line."""
        self._body: BodyView | None = None
        if len(self.fields) != len(request.headers):
            self._combine()
        for name in request.withheld:
            self.fields.pop(name, None)

    def _combine(self) -> None:
        lines: dict[str, list[str]] = {}
        for name, value in self.request.headers:
            lines.setdefault(name, []).append(value.strip(_OWS))
        self.repeated = frozenset(name for name, values in lines.items() if len(values) > 1)
        self.fields.update((name, ", ".join(lines[name])) for name in self.repeated)

    def lines(self, name: str) -> list[str]:
        """The values of a field's lines, in order."""
        return [value.strip(_OWS) for key, value in self.request.headers if key == name]

    def withheld(self, name: str) -> bool:
        """Whether the request had this field, or may have had it, and the feed keeps its value back."""
        withheld = self.request.withheld
        return name not in self.fields and (name in withheld or NOTHING_CARRIED in withheld)

    @property
    def query_masked(self) -> bool:
        """Whether the query is not as the agent sent it."""
        withheld = self.request.withheld
        return bool(withheld) and MASKED_QUERY in withheld

    @property
    def path_masked(self) -> bool:
        """Whether the path is not as the agent sent it."""
        withheld = self.request.withheld
        return bool(withheld) and MASKED_PATH in withheld

    def elsewhere(self) -> Iterator[tuple["SignedRequest", str]]:
        """The request as the agent may have spelt it, where the gateway sees it otherwise; each with what that means.

        The host may be normalised, and TLS may end before the gateway.
        """
        request = self.request
        for scheme in dict.fromkeys((request.scheme, "https")):
            plain = request.authority.lower().removesuffix(DEFAULT_PORTS.get(scheme, ""))
            note = "" if scheme == request.scheme else _TLS_ENDED
            for authority in dict.fromkeys((request.authority, plain)):
                if (scheme, authority) != (request.scheme, request.authority):
                    yield SignedRequest(replace(request, scheme=scheme, authority=authority)), note

    @property
    def uri(self) -> str:
        """The target URI (RFC 9110 section 7.1), as the agent sent it."""
        request = self.request
        if request.target.startswith("/") or "://" not in request.target:
            return f"{request.scheme}://{request.authority}{request.target}"
        return request.target

    @property
    def origin_form(self) -> str:
        """Path and query of the target, `/` where the path is empty."""
        target = self.request.target
        if target.startswith("/"):
            return target
        rest = target[match.end() :] if (match := _SCHEME_AND_AUTHORITY.match(target)) else target
        return rest if rest.startswith("/") else f"/{rest}"

    @property
    def body(self) -> BodyView:
        """The body's octets and digests, checked against each other."""
        if self._body is None:
            body = self.request.body
            self._body = _NO_BODY if body is None else _view(body)
        return self._body


def _octets(body: Body) -> bytes | None:
    if body.text is None:
        return decode_base64(body.base64 or "")
    try:
        return body.text.encode()
    except UnicodeEncodeError:
        return None


def _contradiction(body: Body) -> str:
    """Why what the feed shows cannot be what it says of the body; empty when it can."""
    if body.text is not None and body.base64 is not None:
        return "the feed shows two bodies"
    if body.truncated and (body.text or body.base64):
        return "the feed shows a body that it says it does not carry"
    if body.masked and (not body.text or not body.size):
        return "the feed says that it masked values of a body that has none"
    return ""


def _view(body: Body) -> BodyView:
    if body.masked or body.truncated or (body.text is None) is (body.base64 is None):
        if fault := _contradiction(body):
            return BodyView(body.sha256, None, body.sha512, fault)
        if body.size == 0 and body.sha256 == EMPTY_SHA256:
            return _NO_BODY
        return BodyView(body.sha256, None, body.sha512)
    octets = _octets(body)
    if octets is None:
        return BodyView(body.sha256, None, body.sha512, "the feed's text of the body cannot be decoded")
    fault = ""
    if sha256(octets).hexdigest() != body.sha256:
        fault = "the feed shows another body than the one it gives the digest of"
    elif len(octets) != body.size:
        fault = f"the feed shows {len(octets)} octets of body and says there were {body.size}"
    return BodyView(body.sha256, octets, body.sha512, fault)
