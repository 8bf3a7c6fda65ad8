"""Whose a session is: the signer of the first request in it that the server took."""

from collections import OrderedDict
from collections.abc import Sequence

from mcpwatch.bounded import keep
from mcpwatch.gateway.headers import SESSION, RawHeader, first, octets
from mcpwatch.gateway.relay import Witness

MAX_SESSIONS = 20_000

_SESSION = SESSION.encode()


class Owners:
    """Signers by server and session id; past the limit the session taken up longest ago goes."""

    def __init__(self, limit: int = MAX_SESSIONS) -> None:
        self._limit = limit
        self._owners: OrderedDict[tuple[str, str], str] = OrderedDict()

    def owner(self, upstream: str, session: str) -> str:
        """Whose signature the session needs; empty where nobody's is known. `session` is the id as it came."""
        return self._owners.get((upstream, session), "")

    def take(self, upstream: str, session: str, signer: str) -> None:
        """A session that is nobody's yet is the signer's from now on."""
        if session and (upstream, session) not in self._owners:
            keep(self._owners, (upstream, session), signer, self._limit)


class Taking:
    """Gives the session that the server names, or takes a request in, to the request's signer."""

    def __init__(self, owners: Owners, upstream: str, session: str, signer: str, witness: Witness) -> None:
        self._owners = owners
        self._upstream = upstream
        self._session = session
        self._signer = signer
        self._witness = witness

    def response(self, status: int, headers: Sequence[RawHeader]) -> None:
        self._witness.response(status, headers)
        if 200 <= status < 300:
            named = first(headers, _SESSION)
            session = self._session if named is None else octets(named)
            self._owners.take(self._upstream, session, self._signer)

    def chunk(self, chunk: bytes) -> None:
        self._witness.chunk(chunk)
