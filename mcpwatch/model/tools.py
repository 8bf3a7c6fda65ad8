"""Tools as servers define them, and the definitions that they are trusted under.

Times are seconds since the epoch by the gateway's clock.
"""

from collections.abc import Mapping
from enum import StrEnum

from msgspec import Struct, field

from mcpwatch.model.entries import Json


class ToolClass(StrEnum):
    """What a tool reaches, which is what a misused call of it costs."""

    SQL = "sql"
    FILE = "file"
    """Reads files."""
    WRITE = "write"
    """Changes or deletes data."""
    EXEC = "exec"
    """Runs commands or code."""
    TEMPLATE = "template"
    XML = "xml"
    FETCH = "fetch"
    """Brings in content from outside that nobody vouches for: web pages, mail, issues."""
    SEND = "send"
    """Takes data out: mail, posts, uploads, requests with a body."""
    SECRETS = "secrets"
    """Configuration, credentials, keys."""
    PEOPLE = "people"
    """Personal data."""


class DefinitionPin(Struct, frozen=True):
    """A definition that a tool is trusted under."""

    digest: str
    """SHA-256 as of `Tool`."""
    time: float
    """When it was pinned."""
    definition: Json = None
    """None where it was too long to keep."""
    author: str = ""
    """Who accepted it; empty where it was trusted on first use."""
    note: str = ""
    """Why it was accepted."""
    index: int | None = None
    """The entry that listed it first, where this watcher saw that."""


DefinitionPins = Mapping[tuple[str, str], tuple[DefinitionPin, ...]]
"""Server and tool -> the definitions it is trusted under, oldest first."""


ToolKey = tuple[str, str, str]
"""The names of feed, server and tool."""


class Tool(Struct):
    """A tool as a server defines it."""

    upstream: str
    name: str
    definition: Json
    """The newest definition as listed."""
    digest: str
    """SHA-256 of the definition with sorted keys, hex."""
    first_seen: int
    """Index of the entry that first listed it."""
    last_seen: int
    previous: Json = None
    """The definition before the last change; None where there was none, or only its digest was still held."""
    changed: int = 0
    """How often the definition changed."""
    calls: int = 0
    errors: int = 0
    durations: list[float] = field(default_factory=list)
    """Seconds of the newest 200 answered calls."""
    sessions: set[str] = field(default_factory=set)
    """Sessions it was listed to, at most 1,000."""
    callers: set[str] = field(default_factory=set)
    """Signer ids or session keys that called it, at most 1,000."""
    classes: tuple[ToolClass, ...] = ()
    """What it reaches, as far as its definition tells."""
    classed_by: str = ""
    """What in the definition says so, class by class, in a sentence."""
    privileged: str = ""
    """Why it is a tool for few: what in its definition says so; empty where nothing does."""
    pins: tuple[DefinitionPin, ...] = ()
    """The definitions it is trusted under, oldest first; the first of all by first use."""
    source: str = ""
    """The feed that it was listed on."""

    @property
    def key(self) -> ToolKey:
        """What names the tool among all."""
        return self.source, self.upstream, self.name

    @property
    def pin(self) -> DefinitionPin | None:
        """The pin of the definition that it has now; None where nobody trusts that yet."""
        return next((pin for pin in self.pins if pin.digest == self.digest), None)

    @property
    def is_untrusted(self) -> bool:
        """Whether the definition is another than what is trusted, and nobody accepted it."""
        return bool(self.changed) and self.pin is None


class ToolChange(Struct, frozen=True):
    """A `tools/list` answer offered this tool; new, the same or changed."""

    tool: Tool
    is_new: bool
    is_changed: bool
