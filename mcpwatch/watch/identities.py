"""Who has been seen signing, over all feeds."""

from heapq import nsmallest

from mcpwatch.bounded import add
from mcpwatch.model.identity import PROVEN, KeyState, Resolution, ServerProof, Signer, Verdict
from mcpwatch.watch.identity import MAX_EACH, Identity, Kind
from mcpwatch.watch.row import Row, is_proof
from mcpwatch.watch.signer_names import SignerNames

MAX_IDENTITIES = 10_000


class Identities:
    """All signer ids, bounded: past the limit the one seen longest ago goes, unproven ones first."""

    def __init__(self, limit: int = MAX_IDENTITIES) -> None:
        self.limit = limit
        self.all: dict[str, Identity] = {}
        """Agents, by id."""
        self.servers: dict[str, Identity] = {}
        """Servers, by id; one id may sign requests and answers."""
        self.names = SignerNames()
        """Of agents."""

    def observe(self, row: Row) -> None:
        """Take in a request."""
        verdict = row.seen.verdict
        if verdict is None or verdict.signer is None:
            return
        identity = self._of(Kind.AGENT, verdict.signer, row)
        identity.seen(row)
        self._add(identity, verdict, row)

    def rejudge(self, row: Row, before: Verdict | None) -> None:
        """Take in a request once more, whose verdict was `before`; a name that it alone had is gone with that."""
        verdict = row.verdict
        old = self._uncount(Kind.AGENT, row, before, proven=before is not None and is_proof(before))
        if verdict is not None and verdict.signer is not None:
            identity = self._of(Kind.AGENT, verdict.signer, row)
            self._add(identity, verdict, row)
            _bring(row, identity, old)
            if identity is old and not is_proof(verdict) and before is not None and is_proof(before):
                self._disprove(identity, verdict.signer)
        self._leave(old)

    def answered(self, row: Row, proof: ServerProof | None, before: ServerProof | None = None) -> None:
        """Take in what a server signed of its answer, or take it in once more, where it was `before`."""
        old = self._uncount(Kind.SERVER, row, before, proven=before is not None and before.word in PROVEN)
        if proof is not None and proof.signer is not None:
            identity = self._of(Kind.SERVER, proof.signer, row)
            identity.words[proof.word] += 1
            if proof.word in PROVEN:
                identity.add_proof(proof.signer, row)
                add(identity.claimed_names, row.session.server_name if row.session else "", MAX_EACH)
            if before is None:
                identity.seen(row)
            else:
                _bring(row, identity, old)
                if identity is old and proof.word not in PROVEN and before.word in PROVEN:
                    self._disprove(identity, proof.signer)
        self._leave(old)

    def alert(self, row: Row, alert: str) -> None:
        """Take note that an alert rests on this entry: it is about the entry's signer."""
        named = (self.all, row.verdict), (self.servers, row.seen.proof)
        for table, told in named:
            signer = told.signer if told is not None else None
            identity = table.get(signer.id) if signer is not None else None
            if identity is not None:
                identity.add_alert(alert)

    def _uncount(self, kind: Kind, row: Row, before: Verdict | ServerProof | None, *, proven: bool) -> Identity | None:
        """Take back what an entry was worth; returns whose it was."""
        identity = self._table(kind).get(before.signer.id) if before is not None and before.signer is not None else None
        if identity is not None and before is not None:
            identity.uncount(before.word, row.time, proven=proven)
            if proven:
                for call in row.seen.opened:
                    if identity.tools[call.target] > 0:
                        identity.tools[call.target] -= 1
                identity.tools = +identity.tools
        return identity

    def _disprove(self, identity: Identity, signer: Signer) -> None:
        identity.disprove(signer)
        if not identity.proven:
            self._unclaim(identity)

    def _leave(self, identity: Identity | None) -> None:
        """Let go of an identity if nothing is in its name any more."""
        if identity is not None and identity.is_empty:
            self._forget(identity)

    def _table(self, kind: Kind) -> dict[str, Identity]:
        return self.all if kind is Kind.AGENT else self.servers

    def _of(self, kind: Kind, signer: Signer, row: Row) -> Identity:
        table = self._table(kind)
        identity = table.get(signer.id)
        if identity is None:
            if len(table) >= self.limit:
                self._drop(table)
            place = (row.source, row.index, row.time)
            identity = table[signer.id] = Identity(
                signer.id, "", "", Resolution.NONE, KeyState.UNKNOWN, *place, *place, kind=kind
            )
        if signer.fingerprint and signer.name != identity.name:
            self._rename(identity, signer.name)
        return identity

    def _rename(self, identity: Identity, name: str) -> None:
        if identity.kind is Kind.AGENT:
            self.names.call(identity.id, identity.name, name)
        identity.name = name

    def _add(self, identity: Identity, verdict: Verdict, row: Row) -> None:
        identity.words[verdict.word] += 1
        signer = verdict.signer
        if signer is None or not is_proof(verdict):
            return
        identity.add_proof(signer, row)
        if row.session:
            self._claim(identity, row.session.client_name)
        for call in row.seen.opened:
            if call.target and (call.target in identity.tools or len(identity.tools) < MAX_EACH):
                identity.tools[call.target] += 1
        request = row.seen.request
        if request is not None:
            add(identity.peers, request.peer.rpartition(":")[0], MAX_EACH)

    def _claim(self, identity: Identity, name: str) -> None:
        if name and name not in identity.claimed_names and len(identity.claimed_names) < MAX_EACH:
            identity.claimed_names.add(name)
            self.names.claim(identity.id, name)

    def _drop(self, table: dict[str, Identity]) -> None:
        # A tenth at once: a flood of made-up ids must not cost a search each.
        oldest = nsmallest(self.limit // 10 + 1, table.values(), key=lambda one: (one.proven > 0, one.last_time))
        for identity in oldest:
            self._forget(identity)

    def _forget(self, identity: Identity) -> None:
        table = self._table(identity.kind)
        if table.get(identity.id) is identity:
            del table[identity.id]
            self._rename(identity, "")
            self._unclaim(identity)

    def _unclaim(self, identity: Identity) -> None:
        if identity.kind is Kind.AGENT:
            for name in identity.claimed_names:
                self.names.unclaim(identity.id, name)
        identity.claimed_names.clear()


def _bring(row: Row, identity: Identity, old: Identity | None) -> None:
    """Let an identity have an entry that was judged late, with the alerts that rest on it if it was another's."""
    identity.seen_before(row)
    if identity is not old:
        for alert in row.alerts:
            identity.add_alert(alert)
