"""What the configuration says of the dashboard: keys, colours, and how Live begins."""

import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from textual.theme import Theme

from mcpwatch.config import Config
from mcpwatch.config_faults import Fault
from mcpwatch.ui import keymap, theme
from mcpwatch.ui.rows import live_rows
from mcpwatch.ui.terminal import ascii


class Settings(NamedTuple):
    """How the dashboard is to be."""

    keys: Mapping[str, str] = {}
    """Command id -> its keys, as `mcpwatch.ui.keymap` has them."""
    themes: tuple[Theme, ...] = ()
    """The operator's own."""
    theme: str = theme.DARK.name
    columns: tuple[str, ...] = ()
    """Those of Live; none leaves them to the width."""
    times: live_rows.TimeStyle = live_rows.TimeStyle.CLOCK
    """How Live tells time."""
    is_ascii: bool = False
    """Whether nothing but ASCII is drawn."""
    history: Path | None = None
    """The file that filters are kept in from run to run; None for none."""


def faults(config: Config) -> Iterator[Fault]:
    """What the dashboard has not: commands, keys, themes, columns."""
    yield from keymap.faults(config.keys)
    yield from theme.faults(config.themes, config.ui.theme)
    yield from live_rows.faults(config.ui.columns)


def settings(config: Config) -> Settings:
    """The settings of a configuration without faults."""
    return Settings(
        keymap.keymap(config.keys),
        tuple(theme.custom(config.themes)),
        config.ui.theme or Settings().theme,
        config.ui.columns,
        live_rows.TimeStyle[config.ui.times.upper()],
        ascii.is_wanted(config.ui.characters, os.environ, getattr(sys.__stdout__, "encoding", "utf-8")),
    )
