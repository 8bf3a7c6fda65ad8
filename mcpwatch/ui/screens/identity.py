"""One signer on a screen of its own."""

from typing import ClassVar

from textual.binding import BindingType

from mcpwatch.ui.commands import Scope, bindings
from mcpwatch.ui.pages.identity import identity_page
from mcpwatch.ui.pinning import pin, unpin
from mcpwatch.ui.screens.about import AboutScreen
from mcpwatch.ui.widgets.lines import Line
from mcpwatch.watch.facts import identity_facts
from mcpwatch.watch.identity import Identity
from mcpwatch.watch.nodes import quote
from mcpwatch.watch.watcher import Watcher


class IdentityScreen(AboutScreen):
    """A page about one signer."""

    scope = Scope.IDENTITY
    BINDINGS: ClassVar[list[BindingType]] = [*bindings(Scope.IDENTITY)]

    def __init__(self, watcher: Watcher, identity: Identity) -> None:
        super().__init__(watcher)
        self.identity = identity

    def crumbs(self) -> list[str]:
        """From the list down to the signer."""
        return ["Identities", self.identity.fingerprint[:8] or "no key", self.identity.name or self.identity.id]

    def lines(self) -> list[Line]:
        """Key, names, alerts, verdicts, where it was seen."""
        return identity_page(self.identity, self.watcher)

    def its_filter(self) -> str:
        """What was signed in its name."""
        return f"who={quote(self.identity.id)}"

    def action_its_alerts(self) -> None:
        """Its alerts."""
        self.host.show_alerts(self.identity)

    def action_pin(self) -> None:
        """Ask whether its key is to be pinned."""
        pin(self, self.host, self.watcher, self.identity)

    def action_unpin(self) -> None:
        """Ask whether its pinned keys are to be forgotten."""
        unpin(self, self.host, self.watcher, self.identity)

    def action_copy(self) -> None:
        """Copy the identity."""
        self.host.copy_json(identity_facts(self.identity))
