"""The JWKS (RFC 7517) that the operator configured, by thumbprint (RFC 7638) and by kid."""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from mcpwatch.errors import UsageError
from mcpwatch.files import stamp
from mcpwatch.identity import verifier
from mcpwatch.identity.keys import KEY
from mcpwatch.identity.keyset import MAX_OCTETS, BadSet, KeySet, read_jwks
from mcpwatch.identity.resolution import Resolved, ResolvedKey, Unavailable
from mcpwatch.identity.resolvers.fetch import Fetcher
from mcpwatch.model.identity import Resolution
from mcpwatch.text import show

logger = logging.getLogger(__name__)

ACCEPT = "application/jwk-set+json, application/json"
PERIOD_S = 300.0
"""After which a URL is fetched again."""
LEAST_S = 60.0
"""Between two fetches of a URL, whatever is asked for or went wrong."""
_MISSING = "no configured JWKS holds a key of this name"


class _Source:
    """One file or URL, with what it held when it was last read well."""

    def __init__(self, place: str) -> None:
        self.place = place
        self.is_url = place.startswith("https://")
        self.keys = KeySet()
        self.by_thumbprint: dict[str, ResolvedKey] = {}
        self.by_kid: dict[str, ResolvedKey] = {}
        self.fault = "" if not self.is_url else "it has not been fetched yet"
        """Why the last reading failed; the keys before it stay."""
        self.is_loaded = False
        self.asked = float("-inf")
        self.stamp: tuple[int, ...] = ()

    def take(self, data: bytes) -> bool:
        """Read a JWKS; whether that changed the keys."""
        try:
            keys = read_jwks(data)
        except BadSet as error:
            return self.fail(f"{error}")
        for name, reason in keys.refused if keys != self.keys else ():
            logger.warning("%s: %s does not count: %s", self.place, show(name), reason)
        changed = keys != self.keys or not self.is_loaded
        self.keys, self.fault, self.is_loaded = keys, "", True
        self.by_thumbprint = {key.thumbprint: key for key in keys.keys}
        self.by_kid = {key.name: key for key in keys.keys}
        return changed

    def fail(self, fault: str) -> bool:
        """Note why it could not be read; of a file that never was, whoever names it is told instead."""
        if fault != self.fault and (self.is_url or self.is_loaded):
            logger.warning("%s cannot be used: %s", self.place, fault)
        self.fault = fault
        return False


class Jwks:
    """All configured sets. Files are read again when they change, URLs by period or for a name that is not known."""

    def __init__(
        self,
        places: Sequence[str],
        fetcher: Fetcher,
        *,
        on_change: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Raises UsageError when a file cannot be read or is no JWKS."""
        self._fetcher = fetcher
        self._on_change = on_change
        self._clock = clock
        self._sources = [_Source(place) for place in places]
        self._turn = asyncio.Lock()
        for source in self._sources:
            if not source.is_url:
                _read_file(source)
                if source.fault:
                    raise UsageError(
                        f"{source.place} cannot be used as a JWKS: {source.fault}",
                        "Mend the file, or take it out of identity.jwks in the configuration",
                    )

    async def resolve(self, name: str) -> Resolved:
        """The key of a thumbprint or kid; it is called by its own thumbprint where the kid looks like one.

        Raises Unavailable.
        """
        if not self._found(name):
            await self._refresh(LEAST_S)
        found = self._found(name)
        if len(found) > 1:
            return _nobody("two configured JWKS hold different keys under this name")
        if found:
            (key,) = found.values()
            looks_own = verifier.THUMBPRINT.fullmatch(name)
            return Resolved(Resolution.JWKS, (key,), id=f"{KEY}{key.thumbprint}" if looks_own else "")
        missing = next((source for source in self._sources if not source.is_loaded), None)
        if missing is not None:
            raise Unavailable(f"the JWKS at {missing.place} cannot be used: {missing.fault}")
        refused = (reason for source in self._sources for key, reason in source.keys.refused if key == name)
        reason = next(refused, "")
        return _nobody(f"its key in the configured JWKS does not count: {reason}" if reason else _MISSING)

    async def tick(self) -> None:
        """Look after the sources: cheap where nothing changed."""
        changed = [source for source in self._sources if not source.is_url and _read_file(source)]
        if changed:
            self._on_change()
        await self._refresh(PERIOD_S)

    def listed(self, thumbprint: str) -> ResolvedKey | None:
        """The key of this thumbprint, from memory."""
        for source in self._sources:
            key = source.by_thumbprint.get(thumbprint)
            if key is not None:
                return key
        return None

    def _found(self, name: str) -> dict[bytes, ResolvedKey]:
        """The keys of this name: that of the thumbprint, or else those of the kid; one where all sets agree."""
        tables = ([one.by_thumbprint for one in self._sources], [one.by_kid for one in self._sources])
        for sources in tables:
            found = {table[name].key: table[name] for table in sources if name in table}
            if found:
                return found
        return {}

    async def _refresh(self, age_s: float) -> None:
        """Fetch the URLs that were asked so long ago; a failed one is due again after the least time."""
        async with self._turn:
            changed = False
            for source in self._sources:
                wait = age_s if not source.fault else LEAST_S
                if source.is_url and self._clock() - source.asked >= wait:
                    source.asked = self._clock()
                    changed |= await self._fetch(source)
        if changed:
            self._on_change()

    async def _fetch(self, source: _Source) -> bool:
        try:
            fetched = await self._fetcher.get(
                source.place, who="its host", accept=ACCEPT, limit=MAX_OCTETS, trusted=True
            )
        except Unavailable as error:
            return source.fail(error.reason)
        if fetched.status != 200:
            return source.fail(f"its host answered with HTTP status {fetched.status}")
        return source.take(fetched.body)


def _read_file(source: _Source) -> bool:
    """Read a file again if it changed; whether its keys did."""
    path = Path(source.place).expanduser()
    seen = stamp(path)
    if seen and seen == source.stamp:
        return False
    source.stamp = seen
    try:
        with path.open("rb") as file:
            octets = file.read(MAX_OCTETS + 1)
        if len(octets) > MAX_OCTETS:
            return source.fail(f"it is longer than {MAX_OCTETS} octets")
        return source.take(octets)
    except OSError as error:
        source.stamp = ()
        return source.fail(error.strerror or type(error).__name__)


def _nobody(reason: str) -> Resolved:
    return Resolved(Resolution.JWKS, (), reason)
