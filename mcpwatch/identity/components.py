"""The parts of a request that an RFC 9421 signature covers, and their values."""

from collections import Counter
from collections.abc import Callable, Mapping
from functools import lru_cache
from urllib.parse import parse_qsl, quote, unquote_plus

import http_sf
from http_sf import DictionaryType
from msgspec import Struct

from mcpwatch.identity import structured
from mcpwatch.identity.request import DEFAULT_PORTS, SignedRequest
from mcpwatch.model.identity import SignatureState

MAX_COMPONENTS = 64
_ALWAYS_CARRIED = frozenset(
    {
        *("content-digest", "content-type", "mcp-method", "mcp-name", "mcp-protocol-version"),
        *("signature-agent", "ucp-agent", "idempotency-key", "dpop"),
    }
)
"""Fields that the feed carries whenever the request has them, so that their absence means something."""
_SF_TYPES = dict.fromkeys(("content-digest", "signature-agent", "signature-input", "ucp-agent"), "dictionary")
"""Types for `;sf` that http_sf has no entry for."""


class Refusal(Exception):
    """Why a signature's base cannot be made: it cannot hold, or it cannot be checked here."""

    def __init__(self, state: SignatureState, reason: str) -> None:
        super().__init__(reason)
        self.state = state
        self.reason = reason


class Component(Struct, frozen=True):
    """A component identifier (RFC 9421 section 2)."""

    name: str
    text: str
    """The identifier as serialised: the name in quotes, and its parameters."""
    plain: bool = False
    """A field without parameters."""
    parameters: tuple[tuple[str, structured.Bare], ...] = ()


class Components(Struct, frozen=True):
    """A signature's covered components, in order."""

    listed: tuple[Component, ...]
    names: frozenset[str]
    """Of those that are covered whole, which a `key` parameter would prevent."""
    digests: frozenset[str]
    """The members of Content-Digest that are covered one by one."""
    agents: tuple[str, ...]
    """The members of Signature-Agent that are covered one by one."""


def invalid(reason: str) -> Refusal:
    return Refusal(SignatureState.INVALID, reason)


def unsupported(reason: str) -> Refusal:
    return Refusal(SignatureState.UNSUPPORTED, reason)


@lru_cache(maxsize=256)
def read_components(text: str) -> Components:
    """The components of a serialised inner list. Raises Refusal."""
    listed: list[Component] = []
    seen: set[tuple[str, frozenset[tuple[str, structured.Bare]]]] = set()
    for name, raw in structured.items(text):
        parameters = structured.parameters(raw)
        if parameters is None:
            raise invalid(f"a parameter of `{name}` comes twice")
        identity = name, frozenset(parameters.items())
        if identity in seen:
            raise invalid(f"`{name}` is covered twice")
        if name != name.lower() or name == "@signature-params":
            raise invalid(f"`{name}` is not the name of a component")
        seen.add(identity)
        plain = not parameters and not name.startswith("@")
        listed.append(Component(name, text_of(name) + raw, plain, tuple(parameters.items())))
    if len(listed) > MAX_COMPONENTS:
        raise unsupported(f"covers more than {MAX_COMPONENTS} components")
    keys = [(component.name, dict(component.parameters).get("key")) for component in listed]
    names = frozenset(name for name, key in keys if key is None)
    members = [(name, key) for name, key in keys if isinstance(key, str)]
    digests = frozenset(key for name, key in members if name == "content-digest")
    agents = tuple(key for name, key in members if name == "signature-agent")
    return Components(tuple(listed), names, digests, agents)


def text_of(name: str) -> str:
    """A component's name as serialised."""
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def value(component: Component, request: SignedRequest) -> str:
    """A component's value for the signature base (RFC 9421 sections 2.1 and 2.2). Raises Refusal."""
    name = component.name
    if component.plain:
        return request.fields.get(name) or _empty_or_absent(name, request)
    if name.startswith("@"):
        return _derived(component, request)
    return _shaped(component, request.fields.get(name) or _empty_or_absent(name, request), request)


def authority(request: SignedRequest) -> str:
    """Host and port in lower case, without the scheme's default port (RFC 9421 section 2.2.3)."""
    text = request.request.authority.lower()
    return text.removesuffix(DEFAULT_PORTS.get(request.request.scheme.lower(), ""))


def _query(request: SignedRequest) -> str:
    return request.origin_form.partition("?")[2]


def _content_length(request: SignedRequest) -> str | None:
    body = request.request.body
    return None if body is None else str(body.size)


