"""The words of the filter language: one table for the parser, the help, the completion and the English echo."""

import re
from collections.abc import Callable, Iterable
from functools import lru_cache

from msgspec import Struct

from mcpwatch.model.alerts import Severity
from mcpwatch.model.identity import (
    KeyState,
    Resolution,
    SignatureState,
    Word,
)
from mcpwatch.model.traffic import ENTRY_KINDS, CallState, Direction
from mcpwatch.watch import filter_values
from mcpwatch.watch.filter_values import plain
from mcpwatch.watch.row import Row
from mcpwatch.watch.schemes import TITLES
from mcpwatch.watch.state import State

Texts = Callable[[Row, State], Iterable[str]]
Number = Callable[[Row, State], float | None]
Hints = Callable[[State], Iterable[str]]

# Values are case-folded, which turns the micro sign into the Greek letter.
_UNITS = {"us": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
_SPAN = re.compile(r"(\d{1,9}(?:\.\d{1,6})?)(us|μs|ms|s|m|h|d)")
_STATUS = re.compile(r"\d{3}|[1-5]xx")
_DIRECTIONS = {Direction.TO_SERVER: ("server", "c2s", "→"), Direction.TO_CLIENT: ("client", "s2c", "←")}


class FilterWord(Struct, frozen=True):
    """One word: what it reads off a row and which values it takes.

    `name:value` looks for the value within the texts, or, where `choices` are given, at the start of one of them;
    `name=value` wants the whole. A word with `number` also takes `<`, `<=`, `>` and `>=`.
    """

    name: str
    help: str
    english: str
    """The subject of a sentence: `the tool`."""
    texts: Texts | None = None
    whole: bool = False
    """`name:value` wants the whole text too."""
    choices: tuple[str, ...] = ()
    extra: re.Pattern[str] | None = None
    """What is taken beside the choices."""
    number: Number | None = None
    read: Callable[[str], float | None] | None = None
    """The number that a value means; None when it means none."""
    unit: str = ""
    """What a number looks like, for the message when it does not."""
    timed: bool = False
    """The answer changes as time passes."""
    hints: Hints | None = None
    """Values in the traffic at hand, to complete from; untrusted."""


@lru_cache(maxsize=256)
def read_span(text: str) -> float | None:
    """Seconds in `500ms`, `5m`, `1.5h`; None when it is no span of time."""
    match = _SPAN.fullmatch(text)
    return float(match[1]) * _UNITS[match[2]] if match else None


@lru_cache(maxsize=256)
def read_number(text: str) -> float | None:
    """A whole number of at most 15 digits."""
    return float(text) if text.isascii() and text.isdecimal() and len(text) <= 15 else None


@lru_cache(maxsize=64)
def read_severity(text: str) -> float | None:
    """The rank of a severity, which may be abbreviated."""
    ranks = [float(severity) for severity in Severity if text and severity.name.casefold().startswith(text)]
    return ranks[0] if len(ranks) == 1 else None


WORDS = (
    FilterWord(
        "tool",
        "tool name, prompt name or resource URI",
        "the tool",
        lambda row, state: (row.tool,),
        hints=lambda state: {name for _, _, name in state.tools},
    ),
    FilterWord(
        "method",
        "JSON-RPC method; HTTP method where there is none",
        "the method",
        lambda row, state: (row.method,),
        hints=lambda state: {call.method for call in state.calls.values()},
    ),
    FilterWord("id", "JSON-RPC id", "the JSON-RPC id", filter_values.rpc_id, whole=True),
    FilterWord(
        "sess",
        "session: key or short name",
        "the session",
        filter_values.session,
        hints=lambda state: (key for _, key in state.sessions),
    ),
    FilterWord(
        "who",
        "signer id, key fingerprint, your name for it, principal or claimed name",
        "who",
        filter_values.who,
        hints=lambda state: state.identities,
    ),
    FilterWord(
        "name",
        "what you call its signer",
        "the signer's name",
        lambda row, state: (signer.name for signer in filter_values.own_signers(row)),
        hints=lambda state: {identity.name for identity in state.identities.values() if identity.name},
    ),
    FilterWord(
        "scheme",
        "signature scheme",
        "the scheme",
        filter_values.schemes,
        hints=lambda state: TITLES,
    ),
    FilterWord(
        "profile",
        "named use of the signature scheme",
        "the profile",
        lambda row, state: (row.verdict.profile,) if row.verdict else (),
    ),
    FilterWord(
        "via",
        "how the signer's key was found",
        "the key's origin",
        lambda row, state: (plain(signer.resolution.value) for signer in filter_values.own_signers(row)),
        choices=tuple(plain(resolution.value) for resolution in Resolution),
    ),
    FilterWord(
        "keystate",
        "how the signer's key stands",
        "the key's state",
        lambda row, state: (plain(signer.key_state.value) for signer in filter_values.own_signers(row)),
        choices=tuple(plain(state.value) for state in KeyState),
    ),
    FilterWord(
        "server",
        "the server's name",
        "the server",
        lambda row, state: (row.upstream,),
        hints=lambda state: {session.upstream for session in state.sessions.values()},
    ),
    FilterWord(
        "dir",
        "direction: server (to it, c2s) or client (to it, s2c)",
        "the direction",
        lambda row, state: next((names for arrow, names in _DIRECTIONS.items() if arrow == row.arrow), ()),
        choices=("server", "client", "c2s", "s2c", "→", "←"),
    ),
    FilterWord("kind", "kind of entry", "the kind", lambda row, state: (row.kind,), choices=ENTRY_KINDS),
    FilterWord(
        "status",
        "how a call stands, or the HTTP status (404, 4xx, status>=400)",
        "the status",
        filter_values.status,
        choices=("ok", *(plain(state.value) for state in CallState)),
        extra=_STATUS,
        number=lambda row, state: row.status,
        read=read_number,
        unit="a number, as in status>=400",
    ),
    FilterWord(
        "sig",
        "the verdict's word, or the state of the signature",
        "the signature",
        filter_values.signature,
        choices=tuple(
            dict.fromkeys([*(plain(word.value) for word in Word), *(state.value for state in SignatureState)])
        ),
    ),
    FilterWord(
        "alert",
        "an alert's id, rule, title or subject; any, none",
        "an alert",
        filter_values.alert_texts,
        hints=lambda state: ("any", "none", *{alert.rule for alert in state.alerts.values()}),
    ),
    FilterWord(
        "rule",
        "the rule of an alert",
        "the rule",
        lambda row, state: (alert.rule for alert in filter_values.alerts(row, state)),
        hints=lambda state: {alert.rule for alert in state.alerts.values()},
    ),
    FilterWord(
        "sev",
        "highest severity of the entry's alerts (sev:high, sev>=high)",
        "the severity",
        lambda row, state: (row.severity.name.casefold(),) if row.severity else (),
        choices=tuple(severity.name.casefold() for severity in reversed(Severity)),
        number=lambda row, state: row.severity,
        read=read_severity,
        unit="low, medium, high or critical",
    ),
    FilterWord(
        "ack", "whether its alerts are acknowledged", "acknowledged", filter_values.acknowledged, choices=("yes", "no")
    ),
    FilterWord(
        "mark",
        "whether you marked it",
        "marked",
        lambda row, state: ("yes" if row in state.marks else "no",),
        choices=("yes", "no"),
    ),
    FilterWord("peer", "the other end's address and port", "the peer", filter_values.peer),
    FilterWord(
        "gw",
        "the feed's name",
        "the feed",
        lambda row, state: (row.source,),
        hints=lambda state: state.feeds,
    ),
    FilterWord(
        "dur",
        "how long it took, or has taken (dur>500ms)",
        "the duration",
        number=filter_values.duration,
        read=read_span,
        unit="a span of time, as in dur>500ms",
        timed=True,
    ),
    FilterWord(
        "age",
        "how long ago (age<5m)",
        "the age",
        number=lambda row, state: state.gateway_now(row.source) - row.time,
        read=read_span,
        unit="a span of time, as in age<5m",
        timed=True,
    ),
    FilterWord(
        "index",
        "place in the log (index>=1000)",
        "the index",
        lambda row, state: (str(row.index),),
        whole=True,
        number=lambda row, state: row.index,
        read=read_number,
        unit="a number, as in index>=1000",
    ),
)

BY_NAME = {word.name: word for word in WORDS}
