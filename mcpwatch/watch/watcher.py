"""The one object that a screen or a command holds: everything seen, and the little that can be done about it."""

import asyncio
import time
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from glob import escape
from types import EllipsisType

from mcpwatch.detect.act_checks import ActError
from mcpwatch.detect.book import AlertBook
from mcpwatch.detect.silences import covers
from mcpwatch.errors import McpwatchError, UsageError
from mcpwatch.identity import verifier
from mcpwatch.identity.keys import KeyBook
from mcpwatch.identity.pins import PinFile, add_pin, remove_pin
from mcpwatch.identity.resolvers.trust import Trust
from mcpwatch.identity.signed_acts import silence_id
from mcpwatch.model.alerts import Alert, AlertEvent, EventKind, Kept, Silence
from mcpwatch.model.entries import SilenceTerms
from mcpwatch.model.identity import Resolution, Signer
from mcpwatch.model.tools import Tool
from mcpwatch.model.traffic import SessionKey
from mcpwatch.model.trust import Standing
from mcpwatch.watch.act_store import ActStore
from mcpwatch.watch.acting import Acting, Wish
from mcpwatch.watch.definition_trust import DefinitionTrust
from mcpwatch.watch.exposure import RoleOf, alerts_about
from mcpwatch.watch.identity import Identity, Kind
from mcpwatch.watch.key_history import Known, KnownKey, key_history
from mcpwatch.watch.listener import Listener
from mcpwatch.watch.past_view import PastView
from mcpwatch.watch.pipeline import Pipeline
from mcpwatch.watch.query import ALL, NO_FILTERS, Filters, Query
from mcpwatch.watch.state import State

Shown = AlertEvent | EllipsisType | None
"""The newest act on an alert that a screen showed; `...` where none showed any."""


