"""The policy in force, from a file that may change while it is."""

from collections.abc import Callable
from pathlib import Path

from mcpwatch.errors import McpwatchError
from mcpwatch.files import stamp
from mcpwatch.policy.checks import Rules
from mcpwatch.policy.load import load
from mcpwatch.policy.policy import Policy


class KeptPolicy:
    """Reads the file when it is made and again when it changed; one that cannot be used leaves the policy as it was."""

    def __init__(
        self, path: Path, rules: Rules, *, is_named: bool, read: Callable[[Path, Rules], Policy] = load
    ) -> None:
        """A file that the operator named has to be there. Raises McpwatchError where `read` does: it cannot be used."""
        self.path = path
        self.policy = Policy()
        self.is_read = False
        """Whether there was a file; without one everything is allowed."""
        self.fault = ""
        """Why the file, as it is by now, is not what holds."""
        self._rules = rules
        self._load = read
        self._seen = self._taken = stamp(path)
        if self._taken or is_named:
            self._read()

    def refresh(self) -> bool:
        """Take in what changed; whether the policy or its fault did. Raises nothing that is the file's fault.

        A file counts when it is as it was at the look before: one that is being written says half of what is meant.
        """
        before, self._seen = self._seen, stamp(self.path)
        if self._seen == self._taken or self._seen != before:
            return False
        self._taken = self._seen
        try:
            self._read()
        except McpwatchError as error:
            self.fault = error.title
        return True

    def _read(self) -> None:
        self.policy = self._load(self.path, self._rules)
        self.is_read = True
        self.fault = ""
