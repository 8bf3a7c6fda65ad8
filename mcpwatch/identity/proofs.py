"""MCP-I response proofs (DIF TAAWG): `result._meta.proof` of an answer to `tools/call`, signed by the server.

The proof is a compact JWS whose payload is the canonical JSON (RFC 8785) of what `meta` beside it says: whose it is,
when, in which MCP-I session, and the hashes of the request and of the answer's `content`. The specification hashes the
request as `{method: "tools/call", params}`, its code as `{method: TOOL, params: ARGUMENTS}`; both are taken. The nonce
is the session's and comes with every proof of it, so a repeat is known by all that is signed: the same proof has more
than one text, with its payload and without.

This is who answered. `clientDid`, and the `agentDid` of the handshake, are claims about who asked, and prove nothing.
"""

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from mcpwatch.identity import verifier
from mcpwatch.identity.canonical import Uncanonical, canonical, digest
from mcpwatch.identity.freshness import freshness
from mcpwatch.identity.jws import ALGORITHMS
from mcpwatch.identity.keys import KeyBook, key_name
from mcpwatch.identity.replay import ReplayWindow
from mcpwatch.identity.resolution import HeldKey, KeyAnswer, Status
from mcpwatch.identity.statement import Meta, Refusal, Statement, read_statement, request_forms
from mcpwatch.identity.strict_json import read_json
from mcpwatch.identity.verdict_words import Axes, word
from mcpwatch.model.entries import MASK, Body, Json
from mcpwatch.model.identity import Covered, Freshness, KeyState, Resolution, ServerProof, SignatureState, Signer

NAME: Final = "mcp-i"
TITLE: Final = "MCP-I response proof"
WINDOW_S: Final = 300
FUTURE_S: Final = 60
MAX_ANSWER: Final = 1_048_576
"""Characters of an answer that is searched for a proof."""
CAPACITY: Final = 20_000
"""Proofs that are remembered, to know a repeat by."""
SAME_S: Final = 2.0
"""Within this of its signing a repeat may be an equal answer to an equal call: `ts` counts whole seconds."""

_MARKS = ('"proof"', '"jws"', '"meta"')
_INVALID, _UNSUPPORTED = SignatureState.INVALID, SignatureState.UNSUPPORTED
_TWICE = "a member of the answer comes twice, so that it can be read in two ways"
_TOO_LONG = f"the answer is longer than {MAX_ANSWER} characters and not searched for its proof"
_UNCANONICAL = "it cannot be canonicalised: a number beyond what doubles hold exactly, or no Unicode text"
_MASKED_ANSWER = "the log masks values of the answer, which are signed"
_MASKED_REQUEST = "the log masks values of the request, which are signed"


class Moment(Struct, frozen=True):
    """Which answer is judged, and when it came: seconds since the epoch."""

    index: int
    source: str
    now: float
    """By the gateway's clock."""
    received: float = 0.0
    """By this machine's."""


class Asked(Struct, frozen=True):
    """The call that was answered."""

    body: Body | None
    """Of the request; None where it is no longer held."""
    id: str | int | None
    """Of JSON-RPC."""


