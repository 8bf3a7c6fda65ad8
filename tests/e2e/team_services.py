"""Servers of a team for what machines hold and do, on the official SDK: builds, a database, mail, invoices, parts."""

import asyncio
from typing import Annotated, Any

from mcp.server.mcpserver import AcceptedElicitation, Context, Elicit, ElicitationResult, MCPServer, Resolve
from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.streamable_http import EventCallback, EventId, EventMessage, EventStore, StreamId
from mcp_types import JSONRPCMessage, TextContent
from pydantic import BaseModel, Field
from starlette.types import ASGIApp
from team_data import MAILS, ORDERS, log_line, rows, uuid
from team_documents import READS

_POLLS = 4
"""How often a build is asked for before it is done."""


class Events(EventStore):
    """The events of streams, so that a client which lost one can go on."""

    def __init__(self) -> None:
        self._events: list[tuple[StreamId, JSONRPCMessage | None]] = []

    async def store_event(self, stream_id: StreamId, message: JSONRPCMessage | None) -> EventId:
        self._events.append((stream_id, message))
        return str(len(self._events))

    async def replay_events_after(self, last_event_id: EventId, send_callback: EventCallback) -> StreamId | None:
        last = int(last_event_id)
        stream = self._events[last - 1][0]
        for number, (of, message) in enumerate(self._events[last:], last + 1):
            if of == stream and message is not None:
                await send_callback(EventMessage(message, str(number)))
        return stream


class Approval(BaseModel):
    approved: bool


def ask(project: str) -> Elicit[Approval]:
    return Elicit(f"Deploy {project}?", Approval)


def builds() -> ASGIApp:
    """Builds: polled, streamed with progress and log lines, resumed, and deployed once a person agrees."""
    server = MCPServer("builds", version="2.0.0")
    asked: dict[str, int] = {}

    @server.tool()
    def start_build(project: str, ref: str) -> dict[str, str]:
        """Start a build of a commit; ask get_build for how it goes."""
        return {"build": uuid(), "state": "queued"}

    @server.tool(annotations=READS)
    def get_build(build: str) -> dict[str, Any]:
        """How a build goes."""
        asked[build] = asked.get(build, 0) + 1
        done = asked[build] >= _POLLS
        return {"build": build, "state": "passed" if done else "running", "input_tokens": 1200, "session": "nightly"}

    @server.tool()
    async def run_tests(project: str, ctx: Context, shards: int = 3) -> list[TextContent]:
        """Run all tests of a project; reports each shard."""
        for shard in range(shards):
            line = log_line(f"shard {shard} of {project} שלום\u200f לך")
            await ctx.session.send_log_message("info", line, related_request_id=ctx.request_id)
            await ctx.report_progress(shard + 1, shards, f"shard {shard} 👩\u200d💻")
        # Last, since the SDK loses what a tool says between the replay for a client that is back and its new stream.
        await ctx.close_sse_stream()
        return [TextContent(type="text", text="\n".join(log_line(f"{project}: {n} passed") for n in range(40)))]

    @server.tool()
    async def watch_build(build: str, ctx: Context) -> str:
        """Wait until a build has ended, reporting how far it is."""
        for step in range(1000):
            await ctx.report_progress(step, 1000, "waiting")
            await asyncio.sleep(0.01)
        return build

    @server.tool()
    def deploy(
        project: str,
        region: Annotated[str, Field(json_schema_extra={"x-mcp-header": "Region"})],
        approval: Annotated[ElicitationResult[Approval], Resolve(ask)],
    ) -> str:
        """Deploy a project to a region, once a person has agreed."""
        agreed = isinstance(approval, AcceptedElicitation) and approval.data.approved
        return f"{project} is live in {region}" if agreed else "not deployed"

    return server.streamable_http_app(event_store=Events(), retry_interval=1)


def warehouse() -> ASGIApp:
    """The team's database, for reading."""
    server = MCPServer("warehouse", version="1.3")

    @server.tool(annotations=READS)
    def run_query(sql: str) -> list[dict[str, Any]]:
        """Run a select on the database. Always describe a table before you query it."""
        if "FROM" not in sql:
            raise ToolError('syntax error at or near ";", position 8')
        return rows(sql)

    @server.tool(annotations=READS)
    def describe_table(table: str) -> dict[str, str]:
        """Columns of a table and their types."""
        return {"id": "uuid", "customer": "text", "mail": "text", "access_token_count": "int", "total": "numeric"}

    @server.tool(annotations=READS)
    def find_customer(mail: str) -> dict[str, Any]:
        """Name, address and phone number of a customer."""
        order = next((one for one in ORDERS if one.mail == mail), ORDERS[0])
        return {"customer": order.customer, "phone": "+47 22 85 50 50", "customer_number": uuid(), "mail": order.mail}

    return server.streamable_http_app(stateless_http=True)


def post() -> ASGIApp:
    """Mail from outside, mail to outside, and the team's own channels."""
    server = MCPServer("post", version="9.0.2")

    @server.tool(annotations=READS)
    def read_inbox() -> list[dict[str, str]]:
        """The newest mail."""
        return [{"id": mail.id, "from": mail.sender, "subject": mail.subject} for mail in MAILS[:12]]

    @server.tool(annotations=READS)
    def get_mail(id: str) -> str:
        """One mail by its id."""
        mail = next(one for one in MAILS if one.id == id)
        return f"From: {mail.sender}\nSubject: {mail.subject}\nMessage-ID: <{mail.id}>\n\n{mail.body}"

    @server.tool()
    def send_mail(to: str, subject: str, body: str) -> str:
        """Send a mail to a customer."""
        return f"Sent to {to} as <{uuid()}@shop.example.com>"

    @server.tool()
    def post_message(channel: str, text: str) -> dict[str, str]:
        """Post a message to a channel of the team."""
        return {"message": uuid(), "channel": channel}

    return server.streamable_http_app()


def billing() -> ASGIApp:
    """Invoices, for those who prove that their token is theirs."""
    server = MCPServer("billing", version="3.1")

    @server.tool(annotations=READS)
    def list_invoices(after: str = "") -> dict[str, Any]:
        """Numbers of invoices, a few at a time."""
        at = next((at + 1 for at, one in enumerate(ORDERS) if one.id == after), 0)
        return {"invoices": [one.id for one in ORDERS[at : at + 8]], "next_cursor": ORDERS[at + 7].id}

    @server.tool(annotations=READS)
    def get_invoice(id: str) -> dict[str, Any]:
        """One invoice by its number."""
        order = next(one for one in ORDERS if one.id == id)
        return {"number": order.id, "total": order.total, "iban": "DE89370400440532013000", "paid": True}

    return server.streamable_http_app(stateless_http=True, json_response=True)


def catalog() -> ASGIApp:
    """What the shop sells, for everybody."""
    server = MCPServer("catalog", version="20.1")

    @server.tool(annotations=READS)
    def search_parts(words: str) -> list[dict[str, Any]]:
        """Find parts by words."""
        return [{"part": f"P-{number:05}", "price": number / 7} for number in range(len(words))]

    @server.tool(annotations=READS)
    def get_part(part: str) -> dict[str, Any]:
        """One part by its number."""
        return {"part": part, "ean": "4006381333931", "in_stock": 12}

    return server.streamable_http_app(stateless_http=True)
