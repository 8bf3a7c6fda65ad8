"""Captured MCP traffic to entries, as the gateway would have written them.

A capture holds blocks `######## connN C>S|S>C [EOF] +SECONDSs BYTES bytes`, each followed by exactly that many
octets. HTTP is read per connection, and what is complete becomes an entry with the time of its block.
"""

import re
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path

from build import START, Log
from msgspec import Struct, field

from mcpwatch.model.entries import Entry

_BLOCK = re.compile(rb"\n######## conn(\d+) (C>S|S>C)( \[\w+\])? \+([\d.]+)s (\d+) bytes\n")


class Block(Struct):
    """What one side sent at once, or the end of its side."""

    connection: int
    to_server: bool
    time: float
    data: bytes
    closed: bool


def blocks(capture: bytes) -> Iterator[Block]:
    """The blocks of a capture, in order."""
    at = 0
    while match := _BLOCK.match(capture, at):
        connection, side, closed, time, size = match.groups()
        data = capture[match.end() : match.end() + int(size)]
        yield Block(int(connection), side == b"C>S", float(time), data, closed is not None)
        at = match.end() + int(size) + 1


def entries(path: Path) -> list[Entry]:
    """All entries that a capture amounts to."""
    log = Log("wire", step=0.0)
    connections: dict[int, Connection] = {}
    for block in blocks(path.read_bytes()):
        log.now = START + block.time
        connection = connections.setdefault(block.connection, Connection(log, f"127.0.0.1:{40000 + block.connection}"))
        connection.take(block)
    return log.entries


class Connection:
    """One TCP connection: requests one way, their answers the other, in the same order."""

    def __init__(self, log: Log, peer: str) -> None:
        self.log = log
        self.peer = peer
        self.asked: deque[Entry] = deque()
        self.requests = Reader()
        self.answers = Answer(log, self.asked)

    def take(self, block: Block) -> None:
        """Go on with one block."""
        if block.to_server:
            self.requests.data += block.data
            while (head := self.requests.head()) and (body := self.requests.take(head.length)) is not None:
                self.requests.at_head = True
                self.asked.append(self._request(head, body))
        else:
            self.answers.feed(block.data)
        if block.closed and self.asked:
            self.log.end(self.asked.popleft(), "client-closed" if block.to_server else "upstream-closed")

    def _request(self, head: "Head", body: bytes) -> Entry:
        method, target, _ = head.line.split(" ")
        return self.log.request(
            body or None,
            method=method,
            target=target,
            authority=head.get("host"),
            headers=tuple(pair for pair in head.headers if pair[0] != "mcp-session-id"),
            session=head.get("mcp-session-id"),
            peer=self.peer,
        )


class Head(Struct):
    """The start line and the header fields of a message."""

    line: str
    headers: list[tuple[str, str]]

    def get(self, name: str) -> str:
        return next((value for key, value in self.headers if key == name), "")

    @property
    def length(self) -> int:
        return int(self.get("content-length") or 0)


class Reader:
    """Octets of one direction, read piece by piece."""

    def __init__(self) -> None:
        self.data = b""
        self.at_head = True
        self._head: Head | None = None

    def head(self) -> Head | None:
        """The head, as soon as it is whole; the same until `at_head` is set again."""
        if self.at_head:
            self._head = None
            start, found, rest = self.data.partition(b"\r\n\r\n")
            if found:
                line, *fields = start.decode("latin-1").split("\r\n")
                pairs = (one.partition(":") for one in fields)
                self._head = Head(line, [(name.lower(), value.strip()) for name, _, value in pairs])
                self.data, self.at_head = rest, False
        return self._head

    def take(self, size: int) -> bytes | None:
        """The next `size` octets, or None while they are not all there."""
        if len(self.data) < size:
            return None
        taken, self.data = self.data[:size], self.data[size:]
        return taken


class Events(Struct):
    """Server-sent events out of text; any of the three line ends."""

    emit: Callable[[str, str, str], object]
    text: str = ""
    name: str = ""
    id: str = ""
    data: list[str] = field(default_factory=list)

    def feed(self, text: str) -> None:
        """Take in more of the stream."""
        *lines, self.text = re.split(r"\r\n|\n|\r(?!$)", self.text + text)
        for line in lines:
            self._line(line)

    def _line(self, line: str) -> None:
        key, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if not line:
            if self.data or self.id:
                self.emit("\n".join(self.data), self.name, self.id)
            self.name, self.id, self.data = "", "", []
        elif key == "data":
            self.data.append(value)
        elif key == "event":
            self.name = value
        elif key == "id":
            self.id = value


class Answer(Reader):
    """The answers of one connection."""

    def __init__(self, log: Log, asked: deque[Entry]) -> None:
        super().__init__()
        self.log = log
        self.asked = asked
        self.begun = False
        self.body = b""
        self.events = Events(self._event)

    def feed(self, data: bytes) -> None:
        """Take in more octets."""
        self.data += data
        while (head := self.head()) is not None and self.asked:
            if not self.begun:
                self.begun = True
                status = int(head.line.split(" ")[1])
                self.log.response(
                    self.asked[0], status, headers=tuple(head.headers), session=head.get("mcp-session-id")
                )
            if not self._body(head):
                return
            if self.body:
                self.log.message(self.asked[0], self.body)
            self.log.end(self.asked.popleft())
            self.at_head, self.begun, self.body, self.events = True, False, b"", Events(self._event)

    def _body(self, head: Head) -> bool:
        """Take in what there is of the body; whether it is whole."""
        if head.get("transfer-encoding").lower() != "chunked":
            body = self.take(head.length)
            self.body = body or b""
            return body is not None
        stream = head.get("content-type").startswith("text/event-stream")
        while True:
            size, found, _ = self.data.partition(b"\r\n")
            if not found or len(self.data) < len(size) + 4 + int(size, 16):
                return False
            chunk = self.data[len(size) + 2 : len(size) + 2 + int(size, 16)]
            self.data = self.data[len(size) + 4 + int(size, 16) :]
            if not chunk:
                return True
            if stream:
                self.events.feed(chunk.decode())
            else:
                self.body += chunk

    def _event(self, data: str, name: str, id: str) -> Entry:
        return self.log.message(self.asked[0], data.encode(), stream=True, event=name, event_id=id)
