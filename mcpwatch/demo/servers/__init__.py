"""Real MCP servers on the official SDK, one file each; every one answers both protocol eras at `/mcp`."""