_DERIVED: dict[str, Callable[[SignedRequest], str]] = {
    "@method": lambda request: request.request.method,
    "@target-uri": lambda request: request.uri,
    "@authority": authority,
    "@scheme": lambda request: request.request.scheme.lower(),
    "@request-target": lambda request: request.request.target,
    "@path": lambda request: request.origin_form.partition("?")[0],
    "@query": lambda request: f"?{_query(request)}",
}
_WITH_QUERY = frozenset({"@target-uri", "@request-target", "@query", "@query-param"})
_WITH_PATH = frozenset({"@target-uri", "@request-target", "@path"})
_IMPLIED: dict[str, Callable[[SignedRequest], str | None]] = {
    "host": lambda request: request.request.authority,
    "content-length": _content_length,
}
"""Fields that the feed states in another place."""


def _derived(component: Component, request: SignedRequest) -> str:
    if request.query_masked and component.name in _WITH_QUERY:
        raise unsupported(f"covers {component.text}, and the feed masks values of the query")
    if request.path_masked and component.name in _WITH_PATH:
        raise unsupported(f"covers {component.text}, and the feed masks a part of the path")
    make = _DERIVED.get(component.name)
    if make is not None and not component.parameters:
        return make(request)
    encoded = dict(component.parameters).get("name")
    if component.name == "@query-param" and len(component.parameters) == 1 and isinstance(encoded, str):
        return _query_param(encoded, request)
    raise unsupported(f"covers {component.text}, which is not supported")


def _query_param(encoded: str, request: SignedRequest) -> str:
    """One query parameter's value, re-encoded (RFC 9421 section 2.2.8)."""
    name = unquote_plus(encoded)
    values, counts = _query_values(_query(request))
    if counts[name] != 1:
        raise invalid(f"covers the query parameter `{encoded}`, which comes {counts[name]} times")
    return quote(values[name], safe="*").replace("~", "%7E")


@lru_cache(maxsize=4)
def _query_values(query: str) -> tuple[Mapping[str, str], Counter[str]]:
    """A query's parameters, and how often each comes: read once, however many of them are covered."""
    try:
        pairs = parse_qsl(query, keep_blank_values=True)
    except ValueError:
        pairs = []
    return dict(pairs), Counter(name for name, _ in pairs)


def _empty_or_absent(name: str, request: SignedRequest) -> str:
    if name in request.fields:
        return ""
    implied = _IMPLIED.get(name)
    text = implied(request) if implied else None
    if text is not None:
        return text
    if request.withheld(name):
        raise unsupported(f"covers `{name}`, whose value the feed withholds")
    if name in _ALWAYS_CARRIED or (name == "mcp-session-id" and not request.request.session):
        raise invalid(f"covers `{name}`, which the request does not have")
    raise unsupported(f"covers `{name}`, which the feed does not carry")


def _shaped(component: Component, text: str, request: SignedRequest) -> str:
    """A field's value under the parameters sf, key and bs."""
    name, parameters = component.name, dict(component.parameters)
    if len(text) > structured.MAX_FIELD:
        raise unsupported(f"covers {component.text}, a field that is too long to be taken apart")
    try:
        if parameters == {"bs": True}:
            return ", ".join(http_sf.ser((line.encode("latin-1"), {})) for line in request.lines(name))
        if parameters == {"sf": True}:
            return http_sf.ser(http_sf.parse(text.encode("ascii"), name=name, tltype=_SF_TYPES.get(name)))
        key = parameters.get("key")
        if isinstance(key, str) and parameters.keys() <= {"key", "sf"} and parameters.get("sf", True) is True:
            return _member(key, text)
    except (ValueError, TypeError, OverflowError):
        raise invalid(f"covers {component.text}, and the field is not of that shape") from None
    except KeyError:
        raise unsupported(f"covers {component.text}, a field of no known type") from None
    raise unsupported(f"covers {component.text}, whose parameters are not supported")


def _member(key: str, text: str) -> str:
    """The serialised member of a dictionary field (RFC 9421 section 2.1.2)."""
    dictionary = _dictionary(text)
    if key not in dictionary:
        raise ValueError(key)
    whole = http_sf.ser({key: dictionary[key]})
    return whole.partition("=")[2] if whole.startswith(f"{key}=") else f"?1{whole[len(key) :]}"


@lru_cache(maxsize=16)
def _dictionary(text: str) -> DictionaryType:
    """A dictionary field: read once, however many of its members are covered. Raises ValueError."""
    found = http_sf.parse(text.encode("ascii"), tltype="dictionary")
    return found if isinstance(found, dict) else {}
