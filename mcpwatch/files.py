"""Files that only this user may read: keys, tokens, pins, the journal."""

import os
import stat
import tempfile
from pathlib import Path

import platformdirs

from mcpwatch.errors import LocalError

APP = "mcpwatch"


def state_dir() -> Path:
    """The user's state folder for mcpwatch; `MCPWATCH_STATE` overrides it. Made 0700 when missing."""
    override = os.environ.get("MCPWATCH_STATE")
    path = Path(override) if override else platformdirs.user_state_path(APP)
    return private_dir(path)


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
    private_dir(path.parent)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def create_private(path: Path, data: bytes) -> bool:
    """Write `data` to a new file, 0600; False when the file was there already, which is left as it is."""
    private_dir(path.parent)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    except FileExistsError:
        return False
    with os.fdopen(handle, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    return True


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
