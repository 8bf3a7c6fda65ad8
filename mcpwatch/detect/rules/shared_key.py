"""Does one key stand for several?"""

from collections.abc import Iterable

from msgspec import Struct

from mcpwatch.detect.phrases import cut, host, named, quote, signer_subject, some
from mcpwatch.detect.recent import Recent
from mcpwatch.detect.rule import SIGNED, Rule
from mcpwatch.detect.rules.replay import proves
from mcpwatch.model.alerts import Finding, RuleInfo, Setting, Severity
from mcpwatch.model.entries import Request
from mcpwatch.model.identity import Signer
from mcpwatch.model.traffic import Observation

_KEYS = 10_000
_PLACES = 8
"""Places remembered of one key: the last ones."""
_NAMED_BY_OTHERS = ("did:aip:", "did:web:", "https://")
"""Kinds of name that a key has from somebody who tells one owner from another; of a did:key there is but one."""


class Place(Struct):
    """Where a key was last used."""

    address: str
    program: str
    """The user agent."""
    time: float
    index: int


class Last(Struct):
    """A key's last use."""

    id: str
    peer: str
    """Address and port: of one connection, so of one program."""
    place: Place


class SharedKey(Rule):
    """Fires on what no single agent does, whatever network it is in.

    - Two names of one kind stand for one key. A did:aip and a did:key, or a thumbprint, are one agent by two names.
    - A key is used here, elsewhere and here again within a short time, and address and program differ between the two.
      Many agents behind one address, an agent that moves, and one that leaves by several addresses do not do that.
    """

    info = RuleInfo(
        id="identity/shared-key",
        title="Shared key",
        severity=Severity.MEDIUM,
        meaning="One key stands for two identities, or is in two places at once. It no longer tells who acts.",
        action="Give each agent a key of its own. If nobody shares it, the key was stolen: let its owner rotate it.",
        references=("OWASP MCP07",),
        settings=(
            Setting("within", 60.0, "seconds in which a key that is here, there and here again is in both places"),
        ),
    )
    kinds = ("request",)
    words = SIGNED
    rejudges = True

    def __init__(self) -> None:
        self._names: Recent[tuple[str, str, str], tuple[str, int]] = Recent(_KEYS)
        """By feed, key and kind of name: the name, and the entry that has it."""
        self._last: Recent[tuple[str, str], Last] = Recent(_KEYS)
        self._places: Recent[tuple[str, str], list[Place]] = Recent(_KEYS)

    def observe(self, seen: Observation) -> Iterable[Finding]:
        verdict, request = seen.verdict, seen.request
        signer = verdict.signer if verdict is not None else None
        if verdict is None or signer is None or request is None or not signer.fingerprint or not proves(verdict):
            return ()
        key = (seen.source, signer.fingerprint)
        last = self._last.get(key)
        if last is not None and last.peer == request.peer and last.id == signer.id and not seen.rejudged:
            last.place.time, last.place.index = seen.time, seen.index
            return ()
        return [*self._other_name(seen, signer), *(() if seen.rejudged else self._other_place(seen, request, signer))]

    def _other_name(self, seen: Observation, signer: Signer) -> Iterable[Finding]:
        kind = next((kind for kind in _NAMED_BY_OTHERS if signer.id.startswith(kind)), "")
        if not kind:
            return
        place = (seen.source, signer.fingerprint, kind)
        owner = _owner(signer.id)
        known, since = self._names.get(place) or self._names.put(place, (owner, seen.index))
        if known != owner:
            reason = f"Key {signer.fingerprint} signs for {cut(known)} and for {cut(owner)}."
            yield self.finding(seen, signer_subject(signer), reason, since, seen.index)

    def _other_place(self, seen: Observation, request: Request, signer: Signer) -> Iterable[Finding]:
        key = (seen.source, signer.fingerprint)
        address, program = host(request.peer), _program(request)
        places = self._places.get(key) or self._places.put(key, [])
        here = next((place for place in places if place.address == address and place.program == program), None)
        if here is None:
            places.append(here := Place(address, program, seen.time, seen.index))
            del places[:-_PLACES]
        before, index = here.time, here.index
        here.time, here.index = seen.time, seen.index
        self._last.put(key, Last(signer.id, request.peer, here))
        if seen.time - before > self.setting("within"):
            return
        there = [
            place for place in places if place.index > index and place.address != address and place.program != program
        ]
        if there:
            elsewhere = some([f"{place.address} with {_quoted(place.program)}" for place in there])
            reason = (
                f"Key {signer.fingerprint} of {named(signer)} is used from {cut(address)} with {_quoted(program)}, "
                f"and at the same time from {elsewhere}."
            )
            evidence = (index, *(place.index for place in there), seen.index)
            yield self.finding(seen, signer_subject(signer), reason, *evidence)


def _owner(id: str) -> str:
    """Whom an identity belongs to: itself, or of a URL its origin, which may have several."""
    return "/".join(id.split("/", 3)[:3]) if id.startswith("https://") else id


def _program(request: Request) -> str:
    return next((value for name, value in request.headers if name == "user-agent"), "")


def _quoted(program: str) -> str:
    return quote(program) if program else "no user agent"
