"""The policy in force, from a file that may change while it is."""

from pathlib import Path

from mcpwatch.errors import UsageError
from mcpwatch.policy.checks import Rules
from mcpwatch.policy.load import load
from mcpwatch.policy.policy import Policy


class KeptPolicy:
    """Reads the file when it is made and again when it changed; one that cannot be used leaves the policy as it was."""

    def __init__(self, path: Path, rules: Rules, *, is_named: bool) -> None:
        """A file that the operator named has to be there. Raises UsageError where the file cannot be used."""
        self.path = path
        self.policy = Policy()
        self.is_read = False
        """Whether there was a file; without one everything is allowed."""
        self.fault = ""
        """Why the file, as it is by now, is not what holds."""
        self._rules = rules
        self._stamp = self._look()
        if self._stamp or is_named:
            self._read()

    def refresh(self) -> bool:
        """Take in what changed; whether the policy or its fault did. Never raises."""
        stamp = self._look()
        if stamp == self._stamp:
            return False
        self._stamp = stamp
        try:
            self._read()
        except UsageError as error:
            self.fault = error.title
        return True

    def _read(self) -> None:
        self.policy = load(self.path, self._rules)
        self.is_read = True
        self.fault = ""

    def _look(self) -> tuple[int, ...]:
        """What tells one version of the file from another; empty where there is none."""
        try:
            found = self.path.stat()
        except OSError:
            return ()
        return found.st_ino, found.st_mtime_ns, found.st_size, found.st_ctime_ns
