"""The configuration's tree: strict, and its field docstrings are its manual."""

from msgspec import Struct, field

from mcpwatch.notify.options import PER_MINUTE, SEVERITY


class IdentityConfig(Struct, forbid_unknown_fields=True, frozen=True):
    """How names become keys."""

    registry: str = ""
    """Base URL of the AIP registry that is asked for did:aip keys and vouches. Empty: nobody is asked."""
    jwks: tuple[str, ...] = ()
    """JWKS with keys that count: paths of files, from / or ~, and https URLs."""
    did_web: bool = False
    """Whether the hosts that did:web identities name are asked for their documents."""
    directories: bool = False
    """Whether the hosts that signatures name as key directories or JWKS are asked for them."""
    allow_private: bool = False
    """Whether hosts that requests name may lie on private addresses; localhost is then asked over http."""
    roots: tuple[str, ...] = ()
    """DIDs that trust starts from: whom they vouch for, and whom those vouch for in turn, has a path."""
    window: int = 300
    """Seconds a signature stays fresh."""


class WatchConfig(Struct, forbid_unknown_fields=True, frozen=True):
    """What the watcher keeps, and who acknowledges."""

    rows: int = 50_000
    """Entries kept in memory; counters and alerts outlive them."""
    author: str = ""
    """Who acknowledges, as written into the record. Empty: USER@HOST."""
    operators: tuple[str, ...] = ()
    """Whose acts on alerts count: fingerprints of operator keys, as `mcpwatch keys operator` prints them, each with a
    name behind a blank if you like. Empty: everybody's who signs, and the screen says that the key is not listed."""


class NotifyConfig(Struct, forbid_unknown_fields=True, frozen=True):
    """Who is told outside of the terminal when an alert fires, by watch and tail."""

    command: tuple[str, ...] = ()
    """A program and its arguments, run without a shell for each message, with the message on its standard input."""
    webhook: str = ""
    """URL that each message is posted to: https, or http on this machine. `config show` leaves its path out."""
    webhook_token_file: str = ""
    """File with the token that the webhook is sent as its bearer token: from / or ~, 0600."""
    severity: str = SEVERITY.name.lower()
    """The lowest severity that is told: low, medium, high or critical."""
    per_minute: int = PER_MINUTE
    """Messages a minute to each; what more there is to tell is summed up in the last of them."""

    def __repr__(self) -> str:
        """Without what may be a secret."""
        return f"NotifyConfig(severity={self.severity!r}, per_minute={self.per_minute})"


class SourceConfig(Struct, forbid_unknown_fields=True, frozen=True):
    """A feed or a recording that goes by a name of yours."""

    address: str
    """Where it is: the http or https URL of a gateway's feed, or the path of a recording, from / or ~."""
    token_file: str = ""
    """File with the token that opens the feed: from / or ~, 0600. Empty: that of a gateway of yours on this machine."""
    watched: bool = True
    """Whether it is watched where a command names no source."""


class UiConfig(Struct, forbid_unknown_fields=True, frozen=True):
    """How the dashboard looks when it opens."""

    theme: str = ""
    """The colours: one of mcpwatch's, of Textual's, or of your own under themes. Empty: mcpwatch-dark."""
    columns: tuple[str, ...] = ()
    """The columns of the Live screen. Empty: as many as fit."""
    times: str = "clock"
    """How the Live screen tells time: clock, age or step."""
    characters: str = "auto"
    """What is drawn with: unicode, ascii, or auto, which goes by the locale (LC_ALL, LC_CTYPE, LANG) and TERM."""


class ThemeConfig(Struct, forbid_unknown_fields=True, frozen=True):
    """Colours of your own, as #rrggbb; those that are left out are the base's."""

    base: str = "mcpwatch-dark"
    """The theme that it is made from."""
    primary: str = ""
    """What is selected, keys, and what is a link."""
    secondary: str = ""
    """What belongs to it."""
    foreground: str = ""
    """Text."""
    background: str = ""
    """The ground."""
    surface: str = ""
    """The ground of panes beside others."""
    panel: str = ""
    """The ground of bars and dialogs."""
    success: str = ""
    """What is proven."""
    warning: str = ""
    """What may be wrong."""
    error: str = ""
    """What is wrong."""


Principals = dict[str, tuple[str, ...]]


class Config(Struct, forbid_unknown_fields=True, frozen=True):
    """The whole file."""

    identity: IdentityConfig = field(default_factory=IdentityConfig)
    watch: WatchConfig = field(default_factory=WatchConfig)
    notify: NotifyConfig = field(default_factory=NotifyConfig)
    sources: dict[str, SourceConfig] = field(default_factory=dict)
    """Feeds and recordings by names of yours, which commands take for their addresses."""
    ui: UiConfig = field(default_factory=UiConfig)
    filters: dict[str, str] = field(default_factory=dict)
    """Filters by names of yours: `@NAME` stands for one wherever a filter is typed."""
    keys: dict[str, str] = field(default_factory=dict)
    """Other keys for commands of the dashboard, by the command's id: names of keys with commas between, empty for
    none. `?` in the dashboard lists the commands, the README their ids."""
    themes: dict[str, ThemeConfig] = field(default_factory=dict)
    """Themes by names of yours."""
    principals: Principals = field(default_factory=dict)
    """Who may sign for the holder of an access token: its subject, or issuer and subject with a space between, and a
    list of signers by id or name. A holder that is not listed may have any signer."""
