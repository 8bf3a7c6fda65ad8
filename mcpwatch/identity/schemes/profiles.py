"""The profiles of RFC 9421: uses of one wire that say what a signature must cover and carry.

A departure from a profile is told, and makes no signature bad: the profile binds whoever signs, and what a signature
covers stands in its verdict.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache

from msgspec import Struct

from mcpwatch.identity import structured, verifier
from mcpwatch.identity.request import SignedRequest
from mcpwatch.identity.signature_agent import FIELD as SIGNATURE_AGENT

_NONCE_CHARACTERS = 16
"""Of 96 bits in base64."""
_DAY_S = 86_400


class Use(Struct, frozen=True, gc=False):
    """One signature, as its profile looks at it."""

    names: frozenset[str]
    """The components that are covered whole."""
    agents: tuple[str, ...]
    """The members of Signature-Agent that are covered."""
    parameters: Mapping[str, structured.Bare]
    key_id: str
    label: str
    request: SignedRequest

    def text(self, parameter: str) -> str:
        """A parameter that is a string; empty where there is none."""
        return str(self.parameters.get(parameter, ""))

    def lifetime(self) -> int | None:
        """Seconds from `created` to `expires`; None where one is missing."""
        created, expires = self.parameters.get("created"), self.parameters.get("expires")
        return expires - created if isinstance(created, int) and isinstance(expires, int) else None

    @property
    def covers_agent(self) -> bool:
        return bool(self.agents) or SIGNATURE_AGENT in self.names


class Marks(Struct, frozen=True, gc=False):
    """What tells the profile of a signature."""

    names: frozenset[str]
    """The components that are covered whole."""
    tag: str
    has_did: bool
    """Whether the keyid is a DID."""


class Demand(Struct, frozen=True):
    """A thing that a profile asks of each of its signatures."""

    holds: Callable[[Use], bool]
    departure: str
    """What it is called where it is missing."""


class Profile(Struct, frozen=True):
    """A row: one profile."""

    name: str
    title: str
    recognise: Callable[[Marks], bool]
    demands: tuple[Demand, ...] = ()

    def departures(self, use: Use) -> tuple[str, ...]:
        """Where this signature departs from the profile."""
        return tuple(f"{self.title}: {one.departure}" for one in self.demands if not one.holds(use))


def _covers(name: str) -> Demand:
    return Demand(lambda use: name in use.names, f"{name} is not covered")


def _covers_if_sent(name: str) -> Demand:
    def holds(use: Use) -> bool:
        return name in use.names or not (name in use.request.fields or use.request.withheld(name))

    return Demand(holds, f"{name} is not covered")


def _has(parameter: str) -> Demand:
    return Demand(lambda use: parameter in use.parameters, f"the parameter {parameter} is missing")


def _covers_with_body(name: str) -> Demand:
    return Demand(lambda use: name in use.names or use.request.request.body is None, f"{name} is not covered")


_NO_ALG = Demand(lambda use: "alg" not in use.parameters, "alg is sent, which the key decides")
_THUMBPRINT_ID = Demand(
    lambda use: verifier.THUMBPRINT.fullmatch(use.key_id) is not None, "keyid is not the key's thumbprint (RFC 7638)"
)
_NONCE = Demand(
    lambda use: "nonce" not in use.parameters or len(use.text("nonce")) >= _NONCE_CHARACTERS,
    "the nonce is shorter than 96 bits",
)
_PLACE = Demand(
    lambda use: not use.names.isdisjoint(("@authority", "@target-uri")), "neither @authority nor @target-uri is covered"
)
_LIFETIME = Demand(lambda use: (use.lifetime() or 0) <= _DAY_S, "it expires more than 24 hours after it was made")
_AGENT = Demand(
    lambda use: use.covers_agent or SIGNATURE_AGENT not in use.request.fields,
    "Signature-Agent is not covered, and so names nobody",
)
_DICTIONARY = Demand(
    lambda use: not use.request.fields.get(SIGNATURE_AGENT, "").startswith('"'),
    "Signature-Agent is a bare string, as in earlier drafts",
)
_QUERY = Demand(lambda use: "@query" in use.names or "?" not in use.request.request.target, "@query is not covered")

_MCP = frozenset({"mcp-session-id", "mcp-protocol-version"})
_INITIALIZE = frozenset({"@method", "@target-uri", "content-digest"})


def _is_sep_2752(marks: Marks) -> bool:
    """SEP-2752 names no mark of its own: it is known by covering MCP's fields, or, before there are any, by its tag."""
    return not _MCP.isdisjoint(marks.names) or (marks.names >= _INITIALIZE and bool(marks.tag))


DID = Profile("did keyid", "DID key id", lambda marks: marks.has_did)
"""Asks for nothing: what a DID's method demands is no matter of the wire."""

PROFILES: tuple[Profile, ...] = (
    Profile(
        "web-bot-auth",
        "Web Bot Auth",
        lambda marks: marks.tag == "web-bot-auth",
        (_PLACE, _has("created"), _has("expires"), _LIFETIME, _THUMBPRINT_ID, _AGENT, _DICTIONARY),
    ),
    Profile(
        "ucp",
        "UCP",
        lambda marks: "ucp-agent" in marks.names,
        (
            _covers("@method"),
            _covers("@authority"),
            _covers("@path"),
            _QUERY,
            _covers_if_sent("idempotency-key"),
            _covers_with_body("content-digest"),
            _covers_with_body("content-type"),
            _NO_ALG,
        ),
    ),
    DID,
    Profile(
        "sep-2752",
        "SEP-2752",
        _is_sep_2752,
        (
            _covers("@method"),
            _covers("@target-uri"),
            _covers("content-digest"),
            _covers_if_sent("mcp-protocol-version"),
            _covers_if_sent("mcp-session-id"),
            _has("created"),
            _has("nonce"),
            _NONCE,
            _THUMBPRINT_ID,
            _has("tag"),
            _NO_ALG,
        ),
    ),
)
"""The first row that recognises a signature names it; a signature that none does is of no profile."""


@lru_cache(maxsize=1024)
def profile_of(names: frozenset[str], tag: str, has_did: bool) -> Profile | None:
    """The profile that a signature with these marks was made under."""
    marks = Marks(names, tag, has_did)
    return next((profile for profile in PROFILES if profile.recognise(marks)), None)
