"""Builds: long calls that report progress and write log lines while they run."""

import anyio
from mcp.server.mcpserver import Context, MCPServer
from mcp_types import TextContent
from starlette.types import ASGIApp

_STEPS = ("fetch sources", "resolve dependencies", "compile", "unit tests", "package", "sign", "upload")


def app() -> ASGIApp:
    """A server whose answers are event streams."""
    server = MCPServer("builds", version="0.9.1")

    @server.tool()
    async def run_build(project: str, ctx: Context, seconds: float = 4.0) -> str:
        """Build a project; reports each step."""
        for number, step in enumerate(_STEPS, 1):
            await ctx.session.send_log_message("info", f"{project}: {step}", related_request_id=ctx.request_id)
            await anyio.sleep(seconds / len(_STEPS))
            await ctx.report_progress(number, len(_STEPS), step)
        return f"{project}: {len(_STEPS)} steps done"

    @server.tool()
    async def run_tests(project: str, shard: int, ctx: Context) -> list[TextContent]:
        """Run one shard of a project's tests."""
        for done in (25, 60, 100):
            await anyio.sleep(0.3)
            await ctx.report_progress(done, 100, f"shard {shard}: {done} of 100 tests")
        return [TextContent(type="text", text=f"{project} shard {shard}: 100 passed")]

    @server.tool()
    def list_builds(project: str) -> list[str]:
        """The newest builds of a project."""
        return [f"{project}#{number}" for number in (412, 411, 410)]

    return server.streamable_http_app()
