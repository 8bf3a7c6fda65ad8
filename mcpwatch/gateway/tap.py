"""The tap: turns exchanges into log entries while they stream by, and never stands in their way."""

import logging
import time
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Concatenate, ParamSpec

from msgspec.structs import replace

from mcpwatch.feed.sse import Frame, SseReader, StreamFault, is_event_stream
from mcpwatch.gateway.arrival import Arrival
from mcpwatch.gateway.bodies import BodyReader, capture_body
from mcpwatch.gateway.budget import Budget
from mcpwatch.gateway.captures import Captures, strictest
from mcpwatch.gateway.headers import RawHeader, content_encoding, first, logged, octets
from mcpwatch.gateway.inflate import Inflate, InflateFault, can_inflate
from mcpwatch.gateway.journal import TooLarge, Unwritable
from mcpwatch.gateway.log import Log
from mcpwatch.gateway.mask_text import mask_prose, mask_shapes
from mcpwatch.gateway.principal import KeyedHash
from mcpwatch.gateway.session_ids import SessionForms, holds, mask_id, without
from mcpwatch.gateway.shown_request import read_request, session_id
from mcpwatch.model.entries import (
    NOTHING_CARRIED,
    Body,
    Capture,
    Data,
    End,
    Message,
    Outcome,
    Request,
    Response,
    SessionForm,
)

MAX_EVENT = 2 * 1024 * 1024
"""Octets of a server-sent event that is still looked into."""
MAX_EVENT_LINES = 65_536
_CROWDED = "too many octets of answers were held for the log at a time"

P = ParamSpec("P")
logger = logging.getLogger(__name__)


class Tap:
    """Begins exchanges in the log."""

    def __init__(self, log: Log, captures: Captures, hashed: KeyedHash, held: Budget) -> None:
        """`held` is for what of answers waits to be logged."""
        self.log = log
        self.captures = captures
        self.hashed = hashed
        self.held = held
        self.forms = SessionForms()

    def begin(self, upstream: str, arrival: Arrival) -> "Exchange":
        """Log a request, before it is passed on."""
        exchange = Exchange(self)
        exchange.request(upstream, arrival)
        if exchange.fault:
            exchange.bare_request(upstream, arrival.method, arrival.peer)
        return exchange

    def begin_unreadable(self, peer: str) -> "Exchange":
        """Log that something came that cannot be read as a request."""
        exchange = Exchange(self)
        exchange.bare_request("", "", peer)
        return exchange


def _harmless(method: Callable[Concatenate["Exchange", P], None]) -> Callable[Concatenate["Exchange", P], None]:
    """Turn any failure of the tap into a fault that the exchange's end reports."""

    @wraps(method)
    def guarded(self: "Exchange", /, *arguments: P.args, **named: P.kwargs) -> None:
        try:
            method(self, *arguments, **named)
        except Exception as error:
            # The message could quote traffic, so only the kind of error is told.
            self.fault = self.fault or f"not all of this exchange was logged ({type(error).__name__})"
            if not isinstance(error, Unwritable):
                logger.warning("the tap failed in %s: %s", method.__name__, type(error).__name__)

    return guarded


