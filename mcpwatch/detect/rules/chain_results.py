"""What should not be in an answer?"""

import re
from collections.abc import Iterable, Iterator
from itertools import islice

from msgspec.structs import replace

from mcpwatch.detect.lineage import named
from mcpwatch.detect.phrases import cut, quote, who_of
from mcpwatch.detect.rule import Rule
from mcpwatch.detect.strings import Found, Path, said, whole
from mcpwatch.model.alerts import Finding, RuleInfo, Severity
from mcpwatch.model.entries import MASK
from mcpwatch.model.traffic import Call, Direction, Observation, RpcMessage
from mcpwatch.secret_kinds import ADDRESS, masked_in, may_hold_secret, secrets_in
from mcpwatch.traffic.dataflow import GIVES

_MAX_STRINGS = 2_000
_MAX_TEXT = 65_536
"""Characters looked at of one answer."""
_MIN_SECRET = 12
_PLAIN_NAMES = re.compile(
    r"passw(?:or)?d|pwd|pass(?:phrase|code)|secret(?:key|accesskey)?|clientsecret|x?apikey|accesskey|connectionstring"
    r"|(?:private|signing|encryption)key|ssn|socialsecuritynumber|card(?:number|cvc|cvv)|creditcard(?:number)?|ccnumber"
    r"|cv[cv]2?|securitycode|.*(?:password|passphrase|secret|apikey|privatekey|secretkey)"
)
"""Names that have but one meaning, without what is no letter or digit."""
_LOOSE_NAMES = re.compile(
    r".*tokens?|auth|(?:proxy)?authorization|bearer|jwt|cookies?|setcookie|secrets|credentials?|.*session(?:id)?|sid|otp"
    r"|totp|mfacode|verificationcode|pass|iban"
)
"""Others that the gateway masks, which may be a page's token or a kind of login."""
_MASKED = re.compile(rf"""["']([\w.-]{{1,64}})["']\s{{0,8}}:\s{{0,8}}["']{re.escape(MASK)}["']""")
_MASKED_ADDRESS = re.compile(rf"""://([^\s:/@"'<>]{{0,128}}):{re.escape(MASK)}@([^\s:/@"'<>]{{0,255}})""")
_OF_A_MANUAL = re.compile(
    r"(?:user(?:name)?|login|your\w*|[$%{\[].*)(?:@.*)?|.*@(?:.*\.)?(?:example(?:\.[a-z]{2,5})?|host(?:name)?)"
)
"""User and host as they stand in a text that explains such addresses (RFC 2606 has the names of hosts)."""
_DOCUMENT = re.compile(r"\s*[{\[].*[}\]]\s*", re.DOTALL)
_MAX_MASKED = 20
_TO_CLIENT = Direction.TO_CLIENT


class SecretInResult(Rule):
    """Says what kind of secret and where, never which.

    Of what the gateway masked the kind is left where its form told that, else only the name of the field, and what a
    name stands for is not always a secret: low, unless it has but one meaning and is no part of a longer text, such as
    a manual or code. What the two sides say to each other in `_meta`, such as the server's own signature, is no part of
    the answer.
    """

    info = RuleInfo(
        id="chain/secret-in-result",
        title="Secret in result",
        severity=Severity.HIGH,
        meaning="An answer holds a key, a token, an address with its password or a card number. "
        "It is now in the agent's context, and wherever that goes.",
        action="Replace the secret. Make the tool leave it out, or give it only to whoever has to have it.",
        references=("OWASP MCP01", "SAFE-T1503"),
    )
    kinds = ("message",)
    methods = GIVES

    def observe(self, seen: Observation) -> Iterable[Finding]:
        found: list[Finding] = []
        for message in seen.messages:
            if message.method or message.direction is not _TO_CLIENT:
                continue
            if may_hold_secret(text := whole(message)) or MASK in text:
                found += self._of_answer(seen, message)
        return found

    def _of_answer(self, seen: Observation, message: RpcMessage) -> Iterator[Finding]:
        call = next((one for one in seen.updated if one.rpc_id == message.id and one.method in GIVES), None)
        if call is None:
            return
        told: set[str] = set()
        for kind, path, is_plain in _secrets(said(message)):
            if kind not in told and not _is_aside(path):
                told.add(kind)
                yield self._found(seen, call, kind, path, is_plain)

    def _found(self, seen: Observation, call: Call, kind: str, path: Path | None, is_plain: bool) -> Finding:
        at = f" at {cut(str(path))}" if path is not None else ""
        reason = f"The answer of {quote(call.target or call.method)} holds {kind}{at}."
        subject = f"{who_of(seen)}: {kind} from {named(call)}"
        found = self.finding(seen, subject, reason, call.index, seen.index, call=call)
        return found if is_plain else replace(found, severity=Severity.LOW)


def _secrets(texts: Iterable[Found]) -> Iterator[tuple[str, Path | None, bool]]:
    """Kinds of secrets, the way to each, and whether it is certain."""
    left = _MAX_TEXT
    for path, text in islice(texts, _MAX_STRINGS):
        if left <= 0:
            return
        if len(text) >= _MIN_SECRET:
            if len(text) > left:
                text = text[:left]
            left -= len(text)
            for kind in secrets_in(text):
                yield f"{_article(kind)} {kind}", path, True
        if MASK in text:
            yield from _masked(path, text)


def _masked(path: Path | None, text: str) -> Iterator[tuple[str, Path | None, bool]]:
    """What stood where the gateway put its mask, as far as names tell."""
    names = [str(path.step)] if text == MASK and path is not None else []
    names += [hit.group(1) for hit, _ in zip(_MASKED.finditer(text), range(_MAX_MASKED), strict=False)]
    is_data = text == MASK or _DOCUMENT.fullmatch(text) is not None
    for name in names:
        plain = "".join(filter(str.isalnum, name)).lower()
        is_plain = _PLAIN_NAMES.fullmatch(plain) is not None
        if is_plain or _LOOSE_NAMES.fullmatch(plain):
            yield f"{quote(cut(name, 40))}, masked by the gateway,", path, is_plain and is_data
    for kind in masked_in(text):
        yield f"{_article(kind)} {kind}, masked by the gateway,", path, True
    addresses = islice(_MASKED_ADDRESS.finditer(text), _MAX_MASKED) if "://" in text else ()
    if not all(_OF_A_MANUAL.fullmatch(f"{hit[1]}@{hit[2]}".lower()) for hit in addresses):
        yield f"an {ADDRESS}, masked by the gateway,", path, True


def _is_aside(path: Path | None) -> bool:
    """Whether it is in the `_meta` of the answer."""
    while path is not None and path.parent is not None:
        path = path.parent
    return path is not None and path.step == "_meta"


def _article(kind: str) -> str:
    return "an" if kind[0] in "aA" else "a"
