"""What screens and dialogs ask of the app."""

from collections.abc import Callable, Collection, Mapping
from typing import Protocol, cast

from textual.dom import DOMNode

from mcpwatch.model.alerts import Alert, RuleInfo
from mcpwatch.model.identity import Signer
from mcpwatch.model.traffic import Call, Session
from mcpwatch.ui.commands import Command, Scope
from mcpwatch.ui.rows.live_rows import TimeStyle
from mcpwatch.ui.widgets.history import History
from mcpwatch.ui.widgets.lines import Line
from mcpwatch.watch.identity import Identity
from mcpwatch.watch.row import Row


class Host(Protocol):
    """The app, as its screens see it."""

    rules: Mapping[str, RuleInfo]
    monotonic: Callable[[], float]
    keys: Mapping[str, str]
    """Command id -> the operator's keys for it, where they are not its own."""
    everywhere: tuple[Scope, ...]
    """The commands that every screen has."""
    history: History
    """What was typed before."""
    columns: Collection[str] | None
    """Those of Live, for this run; None leaves them to the width."""
    times: TimeStyle
    """How Live tells time, for this run."""
    failure: str
    """Why nothing is taken in any more; empty while all is well."""

    @property
    def said(self) -> Line:
        """The answer to what was last done, for a few seconds."""
        ...

    def tell(self, text: str, *, serious: bool = False, end: str = "") -> None:
        """Answer in the foot of the screen; the text may come from anywhere, and `end` comes after it.

        Of an `end` for which there is no room the foot shows the tail, such as of a long path.
        """
        ...

    def player_line(self, cells: int) -> Line | None:
        """The bar of a player; None where nothing is played."""
        ...

    def play_or_pause(self) -> bool:
        """Play what is played, or pause it; False where nothing is."""
        ...

    def run_command(self, command: Command, argument: str = "") -> None:
        """Have the pane with the keys, its screen or the app do it, whichever can."""
        ...

    def run_typed(self, text: str) -> None:
        """Run what was typed after `:`."""
        ...

    def show_row(self, row: Row) -> None:
        """Open the call or exchange of an entry, at that entry."""
        ...

    def show_call(self, call: Call) -> None:
        """Open a call."""
        ...

    def show_session(self, session: Session | None, call: Call | None = None) -> None:
        """Open a session, at a call of it."""
        ...

    def show_path(self, alert: Alert, call: Call | None = None) -> None:
        """Open the path of calls that led to an alert, at one of them."""
        ...

    def show_signer(self, signer: Signer | None) -> None:
        """Open the identity of a signer."""
        ...

    def show_alerts(self, identity: Identity) -> None:
        """Show the alerts of an identity, and no others, on Alerts."""
        ...

    def show_traffic(self, filter: str, row: Row | None = None) -> None:
        """Show on Live what a filter lets through, at an entry."""
        ...

    def acknowledge(self, alert: Alert) -> None:
        """Ask for a note and acknowledge."""
        ...

    def resolve(self, alert: Alert) -> None:
        """Ask for a note and say that the cause is gone."""
        ...

    def unacknowledge(self, alert: Alert) -> None:
        """Ask for a note and let an alert fire again."""
        ...

    def silence(self, alert: Alert) -> None:
        """Ask what to silence, how long and why."""
        ...

    def unsilence(self, alert: Alert) -> None:
        """Ask for a note and end the silence that covers an alert."""
        ...

    def export(self, filter: str) -> None:
        """Ask for a file to write to what a filter lets through; an empty one is everything."""
        ...

    def copy_json(self, value: object) -> None:
        """Copy a value as one line of JSON."""
        ...

    def copy_text(self) -> None:
        """Copy all there is to say of what is selected on this screen, as text."""
        ...


def host_of(node: DOMNode) -> Host:
    """The app that a screen, a dialog or a prompt belongs to; only WatchApp makes those."""
    return cast(Host, node.app)