class Exchange:
    """One exchange on its way into the log. Its id is the index of its request's entry."""

    def __init__(self, tap: Tap) -> None:
        self.fault = ""
        """Why the log does not have all of it."""
        self.rule = ""
        """Id of the rule that the policy refuses it by; empty where it does not."""
        self._tap = tap
        self.index: int | None = None
        """Of the request's entry; None where the log does not have it."""
        self.shown: Request | None = None
        """The request as it was to be logged; None where that failed."""
        self._begun = time.monotonic()
        self._events: SseReader | None = None
        self._inflate: Inflate | None = None
        self._body: BodyReader | None = None
        self._share = tap.held.share()
        self._capture: Capture = strictest((tap.captures.mode, *(rule.capture for rule in tap.captures.tools)))
        """The strictest there is, until it is known what the exchange is about."""
        self._upstream = ""
        self._session = b""
        """The session id that the request carries, or else the answer."""

    @_harmless
    def request(self, upstream: str, arrival: Arrival) -> None:
        """The request has come in whole, or as far as it will."""
        tap = self._tap
        self._upstream, self._session = upstream, session_id(arrival.headers)
        self._capture = tap.captures.of(upstream, arrival)
        self.shown = read_request(upstream, arrival, self._capture, tap.hashed)
        self.index = self._append(self.shown)

    @_harmless
    def bare_request(self, upstream: str, method: str, peer: str) -> None:
        """Log at least that there was a request."""
        request = Request(
            upstream=upstream,
            method=mask_shapes(method)[0],
            scheme="http",
            authority="",
            target="",
            peer=peer,
            headers=(),
            withheld=(NOTHING_CARRIED,),
        )
        self.index = self._append(request)

    @_harmless
    def response(self, status: int, headers: Sequence[RawHeader]) -> None:
        """The answer's head has been passed on."""
        if self.index is None:
            return
        tap = self._tap
        given = session_id(headers)
        kept, _ = logged(headers, masked=self._capture != "full", session=given or self._session)
        form: SessionForm = ""
        if given and given != self._session and 200 <= status < 300:
            form = tap.forms(self._upstream, given, time.time())
        self._session = given or self._session
        encoding = content_encoding(headers)
        if is_event_stream(octets(first(headers, b"content-type") or b"")) and (not encoding or can_inflate(encoding)):
            self._events = SseReader(MAX_EVENT, MAX_EVENT, MAX_EVENT_LINES)
            self._inflate = Inflate(encoding) if encoding else None
        else:
            self._body = BodyReader(self._capture, encoding, self._share.hold)
        session = tap.hashed(given) if given else ""
        self._append(Response(exchange=self.index, status=status, headers=kept, session=session, session_form=form))

    @_harmless
    def chunk(self, chunk: bytes) -> None:
        """A piece of the answer's body has been passed on."""
        if self._body is not None:
            self._body.feed(chunk)
        elif self._events is not None:
            self._read_events(chunk)

    @_harmless
    def end(self, outcome: Outcome, sent: int, reason: str = "") -> None:
        """Nothing more will be passed on; `sent` is how much of the body was."""
        with self._share:
            self._finish_body()
        if self.index is None:
            return
        duration = int((time.monotonic() - self._begun) * 1_000_000)
        reasons = "; ".join(filter(None, (reason, self.fault)))
        if self._capture != "full":
            reasons, _ = mask_prose(reasons)
        self._append(End(self.index, outcome, duration, sent, reasons, self.rule))

    @_harmless
    def _finish_body(self) -> None:
        if self.index is not None and self._body is not None and self._body.size:
            leaked = self._body.holds(self._session)
            self._append(Message(exchange=self.index, body=self._masked(self._body.finish(), leaked), leaked=leaked))
            if self._body.is_crowded:
                self.fault = self.fault or f"of the answer only size and digest were logged: {_CROWDED}"

    def _read_events(self, chunk: bytes) -> None:
        assert self._events is not None and self.index is not None  # noqa: S101 (set together, by `response`)
        fault = ""
        try:
            frames = self._events.feed(self._inflate(chunk) if self._inflate else chunk)
        except StreamFault as stream_fault:
            frames, fault = stream_fault.frames, stream_fault.reason
        except InflateFault as inflate_fault:
            frames, fault = [], str(inflate_fault)
        for frame in frames:
            leaked = holds(frame.data, self._session)
            body = self._masked(capture_body(frame.data, self._capture), leaked)
            event, id = self._event(frame)
            self._append(Message(exchange=self.index, body=body, stream=True, event=event, event_id=id, leaked=leaked))
        if not fault and not self._share.hold(self._events.held):
            fault = _CROWDED
        if fault:
            self._share.hold(0)
            self.fault = f"events were not logged from here on: {fault}"
            self._events = None

    def _event(self, frame: Frame) -> tuple[str, str]:
        """An event's name and id as the log holds them."""
        event, id = frame.event, frame.id or ""
        if self._capture == "full":
            return event, id
        if self._capture == "digest":
            return "", ""
        return mask_shapes(event)[0], mask_shapes(mask_id(id, self._session)[0])[0]

    def _masked(self, body: Body, leaked: bool) -> Body:
        return without(body, self._session) if leaked and self._capture != "full" else body

    def _append(self, data: Data) -> int:
        """Log `data`; what makes an entry too large for a feed is left out, content first."""
        try:
            return self._tap.log.append(data)
        except TooLarge:
            if isinstance(data, Message):
                return self._tap.log.append(replace(data, body=_without_content(data.body)))
            if isinstance(data, Response):
                return self._tap.log.append(replace(data, headers=()))
            if not isinstance(data, Request):
                raise
        data = replace(data, body=_without_content(data.body) if data.body else None)
        try:
            return self._tap.log.append(data)
        except TooLarge:
            return self._tap.log.append(replace(data, headers=(), withheld=(NOTHING_CARRIED,)))


def _without_content(body: Body) -> Body:
    return replace(body, text=None, base64=None, masked=0, truncated=True)
