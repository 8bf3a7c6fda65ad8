"""The commands, one module each; `mcpwatch.cli` holds their table."""
