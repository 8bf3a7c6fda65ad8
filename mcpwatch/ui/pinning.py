"""Pinning keys and taking pins back: what is asked first, and what is said afterwards."""

from textual.screen import Screen

from mcpwatch.errors import McpwatchError
from mcpwatch.model.identity import Resolution
from mcpwatch.ui.dialogs.confirm import ConfirmDialog
from mcpwatch.ui.dialogs.pin import PinDialog, PinWords
from mcpwatch.ui.host import Host
from mcpwatch.ui.pages.signer import signer_lines
from mcpwatch.ui.widgets.lines import BLANK, Line, Tone, line, span
from mcpwatch.watch.identity import Identity
from mcpwatch.watch.names import short_id
from mcpwatch.watch.watcher import Watcher

_PIN = PinWords(
    "Pin this key",
    "From now on this key is the identity's, whatever a registry says, and no other key is."
    " Compare the fingerprint with its owner's, on another way than this one.",
    "pin it",
)
_INSIDE = PinWords(
    "Pin and name this key",
    "The key is inside the did:key itself, so no other key can ever be its own."
    " Pinning it gives it a name, which stands in place of the key in all lists.",
    "pin it",
)
_PINNED = PinWords(
    "This key is pinned",
    "It is the identity's already, because you said so. Enter gives it the name below;"
    " P, once this box is left, forgets key and name.",
    "name it",
)
_UNPIN = "Its keys are then what registries and requests say again; the name you gave it is forgotten too."


def pin(screen: Screen[None], host: Host, watcher: Watcher, identity: Identity) -> None:
    """Ask whether the identity's key is to be pinned."""
    fingerprint = identity.fingerprint
    if not fingerprint:
        host.tell("No key of it is known: there is nothing to pin")
        return

    def act(name: str) -> None:
        watcher.pin(identity.id, fingerprint, name)
        called = name or short_id(identity.id)
        host.tell(f"{'Named' if is_named_only else 'Pinned'} {called}; its requests are judged again")

    words = _words(watcher, identity)
    is_named_only = words is _PINNED
    screen.app.push_screen(PinDialog(words, _about(watcher, identity), identity.name, act))


def unpin(screen: Screen[None], host: Host, watcher: Watcher, identity: Identity) -> None:
    """Ask whether the identity's pinned keys are to be forgotten."""
    if not watcher.is_pinned(identity.id):
        host.tell("No key of it is pinned")
        return

    called = identity.name or short_id(identity.id)

    def act() -> None:
        try:
            watcher.unpin(identity.id)
        except McpwatchError as error:
            host.tell(error.whole, serious=True)
        else:
            host.tell(f"Un-pinned {called}; its requests are judged again")

    says = [*_about(watcher, identity), BLANK, line(span(_UNPIN, Tone.DIM))]
    screen.app.push_screen(ConfirmDialog("Un-pin this identity", says, "un-pin it", act))


def _words(watcher: Watcher, identity: Identity) -> PinWords:
    if watcher.is_pinned(identity.id):
        return _PINNED if identity.resolution is Resolution.PINNED else _PIN
    return _INSIDE if identity.id.startswith("did:key:") else _PIN


def _about(watcher: Watcher, identity: Identity) -> list[Line]:
    signer = identity.signer
    return signer_lines(signer, watcher.known(signer, identity.kind), proven=identity.proven > 0)
