"""Acts on alerts, signed by whoever acts: their form, the octets that are signed, and whether it all holds."""

import hashlib
import re
from base64 import b64encode
from collections.abc import Mapping
from pathlib import Path

import msgspec
from msgspec.structs import replace

from mcpwatch.encoding import decode_base64
from mcpwatch.errors import LocalError
from mcpwatch.identity import verifier
from mcpwatch.identity.agent_key import AgentKey
from mcpwatch.identity.canonical import Uncanonical, canonical
from mcpwatch.identity.ed25519 import KEY_SIZE
from mcpwatch.model.entries import AlertActed, AlertActedEntry, Json, SilenceTerms

KEY_FILE = "operator.key"
CLOCKS_DIFFER = 300
"""Seconds by which an author's clock may differ from the log's."""
MAX_AUTHOR, MAX_NOTE, MAX_ORIGIN, MAX_GLOB = 200, 2_000, 500, 500
"""Characters."""
LONGEST_SILENCE = 7 * 86_400
"""Seconds."""

DID: Mapping[str, str] = {
    "acknowledged": "acknowledged it",
    "unacknowledged": "took that back",
    "resolved": "resolved it",
    "silenced": "silenced it",
    "unsilenced": "ended the silence",
}
"""Kind of act -> what its author did, in words."""

_ID = re.compile(r"[0-9a-f]{12}")
_SIGNATURE_SIZE = 64
_TYPE = AlertActedEntry.__struct_config__.tag


def operator_key(state: Path) -> AgentKey:
    """The key of who uses this state folder, made on first use. Raises LocalError."""
    path = state / KEY_FILE
    if not path.exists():
        try:
            AgentKey.generate().save(path)
        except LocalError:
            if not path.exists():
                raise
    return AgentKey.load(path)


def operator_fingerprint(state: Path) -> str:
    """Of the key of who uses this state folder; empty where there is none so far, or none that can be read."""
    try:
        return AgentKey.load(state / KEY_FILE).fingerprint
    except LocalError:
        return ""


def sign_act(key: AgentKey, act: AlertActed) -> AlertActed:
    """The act with its author's key and signature in place of what stands there."""
    act = replace(act, key=key.public_base64, signature="")
    return replace(act, signature=b64encode(key.sign(signed_octets(act))).decode("ascii"))


def signed_octets(act: AlertActed) -> bytes:
    """What is signed: the RFC 8785 form of the entry's type and all members but the signature. Raises Uncanonical."""
    members: dict[str, Json] = msgspec.to_builtins(act)
    return canonical({"type": _TYPE} | {name: value for name, value in members.items() if name != "signature"})


def key_of(act: AlertActed) -> str:
    """The fingerprint of the key that an act names; empty where it names none."""
    key = decode_base64(act.key)
    return verifier.fingerprint(key) if key is not None and len(key) == KEY_SIZE else ""


def silence_id(origin: str, rule: str, subject: str) -> str:
    """The id that acts on a silence go by; the same matcher has the same id."""
    text = "|".join(("silence", origin, rule, subject))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:12]


def is_glob(text: str) -> bool:
    """Whether a silence can have this as a glob."""
    return 0 < len(text) <= MAX_GLOB


def ends_in_time(begins: float, until: float) -> bool:
    """Whether a silence ends after it begins, and soon enough."""
    return begins < until <= begins + LONGEST_SILENCE


def form_fault(act: AlertActed) -> str:
    """What in an act is not as it has to be, signature aside; empty for nothing."""
    for name, value, limit in (("author", act.author, MAX_AUTHOR), ("note", act.note, MAX_NOTE)):
        if not value.strip() or len(value) > limit:
            return f"its {name} is empty or longer than {limit:,} characters"
    if len(act.origin) > MAX_ORIGIN:
        return f"its origin is longer than {MAX_ORIGIN:,} characters"
    if not _ID.fullmatch(act.alert):
        return "its alert is no id of 12 hex digits"
    if (act.kind == "silenced") != (act.silence is not None):
        return "it silences without saying what, or says what without silencing"
    return _silence_fault(act, act.silence) if act.silence is not None else ""


def signature_fault(act: AlertActed) -> str:
    """Why an act is not signed by the key that it names; empty where it is."""
    key, signature = decode_base64(act.key), decode_base64(act.signature)
    if key is None or len(key) != KEY_SIZE or not verifier.good_key(key):
        return "its key is no Ed25519 key"
    if signature is None or len(signature) != _SIGNATURE_SIZE:
        return "its signature is none"
    try:
        octets = signed_octets(act)
    except Uncanonical:
        return "it has no canonical form to sign"
    return "" if verifier.verify(key, octets, signature) else "its signature does not hold"


def act_fault(act: AlertActed, origin: str, now: float) -> str:
    """Why an act does not count that came into the log `origin` at `now`, seconds since the epoch; empty if it does."""
    if act.origin != origin:
        return "it was signed for another log"
    if abs(act.time - now) > CLOCKS_DIFFER:
        return "its author's clock differs from the log's by more than five minutes"
    return form_fault(act) or signature_fault(act)


def _silence_fault(act: AlertActed, silence: SilenceTerms) -> str:
    for name, glob in (("rule", silence.rule), ("subject", silence.subject)):
        if not is_glob(glob):
            return f"the {name} of its silence is empty or longer than {MAX_GLOB} characters"
    if not ends_in_time(act.time, silence.until):
        return "its silence does not end within seven days"
    is_named = act.alert == silence_id(act.origin, silence.rule, silence.subject)
    return "" if is_named else "it goes by another id than what it silences"
