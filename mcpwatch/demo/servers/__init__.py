"""Real MCP servers on the official SDK, one file each; every one answers both protocol eras at `/mcp`."""

REGISTRY = "registry"
"""What the address of the registry, which is no MCP server, goes by."""
DIRECTORY = "directory"
"""The same for the key directory."""
