"""Accounts: tools by role. Guests may look, administrators may do the rest."""

import base64
import json

from mcp.server.mcpserver import Context, MCPServer
from mcp.shared.exceptions import MCPError
from starlette.types import ASGIApp

_FORBIDDEN = -32001
_ADMINS = frozenset({"ada@example.com"})


def subject(authorization: str) -> str:
    """The `sub` claim of a bearer token; empty when there is none. Whether the token is genuine is not asked."""
    try:
        payload = authorization.removeprefix("Bearer ").split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (IndexError, ValueError):
        return ""
    return str(claims.get("sub", "")) if isinstance(claims, dict) else ""


def require_admin(ctx: Context, tool: str) -> None:
    """Raise a JSON-RPC error unless the caller's token names an administrator."""
    who = subject((ctx.headers or {}).get("authorization", ""))
    if who not in _ADMINS:
        raise MCPError(_FORBIDDEN, f'Forbidden: tool "{tool}" requires the admin role')


def app() -> ASGIApp:
    """A server with protocol sessions and roles."""
    server = MCPServer("accounts", version="5.1.0")

    @server.tool()
    def list_accounts() -> list[str]:
        """Names of the accounts; anyone may ask."""
        return ["ada@example.com", "bo@example.com", "cy@example.com"]

    @server.tool()
    def export_accounts(ctx: Context) -> str:
        """All account data. Administrators only."""
        require_admin(ctx, "export_accounts")
        return "3 accounts exported"

    @server.tool()
    def grant_role(account: str, role: str, ctx: Context) -> str:
        """Give an account a role. Administrators only."""
        require_admin(ctx, "grant_role")
        return f"{account} is now {role}"

    @server.tool()
    def close_account(account: str, ctx: Context) -> str:
        """Close an account. Administrators only."""
        require_admin(ctx, "close_account")
        return f"{account} is closed"

    @server.tool()
    def rotate_keys(ctx: Context) -> str:
        """Replace every signing key. Administrators only."""
        require_admin(ctx, "rotate_keys")
        return "keys replaced"

    return server.streamable_http_app()
