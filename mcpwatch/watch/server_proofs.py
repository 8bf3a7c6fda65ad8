"""What servers sign of their answers: judged as the answers come, and again when a key does."""

from msgspec import structs

from mcpwatch.identity.proofs import Asked, Moment, ProofJudge
from mcpwatch.model.entries import Body, Request
from mcpwatch.model.identity import ServerProof
from mcpwatch.model.traffic import Call, Direction, Observation
from mcpwatch.watch.one_log import OneLog
from mcpwatch.watch.row import Row
from mcpwatch.watch.state import State
from mcpwatch.watch.waiting import Waiting

_MARK = '"proof"'


class ServerProofs:
    """Puts proofs on answers and their exchanges."""

    def __init__(self, state: State, judge: ProofJudge, waiting: Waiting, logs: OneLog) -> None:
        self._state = state
        self._judge = judge
        self._waiting = waiting
        self._logs = logs

    def answer(self, seen: Observation, body: Body, received: float) -> Observation:
        """The same answer, with what the server proves of it."""
        if not seen.updated or body.text is None or _MARK not in body.text:
            return seen
        proof = self._prove(seen, body, received)
        return seen if proof is None else structs.replace(seen, proof=proof)

    def again(self, row: Row, body: Body) -> ServerProof | None:
        """What an answer is judged to prove once more; None where that is nothing else."""
        proof = self._prove(row.seen, body, row.entry.received)
        return None if proof == row.seen.proof else proof

    def _prove(self, seen: Observation, body: Body, received: float) -> ServerProof | None:
        moment = Moment(seen.index, self._logs.of(seen.source), seen.time, received)
        for call in seen.updated:
            if call.method != "tools/call" or call.direction is not Direction.TO_SERVER or call.ended is None:
                continue
            proof = self._judge.judge(moment, body, Asked(self._request(call), call.rpc_id))
            if proof is None:
                continue
            if seen.exchange is not None:
                seen.exchange.proof = proof
            if proof.waiting and proof.signer is not None:
                self._waiting.add(proof.signer.id, (seen.source, seen.index))
            return proof
        return None

    def _request(self, call: Call) -> Body | None:
        row = self._state.row(call.index, call.source)
        record = row.entry.record if row is not None else None
        return record.data.body if record is not None and isinstance(record.data, Request) else None