class Watcher:
    """What `mcpwatch.watch.build.open_watcher` makes; run it once, then close it.

    `places` says where keys are asked for, and `trust` learns where trust leads.
    `clock` gives seconds since the epoch, and `present` what time it is in what is watched, where that is another.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        book: AlertBook,
        acts: ActStore,
        keys: KeyBook,
        pins: PinFile,
        acting: Acting,
        *,
        places: Mapping[Resolution, str] | None = None,
        definitions: DefinitionTrust,
        role_of: RoleOf,
        trust: Trust | None = None,
        roots: Sequence[str] = (),
        files: Sequence[tuple[str, str]] = (),
        filters: Filters = NO_FILTERS,
        clock: Callable[[], float] = time.time,
        present: Callable[[], float] | None = None,
    ) -> None:
        self.state: State = pipeline.state
        self.sources: tuple[str, ...] = tuple(pipeline.lanes)
        """Names of the feeds."""
        self.author = acting.author
        self.files = tuple(files)
        """What this watcher keeps and reads: a name and a place each."""
        self.filters = filters
        """What `@name` stands for in a filter."""
        self.troubles: dict[str, str] = {}
        """What beside the feeds does not work, such as a webhook -> why."""
        self.definitions = definitions
        """Which definitions of tools are trusted."""
        self.role_of = role_of
        """What the policy takes a caller for."""
        self.roots = tuple(roots)
        """The identities that trust starts from."""
        self._pipeline = pipeline
        self._book = book
        self._acts = acts
        self._acting = acting
        self._keys = keys
        self._pins = pins
        self._places = {} if places is None else places
        self._trust = trust
        self._clock = clock
        self._present = clock if present is None else present
        self._judging: set[asyncio.Task[None]] = set()

    async def run(self, listener: Listener | None = None, *, keys_s: float = 0.0) -> None:
        """Take in all sources until they end; cancelling it is the way to stop.

        Where sources end by themselves, `keys_s` is how many seconds to wait for keys that are still asked for then.
        """
        await self._pipeline.run(listener, keys_s=keys_s)

    def view(self, query: Query = ALL, *, session: SessionKey | None = None, plumbing: bool = False) -> PastView:
        """A window over the rows, of one session if given."""
        return PastView(self.state, query, session=session, plumbing=plumbing)

    def tick(self) -> float:
        """Move the state's clock to the present, for running times and ages; returns it."""
        self.state.advance(self._present())
        return self.state.now

    @property
    def key(self) -> str:
        """Fingerprint of the key that acts are signed with here; empty before the first act of all."""
        return self._acting.fingerprint

    def keeps(self, alert: Alert) -> Kept:
        """Where an act on this alert would be written."""
        return self._acting.place(alert.source, alert.rule)

    @property
    def silences(self) -> Sequence[Silence]:
        """The silences in force."""
        return tuple(self._book.silences.values())

    async def acknowledge(self, alert: str, note: str, last_index: int, known: Shown = ...) -> Kept:
        """Let an alert rest for eight hours, signed with who says so and why; returns where that is written.

        `last_index` and `known` are the alert's `last_index` and `last_act` as the screen showed them; without `known`
        no screen did. Raises StaleAct when there is more by now, ActError for what makes no sense, and ConnectError,
        RefusedError or LocalError when it cannot be written, which changes nothing.
        """
        return await self._act(EventKind.ACKNOWLEDGED, alert, note, known, last_index)

    async def resolve(self, alert: str, note: str, last_index: int, known: Shown = ...) -> Kept:
        """Say that the cause is gone; new evidence fires again. Arguments and errors as of `acknowledge`."""
        return await self._act(EventKind.RESOLVED, alert, note, known, last_index)

    async def unacknowledge(self, alert: str, note: str, known: Shown = ...) -> Kept:
        """Let an alert that is acknowledged or resolved fire again. Arguments and errors as of `acknowledge`."""
        return await self._act(EventKind.UNACKNOWLEDGED, alert, note, known, -1)

    def globs(self, alert: Alert) -> tuple[str, str]:
        """A silence's matchers, for rule and subject, that cover this alert and no other."""
        return escape(alert.rule), escape(alert.subject)

    def matching(self, source: str, rule: str, subject: str) -> int:
        """How many alerts of a feed a silence with these globs would cover."""
        silence = Silence("", rule, subject, "", "", 0.0, 0.0, source)
        return sum(
            alert.source == source and covers(silence, alert.rule, alert.subject, source)
            for alert in self.state.alerts.values()
        )

    async def silence(self, source: str, rule: str, subject: str, note: str, seconds: float) -> Kept:
        """Hear nothing for so long of the alerts of a feed that two globs match; errors as of `acknowledge`.

        A silence of the same matcher gets another end.
        """
        id = silence_id(self._book.origin(source), rule, subject)
        terms = SilenceTerms(rule, subject, int(self._clock() + seconds))
        wish = Wish(EventKind.SILENCED, id, source, note, self._book.began(id), silence=terms)
        return await self._acting.do(wish)

    async def unsilence(self, silence: Silence, note: str) -> Kept:
        """End a silence; errors as of `acknowledge`."""
        origins = {self._book.origin(source): source for source in self.sources}
        source = origins.get(silence.origin, silence.origin)
        wish = Wish(EventKind.UNSILENCED, silence.id, source, note, self._book.began(silence.id))
        return await self._acting.do(wish)

    async def accept(self, tool: Tool, digest: str, note: str) -> str:
        """Trust the definition with this digest, and resolve the alert that it changed; returns what became of that.

        Raises UsageError where it is not the tool's newest, is trusted already or the note is none, and LocalError for
        the file. That the alert could not be resolved is in the answer.
        """
        self.definitions.accept(tool, digest, note)
        for alert in alerts_about(tool, self.state):
            if alert.rule == "tool/definition-changed":
                try:
                    await self.resolve(alert.id, note, alert.last_index)
                except McpwatchError as error:
                    return f"accepted; its alert stays: {error.title}"
                return "accepted, and its alert is resolved"
        return "accepted"

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
        self.definitions.close()
        self._acts.close()

    async def _act(self, kind: EventKind, id: str, note: str, known: Shown, last_index: int) -> Kept:
        alert = self.state.alerts.get(id)
        if alert is None:
            raise ActError(f"There is no alert {id}")
        shown = alert.last_act if isinstance(known, EllipsisType) else known
        return await self._acting.do(Wish(kind, id, alert.source, note, shown, last_index), alert.rule)

    def _take_in_pins(self) -> None:
        identities = self._pins.refresh()
        judging = asyncio.get_running_loop().create_task(self._pipeline.repinned(identities))
        self._judging.add(judging)
        judging.add_done_callback(self._judging.discard)
