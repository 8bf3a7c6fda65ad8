"""Room on the disk that is set aside, so that on a full one a log can still say why it stops."""

import contextlib
import os
from pathlib import Path

RESERVE_FILE = "reserve"
SIZE = 4 << 20
"""Octets."""


class Reserve:
    """A file of octets that mean nothing; used by one thread."""

    def __init__(self, folder: Path) -> None:
        self.is_spent = False
        """Whether the room was needed and could not be set aside again."""
        self._path = folder / RESERVE_FILE
        self._is_held = False

    def fill(self) -> bool:
        """Set the room aside; False where there is not even twice as much, so that a disk almost full is a full one."""
        try:
            file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        except OSError:
            return False
        try:
            os.posix_fallocate(file, 0, 2 * SIZE)
            os.ftruncate(file, SIZE)
        except OSError:
            self.drop()
            return False
        finally:
            os.close(file)
        self._is_held, self.is_spent = True, False
        return True

    def release(self) -> bool:
        """Let the room go; whether there was any."""
        if not self._is_held:
            return False
        self.drop()
        self.is_spent = True
        return True

    def drop(self) -> None:
        """Have no file any more."""
        self._is_held = False
        # On a disk that takes no change any more it stays.
        with contextlib.suppress(OSError):
            self._path.unlink(missing_ok=True)
