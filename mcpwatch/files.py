"""Files that only this user may read: keys, tokens, pins, the journal."""

import fcntl
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import platformdirs

from mcpwatch.errors import LocalError

APP = "mcpwatch"


def state_dir() -> Path:
    """The user's state folder for mcpwatch; `MCPWATCH_STATE` overrides it. Made 0700 when missing.

    Raises LocalError where there can be none.
    """
    override = os.environ.get("MCPWATCH_STATE")
    path = Path(override) if override else platformdirs.user_state_path(APP)
    try:
        return private_dir(path)
    except OSError as error:
        hint = "Name a folder that you can write to: MCPWATCH_STATE=FOLDER"
        raise LocalError(f"{path}, the folder for what is kept, cannot be made: {error.strerror}", hint) from None


def config_file() -> Path:
    """Where the configuration is read from; `MCPWATCH_CONFIG` overrides it. Need not exist."""
    override = os.environ.get("MCPWATCH_CONFIG")
    return Path(override) if override else platformdirs.user_config_path(APP) / "config.toml"


def private_dir(path: Path) -> Path:
    """Make `path` a folder that only its owner can enter."""
    path.mkdir(parents=True, exist_ok=True, mode=0o700)
    return path


def write_private(path: Path, data: bytes) -> None:
    """Write `data` to `path`, 0600, whole or not at all (temporary file, fsync, rename)."""
    temporary = _temporary(path, data)
    try:
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def create_private(path: Path, data: bytes) -> bool:
    """Write `data` to a new file, 0600, which others find whole or not at all.

    False when there is something of that name already, which is left as it is.
    """
    if os.path.lexists(path):
        return False
    temporary = _temporary(path, data)
    try:
        os.link(temporary, path)
    except FileExistsError:
        return False
    finally:
        temporary.unlink(missing_ok=True)
    return True


@contextmanager
def new_private(path: Path, *, over: bool = False) -> Iterator[BinaryIO]:
    """Open a file, 0600, to be written bit by bit; others find it whole, when the block ends well, or not at all.

    Raises LocalError where there is something of that name, unless it may be written `over`, and where it cannot be
    made.
    """
    if not over and os.path.lexists(path):
        raise LocalError(f"{path} exists already", "Give another name, or --force to write over it.")
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError as error:
        raise LocalError(f"{path} cannot be written: {error.strerror}") from None
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path) if over else os.link(temporary, path)
    except FileExistsError:
        raise LocalError(f"{path} exists already", "Give another name, or --force to write over it.") from None
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Keep other programs of this machine from changing `path` while it is read, changed and written again."""
    private_dir(path.parent)
    handle = os.open(path.with_name(f".{path.name}.lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _temporary(path: Path, data: bytes) -> Path:
    """A file beside `path`, 0600, with `data` on disk."""
    private_dir(path.parent)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return Path(name)


def stamp(path: Path) -> tuple[int, ...]:
    """What tells one version of a file from another; empty where there is none."""
    try:
        found = path.stat()
    except OSError:
        return ()
    return found.st_ino, found.st_mtime_ns, found.st_size, found.st_ctime_ns, found.st_mode


def read_private(path: Path) -> bytes:
    """Read a secret file.

    Raises LocalError when it is missing or when group or others can read it.
    """
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            if stat.S_IMODE(mode) & 0o077:
                raise LocalError(f"{path} can be read by others", f"Run: chmod 600 {path}")
            return file.read()
    except FileNotFoundError:
        raise LocalError(f"{path} does not exist") from None
