"""Data flow: a value that one call's result gave, in the arguments of a later call.

Within a session, and between the sessions of one caller: one proven signer, or where that is not known one principal.
Two callers may both have an id from elsewhere, so between them only what has the shape of a secret counts, and is
said to cross. What a caller sent before it was ever given it is its own, and where a server only repeats it nothing
flows; else what was given first counts. Bodies that did not travel tell nothing, and masked values are none.

Values themselves are not kept: only their hashes, which Python salts anew for each process, and what may be told.
"""

from collections import OrderedDict
from typing import Final, NamedTuple

from msgspec import Struct, field
from msgspec.structs import replace

from mcpwatch.bounded import keep
from mcpwatch.model.entries import Json, Principal
from mcpwatch.model.traffic import Call, DataFlow, ValueKind
from mcpwatch.traffic.records import good_signer
from mcpwatch.traffic.values import Value, shown, values

GIVES: Final = frozenset({"tools/call", "resources/read", "prompts/get", "tasks/get", "tasks/result"})
"""Methods whose results are data; what lists offer is not."""
TAKES: Final = {"tools/call": "arguments", "prompts/get": "arguments", "resources/read": "uri"}
"""Methods that take data, and the parameter that has it."""

MAX_FLOWS: Final = 8
"""Told of one call."""
MAX_OF_SESSION: Final = 1_000
"""Values kept of one session; then the oldest goes."""
PARTS: Final = 4
"""One caller, and all of whom nothing is known, has at most one in so many of all values; then its quiet sessions go.

Who makes much noise does not make others' values forgotten.
"""
MAX_HOLDERS: Final = 4
"""Sessions told of one value."""
_MAX_WAITING = 1_000

_SECRET = ValueKind.SECRET
_RANK = {kind: place for place, kind in enumerate(ValueKind)}


class _Party(Struct, gc=False):
    """A call, and whose it is as far as is known."""

    call: str
    session: str
    signer: str
    principal: tuple[str, ...]

    def is_same(self, other: "_Party") -> bool:
        """Whether one caller made both."""
        if self.session and self.session == other.session:
            return True
        if self.signer and other.signer:
            return self.signer == other.signer
        return bool(self.principal) and self.principal == other.principal


_Caller = str | tuple[str, ...]
"""A signer's id, else a principal."""


class _Share(Struct):
    """What one caller has of all that is kept."""

    count: int = 0
    sessions: OrderedDict[str, None] = field(default_factory=OrderedDict)
    """Those that have been quiet for longest first."""


class _Origin(NamedTuple):
    """Who has had a value first, in one session."""

    party: _Party
    kind: ValueKind
    field: str
    given: bool
    """By a result; else it came from the caller."""


class _Asked(NamedTuple):
    """A value in the arguments of a call."""

    digest: int
    kind: ValueKind
    argument: str
    what: str


