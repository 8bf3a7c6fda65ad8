"""Whom to notify, of what, and how often."""

import shlex
import shutil
from urllib.parse import urlsplit

from msgspec import Struct

from mcpwatch.errors import UsageError
from mcpwatch.hosts import is_loopback
from mcpwatch.model.alerts import Severity
from mcpwatch.secret import Secret

PER_MINUTE = 10
MOST_PER_MINUTE = 600
SEVERITY = Severity.HIGH


class NotifyOptions(Struct, frozen=True):
    """The operator's wishes; empty, nobody is notified."""

    command: tuple[str, ...] = ()
    """A program and its arguments."""
    webhook: str = ""
    """https, or http on this machine."""
    token: Secret | None = None
    """What the webhook is sent as its bearer token."""
    severity: Severity = SEVERITY
    """The lowest that is told."""
    per_minute: int = PER_MINUTE
    """Messages to each; what more there is to tell is summed up in the last of them."""

    def __repr__(self) -> str:
        """Without the webhook's path and the command's arguments, which may be secrets."""
        return f"NotifyOptions({self.command[:1]}, {place(self.webhook)!r}, severity={self.severity})"


def parse_command(text: str) -> tuple[str, ...]:
    """The words of a command line, as a shell takes them apart, and nothing else that a shell does.

    Raises UsageError where there is no such program.
    """
    try:
        words = tuple(shlex.split(text))
    except ValueError as error:
        raise UsageError(f"The command to notify by cannot be read: {str(error).lower()}") from None
    if not words:
        raise UsageError("The command to notify by is empty")
    return check_program(words)


def check_program(words: tuple[str, ...]) -> tuple[str, ...]:
    """The words, where there is such a program or no word; raises UsageError otherwise."""
    if words and shutil.which(words[0]) is None:
        raise UsageError(f"There is no program {words[0]} to notify by")
    return words


def parse_webhook(url: str) -> str:
    """The URL, checked; raises UsageError, which names no more of it than its host."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        parts, host, port = urlsplit(""), "", None
    if not host or port == 0 or not url.isprintable() or " " in url:
        raise UsageError("The webhook is no URL", "Give one such as https://chat.example/hooks/1")
    if parts.username is not None:
        raise UsageError(
            f"The webhook at {host} has a user in its URL", "A token goes into a file: --webhook-token-file"
        )
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(host)):
        raise UsageError(f"The webhook at {host} is not an https one", "Plain http goes to this machine only.")
    return url


def place(url: str) -> str:
    """Where a webhook is; its path and query are secrets at many services and are told to nobody."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
