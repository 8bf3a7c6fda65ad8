"""What can be done from every screen: commands by name, dialogs, the prompt."""

import json
import time
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path

import msgspec

from mcpwatch.config_faults import meant
from mcpwatch.errors import LocalError
from mcpwatch.files import new_private
from mcpwatch.model.alerts import Alert
from mcpwatch.text import count, show
from mcpwatch.ui import acts, command_line
from mcpwatch.ui.asks import Ask
from mcpwatch.ui.choices import CHOICES
from mcpwatch.ui.commands import BY_ID, Command
from mcpwatch.ui.copying import text_of
from mcpwatch.ui.dialogs.help import HelpDialog
from mcpwatch.ui.picture import picture
from mcpwatch.ui.places import Places
from mcpwatch.ui.theme import OURS
from mcpwatch.ui.widgets.offers import Offer, filter_offers
from mcpwatch.watch.query import parse


class Desk(Places, inherit_bindings=False):
    """The actions of the app; `mcpwatch.ui.app` adds its life."""

    # -- commands by name

    def action_run_command(self, id: str) -> None:
        """Run a command by its id, as the palette and the footer do."""
        self.run_command(BY_ID[id])

    def run_typed(self, text: str) -> None:
        """Run what was typed after `:`."""
        if self.current is not None:
            read = command_line.read(text, self.current.commands())
            if read.command is None:
                self.tell(read.fault)
            else:
                self.run_command(read.command, read.argument)

    def run_command(self, command: Command, argument: str = "") -> None:
        """Have the pane with the keys, its screen or the app do it, whichever can."""
        for target in (self.focused, self.screen, self):
            method = getattr(target, command.method, None)
            if method is not None:
                value = argument or command.parameter
                self.call_next(method, value) if value else self.call_next(method)
                return

    def action_command_line(self) -> None:
        """Ask for a command."""
        if self.current is not None:
            commands = self.current.commands()
            self.current.ask(Ask.COMMAND, "", partial(self._complete, commands))

    def _complete(self, commands: Iterable[Command], text: str) -> Sequence[Offer]:
        word, _, filter = text.lstrip().partition(" ")
        if any(each.id == word for each in commands) and BY_ID[word].argument == "FILTER":
            return filter_offers(filter, self.watcher, before=f"{word} ") if filter else ()
        return command_line.complete(text, commands, self._choices)

    def _choices(self, argument: str) -> Iterable[str]:
        find = CHOICES.get(argument)
        return () if find is None else find(self)

    def action_take_offer(self) -> None:
        """Type what the prompt offers."""
        if self.current is not None:
            self.current.prompt.take_offer()

    def action_older(self) -> None:
        """The line typed before."""
        if self.current is not None:
            self.current.prompt.recall(1)

    def action_newer(self) -> None:
        """The line typed after."""
        if self.current is not None:
            self.current.prompt.recall(-1)

    # -- dialogs and the rest

    def acknowledge(self, alert: Alert) -> None:
        """Ask for a note and acknowledge."""
        acts.acknowledge(self, self.watcher, alert)

    def resolve(self, alert: Alert) -> None:
        """Ask for a note and say that the cause is gone."""
        acts.resolve(self, self.watcher, alert)

    def unacknowledge(self, alert: Alert) -> None:
        """Ask for a note and let an alert fire again."""
        acts.unacknowledge(self, self.tell, self.watcher, alert)

    def silence(self, alert: Alert) -> None:
        """Ask what to silence, how long and why."""
        acts.silence(self, self.watcher, alert)

    def unsilence(self, alert: Alert) -> None:
        """Ask for a note and end the silence that covers an alert."""
        acts.unsilence(self, self.tell, self.watcher, alert)

    def action_help(self) -> None:
        """The keys of this screen."""
        if self.current is not None:
            self.push_screen(HelpDialog(self.current.scope, self.current.commands()))

    def action_theme(self, argument: str = "") -> None:
        """Change the colours, or take the next of ours."""
        names = [name for name in sorted(self.available_themes) if argument and name.startswith(argument)]
        ours = [name for name in names if name.startswith("mcpwatch")] or names
        following = OURS[(OURS.index(self.theme) + 1) % len(OURS)] if self.theme in OURS else OURS[0]
        wanted = next(iter(names if argument in names else ours), "") if argument else following
        if wanted:
            self.theme = wanted
            self.tell(f"The theme is {wanted}; [ui] theme keeps it")
        else:
            self.tell(f"There is no theme {argument}; {meant(argument, sorted(self.available_themes))}")

    def action_mute(self) -> None:
        """Silence the bell, or let it ring again."""
        self.muted = not self.muted
        self.tell("The bell is muted" if self.muted else "The bell rings again")

    def action_save_screen(self) -> None:
        """Save the screen as SVG in a new file in the current folder: what is drawn may be for this user alone."""
        name = f"mcpwatch-{time.strftime('%Y%m%d-%H%M%S')}.svg"
        try:
            with new_private(Path(name)) as file:
                file.write(picture(self).encode())
        except LocalError as error:
            self.tell(error.title, serious=True)
        except OSError as error:
            self.tell(f"Could not save {name}: {error.strerror}", serious=True)
        else:
            self.tell(f"Saved {name}")

    def export(self, filter: str) -> None:
        """Ask for a file to write to what a filter lets through; an empty one is everything."""
        from mcpwatch.ui.dialogs.export import ExportDialog

        self.push_screen(ExportDialog(self.watcher.state, parse(filter, self.watcher.filters)))

    def copy_json(self, value: object) -> None:
        """Copy a value as one line of JSON; what is pasted into a shell must not act there either."""
        text = json.dumps(msgspec.to_builtins(value), ensure_ascii=True)
        self.copy_to_clipboard(show(text))
        self.tell(f"Copied {len(text):,} characters of JSON")

    def copy_text(self) -> None:
        """Copy all there is to say of what is selected on this screen, as text."""
        text = text_of(self.current) if self.current is not None else ""
        if text:
            self.copy_to_clipboard(text)
        self.tell(f"Copied {count(len(text.splitlines()), 'line')} of text" if text else "Nothing is selected")
