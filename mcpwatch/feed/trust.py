"""Whether a log is the one that is known at its address, and the proof when it is not honest."""

import contextlib
from hashlib import sha256
from pathlib import Path

from mcpwatch.feed.address import host_and_port
from mcpwatch.feed.pins import Pins, pins_folder
from mcpwatch.files import write_private


class ChangedKey(Exception):
    """The log at this address is not the one whose key is known."""


class Trust:
    """What holds one address to one log: the keys the operator gave, else the first ones seen.

    Those are pinned under `state`, where evidence is kept too; without a folder they hold for this process. It takes
    both keys: who could choose the one that signs the time could make an old checkpoint fresh.
    """

    def __init__(self, address: str, keys: tuple[str, str] | None = None, state: Path | None = None) -> None:
        self._address = address
        self._given = keys
        self._pins = Pins(pins_folder(state)) if state else None
        self._evidence = evidence_folder(state) if state else None
        self._keys: tuple[str, str] | None = None
        self._kept: tuple[bytes, ...] = ()

    @property
    def knows_one(self) -> bool:
        """Whether a log is known at the address: by the operator, by this process, or by a pin."""
        if self._given is not None or self._keys is not None:
            return True
        return self._pins is not None and self._pins.path(self._address).exists()

    def recognise(self, keys: tuple[str, str], now: float) -> None:
        """Raise ChangedKey when these verifier keys are not the known ones; raises LocalError as Pins does."""
        if self._given is not None and keys != self._given:
            raise ChangedKey(f"the log's key is {_other(keys, self._given)}, not the one given for it")
        if self._keys is not None and keys != self._keys:
            raise ChangedKey(f"the log's key changed to {_other(keys, self._keys)} while it was watched")
        if self._pins is not None and self._given is None:
            pin = self._pins.hold(self._address, keys, now)
            if pin.keys != keys:
                remedy = f"if the gateway was set up anew: rm {self._pins.path(self._address)}"
                raise ChangedKey(
                    f"the log's key is {_other(keys, pin.keys)} and was {_other(pin.keys, keys)}; {remedy}"
                )
        self._keys = keys

    def keep(self, notes: tuple[bytes, ...], now: float) -> None:
        """Write signed notes that contradict each other, or the entries, to a private file, once."""
        if self._evidence is None or notes == self._kept:
            return
        self._kept = notes
        evidence = b"\n".join(notes)
        # What was found at another time, or just before, is not written over.
        place, digest = host_and_port(self._address).replace(":", "_"), sha256(evidence).hexdigest()[:8]
        with contextlib.suppress(OSError):
            write_private(self._evidence / f"{place}-{now:.0f}-{digest}.txt", evidence)


def evidence_folder(state: Path) -> Path:
    """Where signed notes that contradict each other lie in the state folder."""
    return state / "evidence"


def _other(keys: tuple[str, str], known: tuple[str, str]) -> str:
    """The first key that is not the known one."""
    return keys[0] if keys[0] != known[0] else keys[1]
