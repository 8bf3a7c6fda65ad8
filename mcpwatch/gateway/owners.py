"""Whose a session is: the signer of the first request in it that the server took, over restarts too."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
from msgspec import Struct

from mcpwatch.errors import LocalError
from mcpwatch.files import read_private, write_private
from mcpwatch.gateway.headers import RawHeader
from mcpwatch.gateway.principal import KeyedHash
from mcpwatch.gateway.relay import Witness
from mcpwatch.gateway.shown_request import session_id

MAX_SESSIONS = 20_000

Session = tuple[str, str]
"""Where its server is, and the keyed hash of its id."""


class _File(Struct, frozen=True):
    owners: list[tuple[str, str, str]]
    """Place, session and signer; the one used longest ago first."""


class Owners:
    """Signers by session. Past the limit a session of the signer who has the most goes, the one used longest ago.

    So nobody rids another of a session by beginning many.
    """

    def __init__(self, path: Path, limit: int = MAX_SESSIONS) -> None:
        """Goes on with what the file says, if there is one; raises LocalError where it cannot be used."""
        self._path = path
        self._limit = limit
        self._owners: OrderedDict[Session, str] = OrderedDict()
        self._held: dict[str, OrderedDict[Session, None]] = {}
        for place, session, signer in _read(path):
            self.take((place, session), signer)
        self.is_saved = True

    def owner(self, session: Session) -> str:
        """Whose signature the session needs; empty where nobody's is known."""
        signer = self._owners.get(session, "")
        if signer:
            self._owners.move_to_end(session)
            self._held[signer].move_to_end(session)
        return signer

    def take(self, session: Session, signer: str) -> None:
        """A session that is nobody's yet is the signer's from now on."""
        if session in self._owners:
            return
        self._owners[session] = signer
        self._held.setdefault(signer, OrderedDict())[session] = None
        self.is_saved = False
        if len(self._owners) > self._limit:
            self._forget()

    async def save(self) -> None:
        """Write the file, where it is not as it should be; raises OSError."""
        if self.is_saved:
            return
        data = msgspec.json.encode(_File([(*session, signer) for session, signer in self._owners.items()]))
        self.is_saved = True
        try:
            await asyncio.to_thread(write_private, self._path, data)
        except BaseException:
            self.is_saved = False
            raise

    def _forget(self) -> None:
        most = max(self._held, key=lambda signer: len(self._held[signer]))
        oldest, _ = self._held[most].popitem(last=False)
        del self._owners[oldest]
        if not self._held[most]:
            del self._held[most]


class Taking:
    """Gives the session that the server names, or takes a request in, to the request's signer."""

    def __init__(
        self,
        owners: Owners,
        place: str,
        session: str,
        signer: Callable[[], str],
        hashed: KeyedHash,
        witness: Witness,
    ) -> None:
        """`session` is the keyed hash of the one that the request names, `signer` says who signed that by now."""
        self._owners = owners
        self._place = place
        self._session = session
        self._signer = signer
        self._hashed = hashed
        self._witness = witness

    def response(self, status: int, headers: Sequence[RawHeader]) -> None:
        self._witness.response(status, headers)
        if not 200 <= status < 300:
            return
        named = session_id(headers)
        session = self._hashed(named) if named else self._session
        if session and (signer := self._signer()):
            self._owners.take((self._place, session), signer)

    def chunk(self, chunk: bytes) -> None:
        self._witness.chunk(chunk)


def _read(path: Path) -> list[tuple[str, str, str]]:
    if not path.exists():
        return []
    try:
        return msgspec.json.decode(read_private(path), type=_File).owners
    except (ValueError, OSError):
        raise LocalError(
            f"{path} does not say whose sessions are", "Move it away: sessions then belong to who uses them next"
        ) from None
