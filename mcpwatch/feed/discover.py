"""Gateways of this user on this machine, found through files in the state folder."""

import os
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from mcpwatch.errors import LocalError
from mcpwatch.files import read_private, write_private
from mcpwatch.model.entries import UpstreamInfo

FOLDER = "gateways"


class Announcement(Struct, frozen=True):
    """What a gateway says of itself where the watchers of its user look."""

    address: str
    """Of its feed: http://HOST:PORT."""
    token_file: str
    """Path of the file that holds the token for reading the feed."""
    pid: int
    started: float
    """Seconds since the epoch."""
    upstreams: tuple[UpstreamInfo, ...] = ()
    operator_token_file: str = ""
    """Path of the file that holds the token for acting on alerts as well."""
    state: str = ""
    """The state folder with the pins to watch this gateway by, where that is not the user's own."""


def announce(state: Path, gateway: Announcement) -> None:
    """Let watchers of this user find `gateway`; replaces what was announced for its port."""
    write_private(_file(state, gateway.address), msgspec.json.encode(gateway))


def retire(state: Path, gateway: Announcement) -> None:
    """Take the announcement back, unless another process has made its own there."""
    path = _file(state, gateway.address)
    if _read(path) == gateway:
        path.unlink(missing_ok=True)


def running(state: Path) -> list[Announcement]:
    """The gateways whose processes live, newest first; what dead ones left behind is removed."""
    found = []
    for path in sorted((state / FOLDER).glob("*.json")):
        gateway = _read(path)
        if gateway is None:
            continue
        if _alive(gateway.pid):
            found.append(gateway)
        else:
            path.unlink(missing_ok=True)
    return sorted(found, key=lambda each: each.started, reverse=True)


def _file(state: Path, address: str) -> Path:
    return state / FOLDER / f"{urlsplit(address).port}.json"


def _read(path: Path) -> Announcement | None:
    """The announcement, or None when it is not there, not private or not well-formed."""
    try:
        return msgspec.json.decode(read_private(path), type=Announcement)
    except (LocalError, OSError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def _alive(pid: int) -> bool:
    if pid <= 0:
        return False
    try:
        os.kill(pid, 0)
    except PermissionError:
        return True
    except (ProcessLookupError, OverflowError):
        return False
    return True
