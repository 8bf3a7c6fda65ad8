"""The word that starts this program, for the lines that a person is told to type."""

import os


def program() -> str:
    """`mcpwatch`, or `uv run mcpwatch` where uv runs it out of a clone, and the shell may not find it by itself."""
    return "uv run mcpwatch" if "UV_RUN_RECURSION_DEPTH" in os.environ else "mcpwatch"
