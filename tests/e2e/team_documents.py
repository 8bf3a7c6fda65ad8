"""Servers of a team for what people write, on the official SDK: issues, pages, files."""

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.shared.exceptions import MCPError
from mcp_types import ContentBlock, ResourceLink, TextContent, ToolAnnotations
from starlette.types import ASGIApp
from team_data import FILES, ISSUES, PAGES, TRACKER, WIKI, WORKSPACE, Page, uuid

from mcpwatch.encoding import decode_base64url

READS = ToolAnnotations(read_only_hint=True)
_PAGE_OF_TOOLS = 3


class Paged:
    """Lists tools a few at a time, behind an opaque cursor."""

    async def __call__(self, ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
        answer = await call_next(ctx)
        if ctx.method != "tools/list" or answer is None:
            return answer
        whole = answer if isinstance(answer, dict) else answer.model_dump(mode="json", by_alias=True, exclude_none=True)
        at = int((ctx.params or {}).get("cursor") or "0", 16)
        tools, after = whole["tools"], at + _PAGE_OF_TOOLS
        more = {"nextCursor": f"{after:x}"} if after < len(tools) else {}
        return {**whole, "tools": tools[at:after], **more}


def granted(authorization: str) -> str:
    """The scopes of a bearer token; empty where there is none."""
    claims = decode_base64url(authorization.partition(".")[2].partition(".")[0])
    return str(json.loads(claims).get("scope", "")) if claims else ""


def tracker() -> ASGIApp:
    """Issues; closing one takes a role."""
    server = MCPServer(
        "tracker",
        version="4.8.1",
        instructions="Always search before you create an issue. Never put passwords into comments.",
        middleware=[Paged()],
    )

    @server.tool(annotations=READS)
    def search(query: str) -> list[dict[str, str]]:
        """Search issues by words; returns their ids, titles and addresses."""
        return [{"id": one.id, "title": one.title, "url": one.url} for one in ISSUES if query in one.title + one.body]

    @server.tool(annotations=READS)
    def get_issue(id: str) -> dict[str, str]:
        """One issue by its id, with who reported it."""
        issue = next((one for one in ISSUES if one.id == id), None)
        if issue is None:
            raise ToolError(f"There is no issue {id}")
        return {name: getattr(issue, name) for name in issue.__struct_fields__}

    @server.tool(annotations=READS)
    def list_issues(page_token: str = "") -> dict[str, Any]:
        """Issues, ten at a time; pass nextPageToken to go on."""
        at = next((at for at, one in enumerate(ISSUES) if one.id == page_token), 0)
        after = ISSUES[at + 10].id if at + 10 < len(ISSUES) else ""
        return {"issues": [one.id for one in ISSUES[at : at + 10]], "nextPageToken": after}

    @server.tool()
    def create_issue(title: str, body: str) -> dict[str, str]:
        """Create an issue. You must search first, or there will be duplicates."""
        id = uuid()
        return {"id": id, "url": f"{TRACKER}/issues/{id}"}

    @server.tool()
    def add_comment(issue: str, body: str) -> str:
        """Add a comment to an issue, in Markdown. IMPORTANT: keep it short."""
        return f"Commented on {TRACKER}/issues/{issue}#{uuid()}"

    @server.tool()
    def close_issue(issue: str, ctx: Context) -> str:
        """Close an issue. For maintainers."""
        if "maintain" not in granted((ctx.headers or {}).get("authorization", "")):
            raise MCPError(-32003, 'Forbidden: tool "close_issue" requires the maintainer role')
        return f"{issue} is closed"

    return server.streamable_http_app()


def wiki() -> ASGIApp:
    """Pages, as tools and as resources; a tool is added while it runs."""
    server = MCPServer("wiki", version="11.2", instructions="Before using this wiki, search for the page.")

    @server.tool(annotations=READS)
    def search(query: str) -> list[ContentBlock]:
        """Find pages whose title or text has all words of the query."""
        words = query.lower().split()
        found = [page for page in PAGES if all(word in page.text.lower() for word in words)]
        return [ResourceLink(type="resource_link", uri=_address(page), name=page.title) for page in found]

    @server.tool(annotations=READS)
    def read_page(url: str) -> str:
        """Read a page by its address."""
        return next((page.text for page in PAGES if _address(page) == url), "There is no such page.")

    @server.tool()
    def save_page(title: str, text: str) -> str:
        """Save a page, in Markdown. It must not be empty; always pass the whole text."""
        return f"Saved {title}: {WIKI}/pages/{uuid()}, {len(text)} characters"

    def compare_pages(first: str, second: str) -> str:
        """Compare two pages."""
        return f"{first} and {second} differ in {len(first + second)} lines"

    @server.tool()
    async def enable_comparing(ctx: Context) -> str:
        """Switch on the comparing of pages; it takes effect at once."""
        if not any(tool.name == "compare_pages" for tool in await server.list_tools()):
            server.add_tool(compare_pages)
        await ctx.session.send_tool_list_changed()
        await ctx.notify_tools_changed()
        return "on"

    @server.prompt()
    def summarise(page: str) -> str:
        """Summarise a page in three sentences."""
        return f"Summarise {page} in three sentences, and leave out names."

    for page in PAGES:
        server.resource(_address(page), name=page.title, mime_type="text/markdown")(_gives(page.text))

    return server.streamable_http_app()


def _address(page: Page) -> str:
    return f"{WIKI}/pages/{page.id}"


def _gives(text: str) -> Callable[[], str]:
    return lambda: text


def workspace() -> ASGIApp:
    """The files of a project."""
    server = MCPServer("workspace", version="0.14.0")

    @server.tool(annotations=READS)
    def list_folder(path: str) -> list[str]:
        """Files of a folder."""
        return [name for name in FILES if name.startswith(path)]

    @server.tool(annotations=READS)
    def read_file(path: str) -> str:
        """Read a file. Before using this tool on a large file, search in it."""
        if path not in FILES:
            raise ToolError(f"{path}: no such file or directory")
        return FILES[path]

    @server.tool()
    def write_file(path: str, content: str) -> str:
        """Write a file; what was in it is replaced."""
        return f"{path}: {len(content)} characters written"

    @server.tool(annotations=READS)
    def find_in_files(pattern: str) -> list[ContentBlock]:
        """Find a pattern in all files."""
        hits = [name for name, text in FILES.items() if pattern in text]
        links = [ResourceLink(type="resource_link", uri=f"file://{quote(name)}", name=name) for name in hits]
        return [TextContent(type="text", text=f"{len(hits)} files"), *links]

    for path, text in FILES.items():
        server.resource(f"file://{path}", name=path, mime_type="text/plain")(_gives(text))

    @server.resource(f"file://{WORKSPACE}/docs/{{name}}")
    def docs(name: str) -> str:
        """The documentation."""
        return f"# {name}\n"

    return server.streamable_http_app(json_response=True)
