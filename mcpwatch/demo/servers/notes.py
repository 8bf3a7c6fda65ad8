"""Notes: a team's notebook with protocol sessions, and a login for those who bring a token."""

import hashlib

from mcp.server.mcpserver import MCPServer
from pydantic import BaseModel
from starlette.types import ASGIApp


class Hit(BaseModel):
    id: str
    title: str


_NOTES = {
    "note-7f3a91c2": ("Refund rules", "Refund in full within 30 days. Above 100.00 ask a person first."),
    "note-b40e6d58": ("Late parcels", "Order A-1042 is late; the customer was promised a refund of 19.50."),
    "note-2c9d17ea": ("Release checklist", "Build, sign, announce. Never on a Friday."),
    "note-e81f5b03": ("Warehouse hours", "Open 06:00 to 22:00. Ring twice at the north gate."),
    "note-5ad2c964": ("Supplier terms", "Net 45, two per cent if paid within ten days."),
    "note-93b7f01e": ("Broken scanners", "Scanner 4 reads A as 4; order A-1077 was booked twice because of it."),
}


def app() -> ASGIApp:
    """A server with state: each client gets a session id in the older era."""
    server = MCPServer("notes", version="3.2.0", instructions="Search first, then read by id.")
    notes = dict(_NOTES)

    @server.tool()
    def search_notes(query: str) -> list[Hit]:
        """Find notes whose title or text contains the query."""
        words = query.casefold()
        return [
            Hit(id=key, title=title)
            for key, (title, text) in notes.items()
            if words in title.casefold() or words in text.casefold()
        ]

    @server.tool()
    def read_note(id: str) -> str:
        """Read one note by its id."""
        return notes[id][1] if id in notes else f"There is no note {id}."

    @server.tool()
    def save_note(title: str, text: str) -> str:
        """Save a note; a note of the same title is replaced."""
        key = f"note-{hashlib.sha256(title.encode()).hexdigest()[:8]}"
        notes[key] = (title, text)
        return key

    @server.resource("notes://index")
    def index() -> str:
        """All titles."""
        return "\n".join(title for title, _ in notes.values())

    return server.streamable_http_app()
