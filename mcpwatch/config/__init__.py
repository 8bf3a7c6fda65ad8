"""The configuration file: its tree, what may stand in it, how it is read and written."""

from mcpwatch.config.checks import MAX_AUTHOR, value_faults
from mcpwatch.config.load import author, load, refused
from mcpwatch.config.tree import (
    Config,
    IdentityConfig,
    NotifyConfig,
    SourceConfig,
    ThemeConfig,
    UiConfig,
    WatchConfig,
)
from mcpwatch.config.written import Key, dump, keys, template

__all__ = [
    "MAX_AUTHOR",
    "Config",
    "IdentityConfig",
    "Key",
    "NotifyConfig",
    "SourceConfig",
    "ThemeConfig",
    "UiConfig",
    "WatchConfig",
    "author",
    "dump",
    "keys",
    "load",
    "refused",
    "template",
    "value_faults",
]
