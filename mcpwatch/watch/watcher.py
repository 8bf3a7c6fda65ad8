"""The one object that a screen or a command holds: everything seen, and the little that can be done about it."""

import asyncio
import time
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence

from mcpwatch.detect.book import AlertBook
from mcpwatch.errors import UsageError
from mcpwatch.identity import verifier
from mcpwatch.identity.keys import KeyBook
from mcpwatch.identity.pins import PinFile, add_pin, remove_pin
from mcpwatch.identity.resolvers.trust import Trust
from mcpwatch.model.alerts import Alert
from mcpwatch.model.identity import Resolution, Signer
from mcpwatch.model.traffic import SessionKey
from mcpwatch.model.trust import Standing
from mcpwatch.watch.acks import AckStore
from mcpwatch.watch.identity import Identity, Kind
from mcpwatch.watch.key_history import Known, KnownKey, key_history
from mcpwatch.watch.listener import Listener
from mcpwatch.watch.pipeline import Pipeline
from mcpwatch.watch.query import ALL, Query
from mcpwatch.watch.state import State
from mcpwatch.watch.view import View


class Watcher:
    """What `mcpwatch.watch.build.open_watcher` makes; run it once, then close it.

    `author` is who acknowledges. `places` says where keys are asked for, and `trust` learns where trust leads.
    `clock` gives seconds since the epoch.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        book: AlertBook,
        acks: AckStore,
        keys: KeyBook,
        pins: PinFile,
        *,
        author: str,
        places: Mapping[Resolution, str] | None = None,
        trust: Trust | None = None,
        roots: Sequence[str] = (),
        files: Sequence[tuple[str, str]] = (),
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.state: State = pipeline.state
        self.sources: tuple[str, ...] = tuple(pipeline.lanes)
        """Names of the feeds."""
        self.author = author
        self.files = tuple(files)
        """What this watcher keeps and reads: a name and a place each."""
        self.roots = tuple(roots)
        """The identities that trust starts from."""
        self._pipeline = pipeline
        self._book = book
        self._acks = acks
        self._keys = keys
        self._pins = pins
        self._places = {} if places is None else places
        self._trust = trust
        self._clock = clock
        self._judging: set[asyncio.Task[None]] = set()

    async def run(self, listener: Listener | None = None, *, keys_s: float = 0.0) -> None:
        """Take in all sources until they end; cancelling it is the way to stop.

        Where sources end by themselves, `keys_s` is how many seconds to wait for keys that are still asked for then.
        """
        await self._pipeline.run(listener, keys_s=keys_s)

    def view(self, query: Query = ALL, *, session: SessionKey | None = None, plumbing: bool = False) -> View:
        """A window over the rows, of one session if given."""
        return View(self.state, query, session=session, plumbing=plumbing)

    def tick(self) -> float:
        """Move the state's clock to the present, for running times and ages; returns it."""
        self.state.advance(self._clock())
        return self.state.now

    def acknowledge(self, alert: str, note: str, last_index: int) -> Alert:
        """Let an alert rest, and keep who said so and why.

        `last_index` is the alert's `last_index` as the screen showed it. Raises StaleAcknowledgement when there is
        newer evidence, AcknowledgeError for an unknown alert or a bad note, and LocalError when it holds only until
        this process ends because it cannot be written.
        """
        return self._keep(self._book.acknowledge(alert, self.author, _storable(note), last_index, self._clock()))

    def unacknowledge(self, alert: str, note: str) -> Alert:
        """Let an acknowledged alert fire again, and keep who said so and why; raises as `acknowledge` does."""
        return self._keep(self._book.unacknowledge(alert, self.author, _storable(note), self._clock()))

    def keys(self, identity: Identity) -> tuple[KnownKey, ...]:
        """Every key that somebody names as this identity's or that signed as it here, what is in force first."""
        return key_history(identity, self._keys.history(identity.id), self.state.gateway_now(identity.last_source))

    def known(self, signer: Signer | None, kind: Kind = Kind.AGENT) -> Known:
        """What is known of the key that a signature was checked with, and of where it was asked for."""
        if signer is None:
            return Known()
        identity = (self.state.identities if kind is Kind.AGENT else self.state.servers).get(signer.id)
        keys = self.keys(identity) if identity is not None else ()
        key = next((key for key in keys if key.fingerprint == signer.fingerprint), None)
        return Known(key, self._places.get(signer.resolution, ""))

    def place(self, resolution: Resolution) -> str:
        """Where keys that were found so are asked for; empty where nobody is, or the identity itself says."""
        return self._places.get(resolution, "")

    def called(self, id: str) -> str:
        """What the operator calls an identity, whether it was seen or not; empty for nothing."""
        return self._keys.name_of(id)

    def trust(self, id: str) -> Standing:
        """Whether trust leads to an identity from the operator's roots; asks nobody by itself."""
        if self._trust is not None:
            return self._trust.standing(id)
        missing = "no registry is configured to ask" if self.roots else "no roots are configured"
        return Standing(id, id in self.roots, reason="" if id in self.roots else missing)

    def is_pinned(self, id: str) -> bool:
        """Whether the operator holds a key to be this identity's."""
        return id in self._keys.pinned

    def pin(self, id: str, fingerprint: str, name: str = "") -> None:
        """Hold the key with this fingerprint to be the identity's, name it if asked to, and judge its requests again.

        Raises UsageError when the key is not held any more or the name is none, LocalError for the file.
        """
        key = next((key.key for key in self._keys.history(id) if verifier.fingerprint(key.key) == fingerprint), None)
        if key is None:
            raise UsageError(f"The key {fingerprint} is not held any more", "Wait for its next signature")
        add_pin(self._pins.path, id, b64encode(key).decode(), name)
        self._take_in_pins()

    def unpin(self, id: str) -> None:
        """Forget the identity's pinned keys and its name, and judge its requests again; raises as `pin` does."""
        if not remove_pin(self._pins.path, id):
            raise UsageError(f"No key of {id} is pinned")
        self._take_in_pins()

    async def close(self) -> None:
        """Close the sources and the files."""
        await self._pipeline.close()
        self._acks.close()

    def _keep(self, alert: Alert) -> Alert:
        self.state.alerts_changed()
        self._acks.append(alert.id, alert.history[-1])
        return alert

    def _take_in_pins(self) -> None:
        identities = self._pins.refresh()
        judging = asyncio.get_running_loop().create_task(self._pipeline.repinned(identities))
        self._judging.add(judging)
        judging.add_done_callback(self._judging.discard)


def _storable(note: str) -> str:
    """The note without halves of surrogate pairs, which a terminal may deliver and UTF-8 cannot hold."""
    return note.encode("utf-8", "replace").decode()
