"""What was denied, held against what is let through at another try."""

from abc import abstractmethod
from collections.abc import Iterable
from typing import NamedTuple

from mcpwatch.detect.callers import caller_behind, is_unsettled
from mcpwatch.detect.credentials import unread
from mcpwatch.detect.phrases import host, session_label
from mcpwatch.detect.recent import Recent
from mcpwatch.detect.refusals import ACTING, came_through, is_of_caller, names_target, was_denied
from mcpwatch.detect.rule import Rule
from mcpwatch.model.alerts import Finding
from mcpwatch.model.entries import Principal, Request
from mcpwatch.model.traffic import Call, Exchange, Observation, RpcMessage

_PLACES = 10_000
_OPEN = 4_000
_TARGETS = 64
"""Denied ones remembered of one session or client."""
_LONG = 4_096
"""Octets of a body from which on it is not held until the answer comes."""

NOBODY = ("", "", "", "")
"""A caller whom nothing proves."""

Place = tuple[str, str, str]


class Asked:
    """A request for something by its name, read when somebody wants to know."""

    def __init__(self, seen: Observation, exchange: Exchange, request: Request, call: Call) -> None:
        self.exchange = exchange
        self.unread = unread(request)
        """Header fields that may say who called, and whose values nobody knows."""
        self._headers = request.headers
        body = request.body
        is_known = body is not None and body.text is not None and not body.masked
        self.arguments = _arguments(seen.messages, call) if is_known else None
        """A hash; None where values were masked, so that nobody can compare them."""

    def caller(self) -> tuple[str, str, str, str]:
        """Who called: signer, and the token's issuer, subject and hash; of a token that is not signed, nothing."""
        caller = caller_behind(self.exchange)
        if caller.is_nobody:
            return NOBODY
        signer, token = caller.signer, caller.principal
        name = (signer.fingerprint or signer.id) if signer is not None else ""
        return (name, token.issuer, token.subject, token.token_hash) if token is not None else (name, "", "", "")

    def client(self) -> str:
        """The program that called: its key, else its address and user agent."""
        signer = caller_behind(self.exchange).signer
        if signer is not None:
            return signer.fingerprint or signer.id
        agent = next((value for name, value in self._headers if name == "user-agent"), "")
        return f"{host(self.exchange.peer)} {agent}"


class Denied(NamedTuple):
    """A request that was denied."""

    caller: tuple[str, str, str, str]
    principal: Principal | None
    unread: tuple[str, ...]
    arguments: int | None
    request: int
    """Its entry."""
    time: float
    entry: int
    session: str
    label: str
    """The session in a sentence."""
    is_about_target: bool
    """Whether the denial names what was asked for, so that other arguments would have been denied as well."""


class SecondTry(Rule):
    """Base of the rules that hold what is let through against what was denied.

    The same arguments, or a denial that names the tool: a server that denies one path and reads another is no finding.
    What the gateway refused and lets through later, its operator allowed.
    """

    kinds = ("request", "message", "end")

    def __init__(self) -> None:
        self._open: Recent[str, Observation | Asked] = Recent(_OPEN)
        """The requests of open calls; of a long one what is compared, so that nobody fills the memory with them."""
        self._denied: Recent[Place, dict[tuple[str, str], Denied]] = Recent(_PLACES)
        self._refused: Recent[tuple[str, int], bool] = Recent(_OPEN)
        """Exchanges that the gateway refused by itself."""

    @abstractmethod
    def place(self, seen: Observation, call: Call, asked: Asked) -> Place:
        """Where a denial is looked for."""

    @abstractmethod
    def compare(self, seen: Observation, call: Call, asked: Asked, denied: Denied) -> Finding | None:
        """What is wrong with a call that came through after that denial."""

    def observe(self, seen: Observation) -> Iterable[Finding]:
        if seen.kind == "end" and seen.exchange is not None and seen.exchange.outcome == "denied":
            self._refused.put((seen.source, seen.exchange.index), True)
        if seen.kind != "request":
            return self._ended(seen) if seen.updated else ()
        for call in seen.opened:
            if call.method in ACTING and call.target:
                body = seen.request.body if seen.request is not None else None
                asked = _read(seen, call) if body is not None and body.size > _LONG else seen
                if asked is not None:
                    self._open.put(call.id, asked)
        return ()

    def _ended(self, seen: Observation) -> list[Finding]:
        found: list[Finding] = []
        for call in seen.updated:
            request = self._open.pop(call.id) if call.ended is not None else None
            if request is None:
                continue
            is_denied = was_denied(call)
            if not is_denied and not (self._denied and came_through(seen, call)):
                continue
            asked = request if isinstance(request, Asked) else _read(request, call)
            if asked is None or is_unsettled(asked.exchange):
                continue
            if not is_denied:
                found += self._let_through(seen, call, asked)
            elif is_of_caller(call, asked.exchange.principal is not None):
                self._deny(seen, call, asked)
        return found

    def _let_through(self, seen: Observation, call: Call, asked: Asked) -> Iterable[Finding]:
        denied = (self._denied.get(self.place(seen, call, asked)) or {}).get((call.method, call.target))
        if denied is None or (seen.source, denied.request) in self._refused:
            return
        if denied.is_about_target or _same(denied.arguments, asked.arguments):
            finding = self.compare(seen, call, asked, denied)
            if finding is not None:
                yield finding

    def _deny(self, seen: Observation, call: Call, asked: Asked) -> None:
        place = self.place(seen, call, asked)
        denied = self._denied.get(place) or self._denied.put(place, {})
        key = (call.method, call.target)
        denied.pop(key, None)
        label = session_label(seen.session) if seen.session is not None else ""
        denied[key] = Denied(
            asked.caller(),
            asked.exchange.principal,
            asked.unread,
            asked.arguments,
            asked.exchange.index,
            seen.time,
            seen.index,
            call.session,
            label,
            names_target(call),
        )
        if len(denied) > _TARGETS:
            del denied[next(iter(denied))]


def _read(seen: Observation, call: Call) -> Asked | None:
    if seen.exchange is None or seen.request is None:
        return None
    return Asked(seen, seen.exchange, seen.request, call)


def _arguments(messages: tuple[RpcMessage, ...], call: Call) -> int | None:
    asked = [message.params for message in messages if message.id == call.rpc_id]
    said = [params.get("arguments") for params in asked if isinstance(params, dict)]
    return hash(repr(said)) if said else None


def _same(before: int | None, now: int | None) -> bool:
    return before is not None and before == now
