"""The answer to a call that the policy refuses, in the form in which clients show the reason."""

from http import HTTPStatus

import msgspec

from mcpwatch.gateway.calls import Asked
from mcpwatch.gateway.headers import RawHeader
from mcpwatch.gateway.refusal import RPC_CODE, Refusal, own_answer

_WHOLE_BATCH = "; none of its batch was passed on"


class Denied(Refusal):
    """The policy refuses a request, whole.

    The official clients of the handshake era drop the body of an HTTP error, or break the session off: they get the
    reason as the answer to the call, with HTTP 200. Those of the stateless era expect an HTTP error with it.
    """

    def __init__(self, why: str, rule: str, entry: int | None, asked: Asked | None = None) -> None:
        """`rule` is the one that a watcher raises its alert by, on the log's entry of that index."""
        ids = () if asked is None else tuple(call.id for call in asked.calls if call.id is not None)
        status = HTTPStatus.OK if ids and asked is not None and not asked.version else HTTPStatus.FORBIDDEN
        batch = _WHOLE_BATCH if asked is not None and asked.is_batch else ""
        where = "not in the log" if entry is None else f"entry {entry} of the log"
        # What is quoted may hold half a surrogate pair, which neither the answer nor the log could carry.
        said = why.encode("utf-8", "replace").decode()
        super().__init__(status, f"denied by the policy: {said}{batch} ({rule}, {where})")
        self.rule = rule
        self._data = {"rule": rule, "entry": entry}
        self._ids = ids
        self._is_batch = asked is not None and asked.is_batch

    def answer(self, request_body: bytes | None) -> tuple[list[RawHeader], bytes]:
        """Header fields and body; each call of the request gets the error under its id."""
        error = {"code": RPC_CODE, "message": self.told, "data": self._data}
        answers = [{"jsonrpc": "2.0", "id": id, "error": error} for id in self._ids or (None,)]
        return own_answer(msgspec.json.encode(answers if self._is_batch else answers[0]))