class ProofJudge:
    """Judges proofs. Asks nobody: a proof whose key is not in the book waits."""

    def __init__(
        self, keys: KeyBook, *, window_s: float = WINDOW_S, future_s: float = FUTURE_S, capacity: int = CAPACITY
    ) -> None:
        self._keys = keys
        self._window_s = window_s
        self._future_s = future_s
        self._replays = ReplayWindow(capacity)

    def judge(self, moment: Moment, answer: Body, asked: Asked) -> ServerProof | None:
        """What the server proves of its answer; None where the answer carries no such proof.

        Never raises. Judging an answer again, as when the key has come, is no replay of it.
        """
        if answer.text is None or not all(mark in answer.text for mark in _MARKS):
            return None
        if len(answer.text) > MAX_ANSWER:
            return _unproven(_UNSUPPORTED, _TOO_LONG, None)
        message, twice = _message(answer, asked.id)
        result = _of(message, "result")
        proof = _of(_of(result, "_meta"), "proof")
        if not {"jws", "meta"} <= proof.keys():
            return None
        claimed = _of(proof, "meta").get("did")
        signer = Signer(claimed) if isinstance(claimed, str) and claimed else None
        try:
            if twice:
                raise Refusal(_INVALID, _TWICE)
            return self._weigh(moment, read_statement(proof, bool(answer.masked)), result, answer, asked)
        except Refusal as refusal:
            return _unproven(refusal.state, refusal.reason, refusal.signer or signer)
        except Uncanonical:
            return _unproven(_UNSUPPORTED, _UNCANONICAL, signer)

    def _weigh(
        self, moment: Moment, statement: Statement, result: Mapping[str, Json], answer: Body, asked: Asked
    ) -> ServerProof:
        """Raises Refusal, Uncanonical."""
        found = self._keys.lookup(statement.key_id, moment.now)
        if found.status is not Status.FOUND:
            return self._unresolved(statement, found, moment)
        held = _holder(found, statement)
        if held is None:
            return self._mismatch(statement.key_id, found, moment)
        _compare_answer(statement.meta, result, answer, held.signer)
        _compare_request(statement.meta, asked, held.signer)
        return self._dated(moment, statement, held)

    def _unresolved(self, statement: Statement, found: KeyAnswer, moment: Moment) -> ServerProof:
        unknown, waiting, reason = found.status is Status.UNKNOWN, found.status is Status.WAITING, found.reason
        if unknown and self._keys.doubt(statement.key_id, moment.received):
            unknown, waiting, reason = False, True, f"{reason}; asking whether it is new"
        signer = Signer(statement.meta.did, key_state=found.key_state)
        return _unproven(SignatureState.UNRESOLVABLE, reason, signer, unknown=unknown, waiting=waiting)

    def _mismatch(self, key_id: str, found: KeyAnswer, moment: Moment) -> ServerProof:
        """The word on what none of the known keys made: bad at once where it names its key by the thumbprint."""
        signer = found.keys[0].signer
        settled = signer.resolution is Resolution.PINNED or signer.fingerprint == key_name(key_id)
        if not settled and self._keys.doubt(key_id, moment.received):
            reason = "it does not verify with the key known so far; asking whether the key was rotated"
            return _unproven(SignatureState.UNRESOLVABLE, reason, signer, waiting=True)
        return _unproven(_INVALID, f"it does not verify with the {signer.resolution.value} key of its signer", signer)

    def _dated(self, moment: Moment, statement: Statement, held: HeldKey) -> ServerProof:
        """The word on a proof that holds."""
        now, created = moment.now, float(statement.meta.ts)
        fresh, reason = freshness(created, None, now, self._window_s, self._future_s, "answer")
        sighting = self._replays.see(
            held.key, statement.signed, moment.index, now, since=created - self._future_s, source=moment.source
        )
        if sighting.first is not None:
            soon = now - created <= SAME_S
            fresh = Freshness.UNDECIDABLE if soon else Freshness.REPLAYED
            where = f" of {sighting.source}" if sighting.source != moment.source else ""
            reason = f"the same proof came first with entry {sighting.first}{where}"
            reason += ": a replay, or an equal answer within the same second" if soon else ""
        elif not sighting.decidable and fresh is Freshness.FRESH:
            fresh = Freshness.UNDECIDABLE
            reason = "whether it came before cannot be told: the replay memory was too small for the traffic"
        state = held.signer.key_state
        if not reason and state is not KeyState.CURRENT:
            reason = f"the key is {state.value}"
        axes = Axes(SignatureState.VALID, fresh, state, (Covered.BODY,))
        return ServerProof(word(axes), NAME, held.signer, reason)


def _holder(found: KeyAnswer, statement: Statement) -> HeldKey | None:
    """The key that made the signature."""
    jws = statement.jws
    fit = (held for held in found.keys if len(held.key) == ALGORITHMS[jws.algorithm])
    return next((held for held in fit if verifier.verify(held.key, statement.signed, jws.signature)), None)


def _compare_answer(meta: Meta, result: Mapping[str, Json], answer: Body, signer: Signer) -> None:
    """Raises Refusal where another answer was; what has the signed hash is as signed, whatever else is masked."""
    content = result.get("content")
    if digest(content) != meta.responseHash:
        if answer.masked and _holds_mask(content):
            raise Refusal(_UNSUPPORTED, _MASKED_ANSWER, signer)
        raise Refusal(_INVALID, "signed for another answer", signer)


def _compare_request(meta: Meta, asked: Asked, signer: Signer) -> None:
    """Raises Refusal where the answer to another request was signed."""
    if asked.body is None or asked.body.text is None:
        raise Refusal(_UNSUPPORTED, "the request that it was signed with is not at hand", signer)
    params = _of(_message(asked.body, asked.id)[0], "params")
    if all(digest(form) != meta.requestHash for form in request_forms(params)):
        if asked.body.masked and _holds_mask(params):
            raise Refusal(_UNSUPPORTED, _MASKED_REQUEST, signer)
        raise Refusal(_INVALID, "signed for the answer to another request", signer)


def _holds_mask(value: Json) -> bool:
    """Whether a value may be other than it was sent: the log masks the proof's own session id too, beside it."""
    return MASK.encode() in canonical(value)


def _message(body: Body, id: str | int | None) -> tuple[Json, bool]:
    """The message of a body, or that of a batch which has this id; and whether some member comes twice."""
    try:
        value, twice = read_json(body.text or "")
    except ValueError:
        return None, False
    if isinstance(value, list):
        named = (each for each in value if isinstance(each, dict) and str(each.get("id")) == str(id))
        value = next(named, None)
    return value, twice


def _unproven(
    state: SignatureState, reason: str, signer: Signer | None, *, unknown: bool = False, waiting: bool = False
) -> ServerProof:
    key_state = signer.key_state if signer is not None else KeyState.UNKNOWN
    axes = Axes(state, Freshness.UNCHECKED, key_state, (), unknown)
    return ServerProof(word(axes), NAME, signer, reason, waiting)


def _of(value: Json, name: str) -> Mapping[str, Json]:
    """The object under a name; an empty one where there is none."""
    found = value.get(name) if isinstance(value, Mapping) else None
    return found if isinstance(found, dict) else {}