class DataFlows:
    """The values that the calls of one feed were given and gave, `limit` of them.

    Past it the session goes that has been quiet for longest.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._share = max(limit // PARTS, MAX_OF_SESSION)
        self._sessions: OrderedDict[str, dict[int, _Origin]] = OrderedDict()
        """By session, the values it has had."""
        self._whose: dict[str, _Caller] = {}
        """By session, who made its first call."""
        self._shares: dict[_Caller, _Share] = {}
        self._holders: dict[int, tuple[str, ...]] = {}
        """By value, the sessions that have had it."""
        self._count = 0
        self._waiting: OrderedDict[str, tuple[_Party, list[_Asked]]] = OrderedDict()
        """Calls whose key is still asked for, and what they asked."""

    def __len__(self) -> int:
        return self._count

    def asked(self, call: Call, params: Json, principal: Principal | None) -> tuple[DataFlow, ...]:
        """The flows into a request of a client; `params` are its own."""
        name = TAKES.get(call.method, "")
        given = params.get(name) if name and isinstance(params, dict) else None
        if not given:
            return ()
        taken = values(given, unwrap=True)
        if not taken:
            return ()
        party = _party(call, principal)
        flows: tuple[DataFlow, ...] = ()
        waits = call.verdict.waiting
        if waits or any(self._origin(hash(value.text), party)[0] is not None for value in taken):
            found = [_asked(value, name) for value in taken]
            flows = self._flows(party, found)
            if waits:
                keep(self._waiting, call.id, (party, found), _MAX_WAITING)
        for value in taken:
            self._note(value, party)
        return flows

    def told(self, call: Call, payload: Json, principal: Principal | None) -> None:
        """Take in what a server says on a call: its result, or what comes before it."""
        if call.method not in GIVES or type(payload) is not dict:
            return
        party: _Party | None = None
        for value in values(payload):
            party = party or self._waits(call) or _party(call, principal)
            self._note(value, party, given=True)
        if party is not None and call.verdict.waiting and call.id not in self._waiting:
            keep(self._waiting, call.id, (party, []), _MAX_WAITING)

    def judged(self, call: Call) -> tuple[DataFlow, ...]:
        """The flows into a call under another verdict, which may say that it is another caller's."""
        known = self._waiting.pop(call.id, None) if self._waiting else None
        if known is None:
            return call.flows
        party, found = known
        signer = good_signer(call.verdict)
        party.session, party.signer = call.session, signer.id if signer is not None else ""
        if call.verdict.waiting:
            keep(self._waiting, call.id, known, _MAX_WAITING)
        return self._flows(party, found) or call.flows

    def _waits(self, call: Call) -> _Party | None:
        known = self._waiting.get(call.id) if self._waiting else None
        return None if known is None else known[0]

    def _flows(self, party: _Party, found: list[_Asked]) -> tuple[DataFlow, ...]:
        flows: dict[tuple[str, ValueKind, str], DataFlow] = {}
        counts: dict[tuple[str, ValueKind, str], set[int]] = {}
        for each in found:
            origin, crosses = self._origin(each.digest, party)
            if origin is not None:
                kind = min(each.kind, origin.kind, key=_RANK.__getitem__)
                what = each.what if kind is each.kind else f"a {kind.value}"
                flow = DataFlow(origin.party.call, kind, origin.field, each.argument, what, crosses)
                place = (flow.parent, kind, flow.argument)
                flows.setdefault(place, flow)
                counts.setdefault(place, set()).add(each.digest)
        first = sorted(flows, key=lambda place: _RANK[place[1]])[:MAX_FLOWS]
        return tuple(replace(flows[place], values=len(counts[place])) for place in first)

    def _origin(self, digest: int, party: _Party) -> tuple[_Origin | None, bool]:
        """The result that gave a value to this caller, or a secret to another; and whether it was another."""
        other: _Origin | None = None
        for session in self._holders.get(digest, ()):
            origin = self._sessions[session][digest]
            if origin.party.call == party.call:
                continue
            if party.is_same(origin.party):
                return (origin, False) if origin.given else (None, False)
            if origin.given and origin.kind is _SECRET:
                other = other or origin
        return other, other is not None

    def _note(self, value: Value, party: _Party, *, given: bool = False) -> None:
        """Keep a value unless the caller has it already."""
        digest, session = hash(value.text), party.session
        holders = self._holders.get(digest, ())
        if holders:
            if session in holders or len(holders) >= MAX_HOLDERS:
                return
            for other in holders:
                if party.is_same(self._sessions[other][digest].party):
                    return
        had = self._sessions.get(session)
        if had is None:
            had = self._sessions[session] = {}
            self._whose[session] = party.signer or party.principal
        self._sessions.move_to_end(session)
        share = self._shares.setdefault(self._whose[session], _Share())
        share.sessions[session] = None
        share.sessions.move_to_end(session)
        had[digest] = _Origin(party, value.kind, value.field if given else "", given)
        self._holders[digest] = (*holders, session)
        self._count += 1
        share.count += 1
        if len(had) > MAX_OF_SESSION:
            self._drop(session, next(iter(had)))
        if share.count > self._share:
            self._forget(next(iter(share.sessions)))
        while self._count > self._limit:
            self._forget(next(iter(self._sessions)))

    def _forget(self, session: str) -> None:
        for digest in list(self._sessions[session]):
            self._drop(session, digest)

    def _drop(self, session: str, digest: int) -> None:
        had, share = self._sessions[session], self._shares[self._whose[session]]
        del had[digest]
        self._count -= 1
        share.count -= 1
        holders = tuple(other for other in self._holders[digest] if other != session)
        if holders:
            self._holders[digest] = holders
        else:
            del self._holders[digest]
        if not had:
            del self._sessions[session]
            del share.sessions[session]
            whose = self._whose.pop(session)
            if not share.sessions:
                del self._shares[whose]


def why(flow: DataFlow) -> str:
    """A flow in words, as an edge says it."""
    whose = ", another caller's," if flow.crosses else ""
    what = flow.shown if flow.kind is _SECRET else f"{flow.kind.value} {flow.shown}"
    more = f" and {flow.values - 1} more" if flow.values > 1 else ""
    return f"{what}{more} of its {flow.field or 'result'}{whose} {'are' if more else 'is'} in {flow.argument}"


def _asked(value: Value, name: str) -> _Asked:
    field = value.field
    argument = f"{name}.{field}" if field else name
    return _Asked(hash(value.text), value.kind, argument, shown(value.text, value.kind))


def _party(call: Call, principal: Principal | None) -> _Party:
    signer = good_signer(call.verdict)
    return _Party(call.id, call.session, signer.id if signer is not None else "", _who(principal))


def _who(principal: Principal | None) -> tuple[str, ...]:
    if principal is None:
        return ()
    return (principal.issuer, principal.subject) if principal.subject else (principal.token_hash,)
