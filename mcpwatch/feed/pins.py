"""Log keys pinned on first use: a log that changes its key must be let in by the operator."""

from hashlib import sha256
from pathlib import Path

import msgspec
from msgspec import Struct

from mcpwatch.errors import LocalError
from mcpwatch.files import create_private, read_private


class Pin(Struct, frozen=True):
    """The verifier keys of the log at `address`, as first seen."""

    address: str
    keys: tuple[str, str]
    """C2SP verifier keys of types 0x01 and 0x04."""
    since: float
    """Seconds since the epoch."""


class Pins:
    """One private file a pin, so that watchers starting at once cannot undo each other's."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path(self, address: str) -> Path:
        """The file that holds the pin of `address`."""
        return self._folder / f"{sha256(address.encode()).hexdigest()[:24]}.json"

    def hold(self, address: str, keys: tuple[str, str], now: float) -> Pin:
        """The pin that stands for `address`; `keys` themselves where there was none.

        Raises LocalError when the file is damaged or readable by others: neither is taken for a first use.
        """
        path = self.path(address)
        pin = Pin(address=address, keys=keys, since=now)
        return pin if create_private(path, msgspec.json.encode(pin)) else _read(path)

    def forget(self, address: str) -> bool:
        """Remove the pin of `address`, so that its next key is taken as the first; False when there was none."""
        path = self.path(address)
        known = path.exists()
        path.unlink(missing_ok=True)
        return known

    def all(self) -> list[Pin]:
        """Every pin, by address; raises LocalError as `hold` does."""
        return sorted((_read(path) for path in self._folder.glob("*.json")), key=lambda pin: pin.address)

    def keys_of(self, origin: str) -> list[tuple[str, str]]:
        """The pairs of keys that are pinned for logs of this name, whatever their addresses; raises as `all` does."""
        return [pin.keys for pin in self.all() if pin.keys[0].partition("+")[0] == origin]


def pins_folder(state: Path) -> Path:
    """Where the pinned log keys lie in the state folder."""
    return state / "log-keys"


def _read(path: Path) -> Pin:
    try:
        return msgspec.json.decode(read_private(path), type=Pin)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise LocalError(f"the pinned log key in {path} is damaged", f"To pin the log's key anew: rm {path}") from None
