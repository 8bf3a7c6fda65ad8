"""One family of errors that a person may see: a title, what to do, an exit code."""


class McpwatchError(Exception):
    """Something the operator can act on.

    `title` says what is wrong, `hint` what to do about it. Both may quote untrusted text and pass
    the text door before they are shown. `exit_code` is what the command ends with.
    """

    exit_code = 1

    def __init__(self, title: str, hint: str = "") -> None:
        super().__init__(title)
        self.title = title
        self.hint = hint

    @property
    def whole(self) -> str:
        """What is wrong and what to do about it, where all of it has one place."""
        return f"{self.title}. {self.hint}" if self.hint else self.title


class UsageError(McpwatchError):
    """The command line or the configuration is off."""

    exit_code = 2


class ConnectError(McpwatchError):
    """The other end cannot be reached, or is not what it should be."""

    exit_code = 3


class RefusedError(McpwatchError):
    """The other end refuses: a missing or wrong token."""

    exit_code = 4


class LocalError(McpwatchError):
    """This machine says no: a port in use, a file that others can read, no terminal."""

    exit_code = 5


class IntegrityError(McpwatchError):
    """The log, a checkpoint or a recording does not hold."""

    exit_code = 6
