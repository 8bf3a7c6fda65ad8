"""Whether a log is the one that is known at its address, and the proof when it is not honest."""

import contextlib
from pathlib import Path

from mcpwatch.feed.address import host_and_port
from mcpwatch.feed.pins import Pins, pins_folder
from mcpwatch.files import write_private


class ChangedKey(Exception):
    """The log at this address is not the one whose key is known."""


class Trust:
    """What holds one address to one log: the key the operator gave, else the first one seen.

    That one is pinned under `state`, where evidence is kept too; without a folder it holds for this process.
    """

    def __init__(self, address: str, key: str = "", state: Path | None = None) -> None:
        self._address = address
        self._given = key
        self._pins = Pins(pins_folder(state)) if state else None
        self._evidence = state / "evidence" if state else None
        self._keys: tuple[str, str] | None = None
        self._kept: tuple[bytes, ...] = ()

    def recognise(self, keys: tuple[str, str], now: float) -> None:
        """Raise ChangedKey when these verifier keys are not the known ones; raises LocalError as Pins does."""
        if self._given and keys[0] != self._given:
            raise ChangedKey(f"the log's key is {keys[0]}, not the one given for it")
        if self._keys not in (None, keys):
            raise ChangedKey(f"the log's key changed to {keys[0]} while it was watched")
        if self._pins is not None and not self._given:
            pin = self._pins.hold(self._address, keys, now)
            if pin.keys != keys:
                remedy = f"if the gateway was set up anew: rm {self._pins.path(self._address)}"
                raise ChangedKey(f"the log's key is {keys[0]} and was {pin.keys[0]}; {remedy}")
        self._keys = keys

    def keep(self, notes: tuple[bytes, ...], now: float) -> None:
        """Write signed notes that contradict each other, or the entries, to a private file, once."""
        if self._evidence is None or notes == self._kept:
            return
        self._kept = notes
        name = f"{host_and_port(self._address).replace(':', '_')}-{now:.0f}.txt"
        with contextlib.suppress(OSError):
            write_private(self._evidence / name, b"\n".join(notes))
