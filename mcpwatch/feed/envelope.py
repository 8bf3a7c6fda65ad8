"""Entries to leaves and back: one CloudEvents envelope has one canonical form (SPEC.md, section 2)."""

from datetime import UTC, datetime

import msgspec

from mcpwatch.model.entries import (
    AlertActed,
    AlertActedEntry,
    Data,
    End,
    EndEntry,
    GatewayStarted,
    GatewayStartedEntry,
    GatewayStopped,
    GatewayStoppedEntry,
    Message,
    MessageEntry,
    Record,
    Request,
    RequestEntry,
    Response,
    ResponseEntry,
)

ENVELOPES: dict[type[Data], type[Record]] = {
    GatewayStarted: GatewayStartedEntry,
    GatewayStopped: GatewayStoppedEntry,
    Request: RequestEntry,
    Response: ResponseEntry,
    Message: MessageEntry,
    End: EndEntry,
    AlertActed: AlertActedEntry,
}
MAX_LEAF = 524_288
"""Octets; a larger leaf is not put into a feed."""

_encoder = msgspec.json.Encoder()
_decoder: msgspec.json.Decoder[Record] = msgspec.json.Decoder(Record)


class Malformed(Exception):
    """A leaf that is not an envelope in canonical form; `reason` may quote the leaf."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def seal(index: int, origin: str, time: datetime, data: Data) -> Record:
    """Wrap `data` in its envelope: entry `index` of the log `origin`, seen at `time` (with a time zone)."""
    envelope = ENVELOPES[type(data)]
    return envelope(specversion="1.0", id=str(index), source=origin, time=time.astimezone(UTC), data=data)  # type: ignore[arg-type]


def encode(record: Record) -> bytes:
    """The leaf: the record's canonical form, one line of UTF-8.

    Raises UnicodeEncodeError when a string holds a lone surrogate, which UTF-8 cannot carry.
    """
    return _encoder.encode(record)


def decode(leaf: bytes) -> Record:
    """The record in a leaf; raises Malformed for all that `encode` would not have written.

    Comparing the leaf with its own re-encoding refuses in one step what JSON leaves open: duplicate keys,
    white space, escapes and numbers spelled another way, other field orders, defaults written out. Nesting
    is bounded by the types; a tag hidden behind deep nesting ends in RecursionError.
    """
    if len(leaf) > MAX_LEAF:
        raise Malformed(f"larger than {MAX_LEAF} octets")
    try:
        record = _decoder.decode(leaf)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise Malformed(str(error)[:200]) from None
    except RecursionError:
        raise Malformed("nested too deeply") from None
    if record.time.tzinfo is not UTC or not 1970 <= record.time.year < 9999:
        raise Malformed("the time is not UTC, or not of this era")
    if _encoder.encode(record) != leaf:
        raise Malformed("not in canonical form")
    return record
