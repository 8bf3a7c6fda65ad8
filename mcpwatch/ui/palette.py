"""The palette: the same table of commands, found by name."""

from collections.abc import Iterable
from functools import partial

from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.content import Content

from mcpwatch.ui.base import WatchScreen
from mcpwatch.ui.commands import Command, Group, key_names


class CommandProvider(Provider):
    """What can be done on the screen below."""

    def _commands(self) -> Iterable[tuple[WatchScreen, Command]]:
        screen = self.screen
        if isinstance(screen, WatchScreen):
            yield from ((screen, each) for each in screen.commands() if each.group is not Group.MOVE)

    async def search(self, query: str) -> Hits:
        """Commands whose name or help matches."""
        matcher = self.matcher(query)
        for screen, command in self._commands():
            text = f"{command.id}: {command.help}"
            if (score := matcher.match(text)) > 0:
                run = partial(screen.host.run_command, command)
                yield Hit(score, matcher.highlight(text), run, text=text, help=key_names(command.keys))

    async def discover(self) -> Hits:
        """All of them, before anything is typed."""
        for screen, command in self._commands():
            text = f"{command.id}: {command.help}"
            run = partial(screen.host.run_command, command)
            yield DiscoveryHit(Content(text), run, text=text, help=key_names(command.keys))
